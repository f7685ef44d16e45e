"""The backend: what it takes, and one clear error for each thing that it cannot take."""

import subprocess
import sys
from importlib import metadata

import pytest

pytest.importorskip("langgraph")
from fake_chat import FakeChat, workflow_of

from flowreasoner.errors import ModelError, PluginError, WorkflowInvalid
from flowreasoner_adapters.langgraph import LangGraphBackend

ONE = "a = await self.custom(input=problem, instruction='x')\nreturn a['response']"


def test_a_graph_without_a_model_says_so_when_it_runs():
    app = LangGraphBackend().emit(workflow_of(ONE)).compile()
    with pytest.raises(ModelError, match=r"the graph has no model: pass one, e\.g\. LangGraphBackend\(init_chat_model"):
        app.invoke({"problem": "p"})


def test_no_workflow_catches_that_there_is_no_model():
    body = "try:\n    a = await self.custom(input=problem, instruction='x')\n    return a['response']\n"
    body += "except Exception:\n    return 'caught'"
    with pytest.raises(ModelError):
        LangGraphBackend().emit(workflow_of(body)).compile().invoke({"problem": "p"})


@pytest.mark.parametrize("model", ["openai:gpt-4o", object(), lambda text: text, 7])
def test_a_model_of_the_wrong_kind(model):
    with pytest.raises(ModelError, match=r"must be a LangChain chat model, e\.g\. init_chat_model.*not"):
        LangGraphBackend(model)


def test_a_runnable_around_a_chat_model_will_do():
    model = FakeChat(raises={"x": [ConnectionError("reset")]})
    app = LangGraphBackend(model.with_retry(stop_after_attempt=2, wait_exponential_jitter=False)).emit(workflow_of(ONE))
    assert app.compile().invoke({"problem": "p"})["answer"] == "<x p>"


@pytest.mark.parametrize("version", ["0.6.9", "1.0.4", "2.0.0", "2.1.0rc1"])
def test_an_unsupported_version(version, monkeypatch):
    monkeypatch.setattr(metadata, "version", lambda name: version)
    expected = rf'langgraph {version} is installed, .*>=1\.1,<2\.0.*pip install "flowreasoner\[langgraph\]"'
    with pytest.raises(PluginError, match=expected):
        LangGraphBackend(FakeChat())


@pytest.mark.parametrize("version", ["1.1.0", "1.2.22", "1.9.0rc1", "1.10"])
def test_supported_versions(version, monkeypatch):
    monkeypatch.setattr(metadata, "version", lambda name: version)
    assert LangGraphBackend(FakeChat()).name == "langgraph"


def test_a_missing_installation(monkeypatch):
    def missing(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", missing)
    with pytest.raises(PluginError, match=r'langgraph is not installed, .*pip install "flowreasoner\[langgraph\]"'):
        LangGraphBackend(FakeChat())
    import flowreasoner_adapters.langgraph as adapter

    with pytest.raises(PluginError, match="langgraph is not installed"):
        _ = adapter.Steps


def test_the_adapter_is_imported_without_its_framework():
    code = "import flowreasoner_adapters.langgraph, sys\n"
    code += "print([name for name in sys.modules if name.startswith(('langgraph', 'langchain'))])"
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:0] = {sys.path!r}\n{code}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"


def test_what_the_adapter_does_not_have():
    import flowreasoner_adapters.langgraph as adapter

    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = adapter.nothing


@pytest.mark.parametrize("what", ["emit", "source"])
def test_a_workflow_that_no_graph_can_express_fails_when_it_is_emitted(what):
    body = "text = await self.again(problem)\nreturn text"
    helper = "async def again(self, text):\n    a = await self.custom(input=text, instruction='x')\n"
    helper += "    if a['response']:\n        return a['response']\n    return await self.again(text)"
    with pytest.raises(WorkflowInvalid, match=r"line \d+: self\.again calls itself.*write it as a loop"):
        getattr(LangGraphBackend(FakeChat()), what)(workflow_of(body, helper))


def test_a_fault_of_the_workflow_does_not_show_the_model():
    model = FakeChat(metadata={"api_key": "sk-secret"})
    app = LangGraphBackend(model).emit(
        workflow_of("a = await self.custom(input=problem, instruction='x')\nreturn a[1]")
    )
    with pytest.raises(KeyError) as raised:
        app.compile().invoke({"problem": "p"})
    assert "sk-secret" not in str(raised.value) + "".join(getattr(raised.value, "__notes__", []))
