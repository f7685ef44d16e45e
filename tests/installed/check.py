"""Checks an installed FlowReasoner, bare or with one extra: ``python check.py bare|langgraph|dspy|metagpt|train|…``.

Run by ``scripts/extras`` in a clean environment, outside of the repository and without pytest: what was asked for
works, what was not explains its extra, and neither takes the other with it.
"""

import asyncio
import importlib
import importlib.util
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from flowreasoner import Workflow
from flowreasoner.errors import PluginError
from flowreasoner_plugins.manager import load_plugins

SOURCE = """class Workflow:
    async def __call__(self, problem):
        first = await self.custom(input=problem, instruction="Say it. ")
        return first["response"]
"""
BACKENDS = {"langgraph": "LangGraphBackend", "dspy": "DSPyBackend"}
FRAMEWORKS = ("langgraph", "langchain_core", "dspy", "metagpt", "torch", "transformers", "trl", "numpy", "openai")


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs the installed command."""
    program = Path(sys.executable).with_name("flowreasoner")
    return subprocess.run([program, *arguments], capture_output=True, text=True, check=False)


def check_bare() -> None:
    """The command works, plugins load, nothing heavy is imported, and an export to AFlow needs no framework."""
    assert command("--help").returncode == 0
    assert not load_plugins().problems
    assert not [name for name in FRAMEWORKS if name in sys.modules]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "graph.py")
        file.write_text(SOURCE)
        assert command("check", str(file)).returncode == 0
        assert "class Workflow" in command("export", str(file)).stdout


def check_explained(extra: str) -> None:
    """A backend without its framework says what to install, in Python and on the command line."""
    wanted = f'pip install "flowreasoner[{extra}]"'
    module = importlib.import_module(f"flowreasoner_adapters.{extra}")
    try:
        getattr(module, BACKENDS[extra])()
    except PluginError as error:
        assert wanted in str(error), error
    else:
        raise AssertionError(f"{extra} is here although it was not installed")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "graph.py")
        file.write_text(SOURCE)
        ran = command("export", str(file), "--to", extra)
        assert ran.returncode == 2, ran
        assert wanted in ran.stderr, ran.stderr


def check_training_explained() -> None:
    """Without the extra, recipes are planned all the same; what trains, or runs a checkpoint, says what to install."""
    wanted = 'pip install "flowreasoner[train]"'
    assert command("recipes", "plan", "flowreasoner-7b").returncode == 0
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder, "trajectories.jsonl")
        data.write_text("")
        ran = command("sft", "smoke", "--data", str(data), "--out", folder)
        assert ran.returncode == 2, ran
        assert wanted in ran.stderr, ran.stderr
        for name, text in (("graph.py", SOURCE), ("config.json", "{}"), ("model.safetensors", "")):
            Path(folder, name).write_text(text)
        ran = command("run", str(Path(folder, "graph.py")), "demo:spiral-walk", "--worker", f"hf:{folder}")
        assert ran.returncode in {2, 3}, ran
        assert wanted in ran.stderr, ran.stderr


def check_train() -> None:
    """What needs torch and TRL is imported, and a training is planned."""
    for name in ("sft", "grpo.train", "grpo.trainer", "hf_model", "recipes"):
        importlib.import_module(f"flowreasoner_training.{name}")
    assert command("sft", "--help").returncode == 0
    planned = command("sft", "smoke", "--dry-run")
    assert "optimizer steps" in planned.stdout, planned


def check_embedded() -> None:
    """The pair that ships solves a query of its family, without torch."""
    ran = command("solve", "--random", "--quiet", "--json")
    assert ran.returncode in {0, 1}, ran
    assert json.loads(ran.stdout)["simulated"] is False
    assert importlib.util.find_spec("torch") is None


def check_benchmarks() -> None:
    """A bench runs, with a table, a picture and a page of it."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "out")
        ran = command("bench", "demo", "--first", "2", "-d", "vanilla", "-d", "cot", "-w", "sim:", "-q", "-o", str(out))
        assert ran.returncode == 0, ran
        assert "SIMULATION" in ran.stdout
        assert (out / "cost.png").is_file()
        page = Path(folder, "report.html")
        assert command("report", str(out), "-o", str(page)).returncode == 0
        assert "dagre" in page.read_text()
    assert importlib.util.find_spec("datasets") is not None


def check_bench_explained() -> None:
    """Without NumPy, a bench says what to install before it asks any model."""
    ran = command("bench", "demo", "--first", "1", "-d", "vanilla", "-w", "sim:", "-q")
    assert ran.returncode == 2, ran
    assert 'pip install "flowreasoner[benchmarks]"' in ran.stderr, ran.stderr


def check_langgraph() -> None:
    """A graph runs, and a file is written."""
    from langchain_core.language_models import FakeListChatModel

    from flowreasoner_adapters.langgraph import LangGraphBackend

    backend = LangGraphBackend(FakeListChatModel(responses=["said"]))
    app = backend.emit(Workflow.parse(SOURCE)).compile()
    assert app.invoke({"problem": "P"})["answer"] == "said"
    assert "def build" in backend.source(Workflow.parse(SOURCE))["workflow.py"]


def check_dspy() -> None:
    """A module runs, and a file is written."""
    import dspy
    from dspy.utils import DummyLM

    from flowreasoner_adapters.dspy import DSPyBackend

    backend = DSPyBackend()
    with dspy.context(lm=DummyLM([{"response": "said"}])):
        assert backend.emit(Workflow.parse(SOURCE))(problem="P").answer == "said"
    assert "class Workflow" in backend.source(Workflow.parse(SOURCE))["workflow.py"]


def check_metagpt() -> None:
    """MetaGPT's wheel is imported, and AFlow's import names are there."""
    if sys.version_info >= (3, 12):
        print("MetaGPT's wheel needs Python 3.11; not checked")
        return
    from flowreasoner_adapters.aflow import install, load_metagpt

    load_metagpt()
    install()
    module = importlib.import_module("metagpt.ext.aflow.scripts.operator")
    assert module.Custom
    assert asyncio.iscoroutinefunction(module.Custom.__call__)


CHECKS = {
    "langgraph": check_langgraph,
    "dspy": check_dspy,
    "metagpt": check_metagpt,
    "train": check_train,
    "embedded": check_embedded,
    "benchmarks": check_benchmarks,
}


def main() -> None:
    """Checks what the argument names."""
    (extra,) = sys.argv[1:]
    check_bare()
    for other in BACKENDS:
        if other != extra:
            check_explained(other)
    if extra != "train":
        check_training_explained()
    if extra == "bare":
        check_bench_explained()
    else:
        CHECKS[extra]()
    print(f"{extra}: ok")


if __name__ == "__main__":
    main()
