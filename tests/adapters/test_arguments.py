"""What users hand over wrongly is named at once, with the remedy."""

import importlib

import pytest

from flowreasoner.errors import ModelRefused, QueryError
from flowreasoner.models import model_from_uri
from flowreasoner_adapters.arguments import check_design_settings, listed_tests

BACKENDS = [("langgraph", "LangGraphBackend"), ("dspy", "DSPyBackend"), ("aflow", "AFlowBackend")]


@pytest.mark.parametrize("given", ["class Workflow: ...", None, 5])
@pytest.mark.parametrize("method", ["emit", "source"])
@pytest.mark.parametrize(("module", "name"), BACKENDS)
def test_a_backend_takes_workflows_only(module, name, method, given):
    if module != "aflow":
        pytest.importorskip(module)
    backend = getattr(importlib.import_module(f"flowreasoner_adapters.{module}"), name)()
    with pytest.raises(QueryError, match=r"workflow must be a Workflow, e\.g\. Workflow\.parse\(source\), not "):
        getattr(backend, method)(given)


def test_an_unknown_setting_is_named_with_those_that_there_are():
    check_design_settings({"rounds": 3, "budget_usd": 1.0})
    with pytest.raises(QueryError, match=r"no setting 'roundz'; there are .*rounds"):
        check_design_settings({"roundz": 3})


def test_node_and_program_refuse_unknown_settings_when_they_are_made():
    pytest.importorskip("langgraph")
    from flowreasoner_adapters.langgraph import flowreasoner_node

    with pytest.raises(QueryError, match="no setting 'roundz'"):
        flowreasoner_node("sim:", roundz=3)
    pytest.importorskip("dspy")
    from flowreasoner_adapters.dspy import FlowReasonerProgram

    with pytest.raises(QueryError, match="no setting 'roundz'"):
        FlowReasonerProgram(roundz=3)


def test_one_test_may_stand_alone():
    assert listed_tests("assert f(1) == 2") == ["assert f(1) == 2"]
    assert listed_tests(None) == []
    with pytest.raises(QueryError, match="must be a list of assert statements, not int"):
        listed_tests(3)


@pytest.mark.parametrize("key", ["sk-proj-abcdef", "hf_abcdef", "x" * 60])
def test_a_key_in_the_place_of_a_model_is_not_shown(key):
    with pytest.raises(ModelRefused) as raised:
        model_from_uri(key)
    assert key not in str(raised.value)
    assert "write scheme:name" in str(raised.value)


@pytest.mark.parametrize("state", [{}, {"problem": ""}, {"question": "Q"}, {"problem": {"$fraction": "1e99999999"}}])
def test_a_graph_without_a_problem_says_so(state):
    pytest.importorskip("langgraph")
    from langchain_core.language_models import FakeListChatModel

    from flowreasoner import Workflow
    from flowreasoner_adapters.langgraph import LangGraphBackend

    source = (
        "class Workflow:\n    async def __call__(self, problem):\n"
        "        r = await self.custom(input=problem, instruction='x')\n        return r['response']\n"
    )
    app = LangGraphBackend(FakeListChatModel(responses=["said"])).emit(Workflow.parse(source)).compile()
    with pytest.raises(QueryError, match="needs a problem as text"):
        app.invoke(state)
