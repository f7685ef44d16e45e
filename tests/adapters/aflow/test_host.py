"""Importing MetaGPT's wheel leaves no trace, in a process of its own each time."""

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from flowreasoner.errors import PluginError
from flowreasoner_adapters.aflow import host

needs_metagpt = pytest.mark.skipif(host.util.find_spec("metagpt") is None, reason="metagpt is not installed")


def _run(code, tmp_path, **environment):
    """Runs code in a fresh process with an empty home and working folder; returns what it printed as JSON."""
    home, work, temp = (tmp_path / name for name in ("home", "work", "temp"))
    for folder in (home, work, temp):
        folder.mkdir(exist_ok=True)
    given = {"HOME": str(home), "TMPDIR": str(temp), "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    environment = {**{k: v for k, v in os.environ.items() if not k.startswith("METAGPT")}, **given, **environment}
    command = [sys.executable, "-W", "error", "-c", textwrap.dedent(code)]
    ran = subprocess.run(command, cwd=work, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout.splitlines()[-1]), ran


def _files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@needs_metagpt
@pytest.mark.slow
def test_the_import_leaves_no_trace(tmp_path):
    told, ran = _run(
        """
        import importlib.util, json, os, sys
        import loguru
        heard = []
        loguru.logger.remove()
        sink = loguru.logger.add(heard.append)
        from flowreasoner_adapters.aflow import load_metagpt, stubs
        stubs.VENDORS = stubs.VENDORS | {"a_vendor_that_is_not_there"}
        metagpt = load_metagpt()
        loguru.logger.info("mine")
        print(json.dumps({
            "own": metagpt.own_config,
            "root": os.environ.get("METAGPT_PROJECT_ROOT"),
            "sinks": list(loguru.logger._core.handlers) == [sink],
            "heard": [str(line) for line in heard],
            "finders": [type(item).__name__ for item in sys.meta_path if type(item).__module__ == stubs.__name__],
            "stubs": [name for name, module in sys.modules.items() if type(module).__name__ == "_StubModule"],
            "absent": [name for name in stubs.VENDORS if "." not in name and importlib.util.find_spec(name) is None],
            "usable": metagpt.ActionNode.__name__ + metagpt.Role.__name__ + metagpt.Team.__name__,
        }))
        """,
        tmp_path,
    )
    assert told["own"] is False
    assert told["root"] is None
    assert told["sinks"]
    assert told["finders"] == []
    assert told["stubs"] == []
    assert "a_vendor_that_is_not_there" in told["absent"]
    assert len(told["heard"]) == 1
    assert "mine" in told["heard"][0]
    assert told["usable"] == "ActionNodeRoleTeam"
    assert ran.stderr == ""
    for folder in ("home", "work", "temp"):
        assert _files(tmp_path / folder) == [], folder


@needs_metagpt
@pytest.mark.slow
def test_a_users_own_configuration_is_theirs(tmp_path):
    config = tmp_path / "home" / ".metagpt" / "config2.yaml"
    config.parent.mkdir(parents=True)
    config.write_text("llm:\n  api_key: sk-the-users\n  model: theirs\n")
    told, _ = _run(
        """
        import json
        from flowreasoner_adapters.aflow import load_metagpt
        metagpt = load_metagpt()
        print(json.dumps([metagpt.own_config, metagpt.config.llm.model]))
        """,
        tmp_path,
    )
    assert told == [True, "theirs"]
    assert config.read_text().count("sk-the-users") == 1


@needs_metagpt
@pytest.mark.slow
def test_no_key_reaches_the_disk(tmp_path):
    told, _ = _run(
        """
        import asyncio, json, pathlib, tempfile
        from flowreasoner.models import ChatRequest
        from flowreasoner_adapters.aflow import MetaGPTModel
        from chat_server import ChatServer
        with ChatServer(lambda body: "hello") as server:
            model = MetaGPTModel(dict(api_type="openai", base_url=server.url, api_key="sk-very-secret", model="m"))
            asyncio.run(model.complete(ChatRequest.ask("hi")))
        files = [path for path in pathlib.Path(tempfile.gettempdir()).rglob("*") if path.is_file()]
        print(json.dumps([len(files), [str(path) for path in files if b"sk-very-secret" in path.read_bytes()]]))
        """,
        tmp_path,
    )
    assert told[0] >= 1  # the configuration that MetaGPT asks for, without a key
    assert told[1] == []


@needs_metagpt
@pytest.mark.slow
def test_metagpt_lives_beside_the_other_frameworks(tmp_path):
    pytest.importorskip("dspy")
    pytest.importorskip("langgraph")
    told, _ = _run(
        """
        import json, warnings
        from flowreasoner_adapters.aflow import load_metagpt
        load_metagpt()
        warnings.simplefilter("ignore")  # theirs
        import dspy, langgraph.graph
        print(json.dumps([dspy.Predict.__name__, langgraph.graph.StateGraph.__name__]))
        """,
        tmp_path,
        DSPY_CACHEDIR=str(tmp_path / "dspy"),
    )
    assert told == ["Predict", "StateGraph"]


def _without_metagpt(monkeypatch):
    monkeypatch.setattr(host, "_loaded", None)
    monkeypatch.setattr(host.util, "find_spec", lambda name: None)


def test_a_missing_metagpt_is_explained(monkeypatch):
    _without_metagpt(monkeypatch)
    monkeypatch.setattr(host.sys, "version_info", (3, 11, 7))
    with pytest.raises(PluginError) as caught:
        host.load_metagpt()
    assert 'pip install "flowreasoner[metagpt]" && pip install --no-deps metagpt==0.8.2' in str(caught.value)
    assert "source checkout" in str(caught.value)


def test_a_python_that_metagpt_does_not_support_is_explained(monkeypatch):
    _without_metagpt(monkeypatch)
    monkeypatch.setattr(host.sys, "version_info", (3, 13, 1))
    with pytest.raises(PluginError, match=r"supports Python 3\.9 to 3\.11, and this is Python 3\.13"):
        host.load_metagpt()


@needs_metagpt
def test_another_version_is_explained(monkeypatch):
    monkeypatch.setattr(host, "_loaded", None)
    monkeypatch.setattr(host.metadata, "version", lambda name: "0.7.0")
    with pytest.raises(PluginError, match=r"metagpt 0\.7\.0 is installed.*0\.8\.2"):
        host.load_metagpt()


def test_a_checkout_is_recognised_by_its_own_aflow(monkeypatch, tmp_path):
    (tmp_path / "metagpt" / "ext" / "aflow" / "scripts").mkdir(parents=True)
    spec = type("Spec", (), {"submodule_search_locations": [str(tmp_path / "metagpt")]})
    monkeypatch.setattr(host.util, "find_spec", lambda name: spec)
    assert not host.is_checkout()
    (tmp_path / "metagpt" / "ext" / "aflow" / "scripts" / "operator.py").touch()
    assert host.is_checkout()


def test_the_package_and_its_files_need_no_metagpt(tmp_path):
    told, _ = _run(
        """
        import json, sys
        sys.modules["metagpt"] = None  # as if it were not installed
        from flowreasoner.workflow import Workflow
        from flowreasoner_adapters.aflow import AFlowBackend, Optimizer, read_workspace
        workflow = Workflow.parse(
            "class Workflow:\\n    async def __call__(self, problem):\\n        return problem\\n")
        files = AFlowBackend().source(workflow)
        said = ""
        try:
            from flowreasoner_adapters.aflow import FlowReasonerRole
        except Exception as error:
            said = f"{type(error).__name__}: {error}"
        loaded = sorted(name for name in sys.modules if name.startswith("metagpt."))
        print(json.dumps([sorted(files), loaded, said]))
        """,
        tmp_path,
    )
    assert told[:2] == [["__init__.py", "graph.py", "prompt.py"], []]
    assert told[2].startswith("PluginError: ")
    assert "Python 3.11" in told[2] or "--no-deps metagpt==0.8.2" in told[2]
    assert Path(host.__file__).name == "host.py"
