"""Five ways to run a workflow: plain Python, the engine, LangGraph, DSPy and AFlow's files on MetaGPT's wheel.

With a worker whose replies follow from a call's arguments alone, all make the same multiset of operator calls
(operator and arguments) and return the same answer.
"""

import asyncio
from collections import Counter

import pytest
from hand_written import HAND_WRITTEN, PUBLISHED
from hypothesis import HealthCheck, given, settings
from programs import PROMPTS, workflows
from sequential import Oracle, run_sequentially

from flowreasoner.engine import run_workflow
from flowreasoner.errors import BudgetExceeded, WorkflowFailed
from flowreasoner.workflow import Workflow

pytest.importorskip("langgraph")
pytest.importorskip("dspy")
pytest.importorskip("metagpt", exc_type=ImportError)
from aflow_runs import run_aflow
from dspy_runs import run_dspy
from langgraph_runs import run_langgraph

_RELAXED = settings(deadline=None, suppress_health_check=list(HealthCheck))


async def _plain(source, prompts, arguments, oracle):
    return await run_sequentially(Workflow.parse(source, prompts).source, prompts, arguments, oracle)


async def _engine(source, prompts, arguments, oracle):
    result = await run_workflow(Workflow.parse(source, prompts), arguments, oracle.perform)
    if isinstance(result.error, BudgetExceeded):
        return "budget", ""
    if isinstance(result.error, WorkflowFailed):
        return "error", str(result.error).split(": ")[1]
    return ("error", type(result.error).__name__) if result.error else ("answer", result.answer)


WAYS = {"Python": _plain, "engine": _engine, "LangGraph": run_langgraph, "DSPy": run_dspy, "AFlow": run_aflow}


def trace(way, outcome, calls):
    """Returns one way's run as text: its outcome, and its operator calls in order."""
    return "\n".join([f"--- {way}: {outcome[0]} {outcome[1]!r}", *(f"    {call}" for call in calls)])


def assert_all_agree(source, prompts, arguments):
    """Runs a workflow in all ways; where they differ, shows all five traces."""
    outcomes, calls = {}, {}
    for way, run in WAYS.items():
        oracle = Oracle()
        kind, what = asyncio.run(run(source, prompts, arguments, oracle))
        outcomes[way] = kind, "NameError" if what == "UnboundLocalError" else what  # the engine has one of the two
        calls[way] = oracle.calls
    if "budget" in {kind for kind, _ in outcomes.values()}:
        return
    same = all(outcomes[way] == outcomes["Python"] and Counter(calls[way]) == Counter(calls["Python"]) for way in WAYS)
    assert same, "\n".join([source, *(trace(way, outcomes[way], calls[way]) for way in WAYS)])


@pytest.mark.slow
@settings(_RELAXED, max_examples=40)
@given(workflows())
def test_all_ways_agree_on_random_workflows(source):
    assert_all_agree(source, PROMPTS, {"problem": "P a"})


@pytest.mark.slow
@pytest.mark.timeout(900)
@settings(_RELAXED, max_examples=320)
@given(workflows())
def test_all_ways_agree_on_many_random_workflows(source):
    assert_all_agree(source, PROMPTS, {"problem": "P a"})


@pytest.mark.parametrize("written", HAND_WRITTEN, ids=lambda written: written.name)
def test_all_ways_agree_on_workflows_written_by_hand(written):
    assert_all_agree(written.source, written.prompts, written.arguments)


def test_there_are_enough_workflows_in_the_styles_that_are_published():
    assert len(PUBLISHED) >= 40


def test_a_difference_shows_all_five_traces(monkeypatch):
    async def wrong(*_):
        return "answer", "something else"

    monkeypatch.setitem(WAYS, "DSPy", wrong)
    source = "class Workflow:\n    async def __call__(self, problem):\n        return problem\n"
    with pytest.raises(AssertionError) as raised:
        assert_all_agree(source, {}, {"problem": "P"})
    assert all(f"--- {way}:" in str(raised.value) for way in WAYS)
