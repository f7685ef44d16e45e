"""The operators that AFlow's files import, where MetaGPT has none of its own."""

import contextlib
import importlib
import sys

import pytest
from chat_server import ChatServer

pytest.importorskip("metagpt")

from aflow_runs import llm_config, written_graph

from flowreasoner.errors import OperatorError
from flowreasoner.operators import BUILTIN
from flowreasoner.sandbox import Suite
from flowreasoner.workflow import Workflow
from flowreasoner_adapters.aflow import install, operators, operators_use, round_source
from flowreasoner_adapters.aflow.llm import make_llm

HOSTILE = "__import__('pathlib').Path('pwned').touch() or ['a', {'b': 1}]"
ADD = "```python\ndef add(a, b):\n    return a + b\n```"
CALLS = {
    "Custom": {"input": "i", "instruction": "do: "},
    "CustomCodeGenerate": {"problem": "p", "entry_point": "add", "instruction": "i"},
    "Format": {"problem": "p", "solution": "s"},
    "ScEnsemble": {"solutions": ["a", "b"], "problem": "p"},
    "Review": {"problem": "p", "solution": "s"},
    "Revise": {"problem": "p", "solution": "s", "feedback": "f"},
    "Test": {"problem": "p", "solution": "def add(a, b):\n    return a - b", "entry_point": "add"},
    "Programmer": {"problem": "p"},
    "AnswerGenerate": {"input": "q"},
    "MdEnsemble": {"solutions": ["a", "b"], "problem": "p"},
}
TESTS = {"add": Suite.asserts(["assert add(1, 2) == 3"], "add")}


def _answer(body):
    asked = body["messages"][-1]["content"]
    if "<solution_letter>" in asked:
        return "<thought>t</thought><solution_letter>B</solution_letter>"
    if "<review_result>" in asked:
        return "<review_result>false</review_result><feedback>shorter</feedback>"
    if "<thought>" in asked:
        return "<thought>t</thought><answer>42</answer>"
    if "solve()" in asked:
        return "```python\ndef solve():\n    return 6 * 7\n```"
    return ADD if "code block" in asked else "a text"


async def test_every_operator_gives_aflows_keys():
    with ChatServer(_answer) as server, operators_use(tests=TESTS):
        llm = make_llm(llm_config(server.url))
        for name, inputs in CALLS.items():
            outputs = await getattr(operators, name)(llm)(**inputs)
            assert set(outputs) == set(BUILTIN[name].output_names), name
            if name == "ScEnsemble":
                assert outputs["response"] == "b"
            elif name == "Test":
                assert outputs == {"result": True, "solution": "def add(a, b):\n    return a + b"}
            elif name == "Programmer":
                assert outputs["output"] == "42"
            elif name == "Review":
                assert outputs["review_result"] is False
        assert llm.cost_manager.total_prompt_tokens == 100 * len(server.requests)


async def test_no_reply_is_ever_evaluated(monkeypatch, tmp_path):
    """MetaGPT's `ActionNode.xml_fill` evaluates fields of lists and dictionaries."""
    monkeypatch.chdir(tmp_path)
    seen = []
    node = importlib.import_module("metagpt.actions.action_node")
    monkeypatch.setattr(node, "eval", lambda text: seen.append(text), raising=False)
    tags = ("solution_letter", "review_result", "feedback", "thought", "answer", "solution", "response", "code")

    def hostile(body):
        return "".join(f"<{tag}>{HOSTILE}</{tag}>" for tag in tags)

    with ChatServer(hostile) as server, operators_use(tests=TESTS):
        llm = make_llm(llm_config(server.url))
        for name, inputs in CALLS.items():
            with contextlib.suppress(OperatorError):  # a reply that says nothing
                await getattr(operators, name)(llm)(**inputs)
    assert len(server.requests) >= len(CALLS)
    assert seen == []
    assert list(tmp_path.iterdir()) == []


async def test_arguments_are_aflows_by_position_and_name():
    seen = []

    async def note(operator, inputs):
        seen.append((operator.name, inputs))
        return {}

    with operators_use(perform=note):
        await operators.Custom(None)("i", "do: ")
        await operators.Test(None, "Test")("p", "s", "add", 2)
        await operators.Review(None)("p", "s", mode="xml_fill")
        with pytest.raises(TypeError, match="Custom got an unknown argument 'inputs'"):
            await operators.Custom(None)(inputs="i", instruction="do: ")
        with pytest.raises(TypeError, match="Revise takes 3 arguments, got 4"):
            await operators.Revise(None)(1, 2, 3, 4)
    assert seen == [
        ("Custom", {"input": "i", "instruction": "do: "}),
        ("Test", {"problem": "p", "solution": "s", "entry_point": "add", "test_loop": 2}),
        ("Review", {"problem": "p", "solution": "s"}),
    ]


async def test_public_tests_come_from_aflows_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "data" / "datasets"
    folder.mkdir(parents=True)
    lines = ['{"entry_point": "add", "test": ["assert candidate(1, 2) == 3", "assert candidate([1"]}']
    (folder / "humaneval_public_test.jsonl").write_text("\n".join(lines))
    good = "def add(a, b):\n    return a + b"
    assert await operators.Test(make_llm(llm_config()))("p", good, "add") == {"result": True, "solution": good}


def test_aflows_names_are_there_only_where_metagpt_lacks_them(monkeypatch):
    assert install() == "flowreasoner"
    assert importlib.import_module("metagpt.ext.aflow.scripts.operator").Custom is operators.Custom
    assert importlib.import_module("metagpt.ext.aflow.scripts.evaluator").DatasetType
    optimizer = importlib.import_module("metagpt.ext.aflow.scripts.optimizer")
    assert optimizer.Optimizer.__module__ == "flowreasoner_adapters.aflow.optimizer"
    before = dict(sys.modules)
    monkeypatch.setattr(operators, "is_checkout", lambda: True)
    assert install() == "metagpt"
    assert sys.modules == before


async def test_a_published_graph_runs_as_it_is():
    """The imports and the class as MetaGPT's optimizer writes them."""
    published = """\
from typing import Literal
import metagpt.ext.aflow.scripts.operator as operator
from . import prompt as prompt_custom
from metagpt.provider.llm_provider_registry import create_llm_instance
from metagpt.utils.cost_manager import CostManager
from metagpt.ext.aflow.scripts.evaluator import DatasetType

class Workflow:
    def __init__(self, name: str, llm_config, dataset: DatasetType) -> None:
        self.name = name
        self.dataset = dataset
        self.llm = create_llm_instance(llm_config)
        self.llm.cost_manager = CostManager()
        self.custom = operator.Custom(self.llm)

    async def __call__(self, problem: str):
        solution = await self.custom(input=problem, instruction=prompt_custom.SOLVE)
        return solution['response'], self.llm.cost_manager.total_cost
"""
    install()
    with ChatServer(_answer) as server:
        files = {"graph.py": published, "prompt.py": "SOLVE = 'Solve it: '"}
        with written_graph(files, llm_config(server.url)) as graph:
            answer, cost = await graph("1 + 1")
    assert answer == "a text"
    assert cost > 0
    assert server.requests[0]["messages"][-1]["content"].startswith("Solve it:")


async def test_each_instance_counts_its_own_cost():
    source = (
        "class Workflow:\n    async def __call__(self, problem):\n"
        "        a = await self.custom(input=problem, instruction='')\n        return a['response']\n"
    )
    install()
    with ChatServer(_answer) as server:
        config = llm_config(server.url)
        for uses in ("aflow", "flowreasoner"):
            costs = []
            for _ in range(2):
                with written_graph(round_source(Workflow.parse(source), operators=uses), config) as graph:
                    costs.append((await graph("p"))[1])
            assert costs[0] == costs[1] > 0
