"""LangGraph graphs against plain sequential Python, on random well-formed workflows."""

import asyncio
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from programs import PROMPTS, workflows
from sequential import Oracle, run_sequentially

from flowreasoner.workflow import Workflow

pytest.importorskip("langgraph")
from langgraph.checkpoint.memory import InMemorySaver
from langgraph_runs import run_langgraph, run_langgraph_source, run_langgraph_stepwise

_RELAXED = settings(deadline=None, suppress_health_check=list(HealthCheck))
_ARGUMENTS = {"problem": "P a"}


async def stepwise(source, prompts, arguments, oracle):
    return await run_langgraph_stepwise(source, prompts, arguments, oracle, InMemorySaver())


def _both(source, run, *, failures=0.0, latency=0.0):
    plain, graph = Oracle(failures), Oracle(failures, latency)
    canonical = Workflow.parse(source, PROMPTS).source
    expected = asyncio.run(run_sequentially(canonical, PROMPTS, _ARGUMENTS, plain))
    got = asyncio.run(run(source, PROMPTS, _ARGUMENTS, graph))
    return expected, got, Counter(plain.calls), Counter(graph.calls)


def _assert_the_same(source, run, **oracle):
    expected, got, plain_calls, graph_calls = _both(source, run, **oracle)
    assert got == (expected[0], expected[1].replace("UnboundLocalError", "NameError"))  # the latter is its base
    assert graph_calls == plain_calls


@pytest.mark.slow
@settings(_RELAXED, max_examples=60)
@given(workflows())
def test_graphs_agree_with_plain_python(source):
    _assert_the_same(source, run_langgraph)


@pytest.mark.slow
@pytest.mark.timeout(900)
@settings(_RELAXED, max_examples=400)
@given(workflows())
def test_many_graphs_agree_with_plain_python(source):
    _assert_the_same(source, run_langgraph)


@pytest.mark.slow
@pytest.mark.timeout(900)
@settings(_RELAXED, max_examples=300)
@given(workflows())
def test_modules_agree_with_plain_python(source):
    _assert_the_same(source, run_langgraph_source)


@pytest.mark.slow
@pytest.mark.timeout(900)
@settings(_RELAXED, max_examples=300)
@given(workflows())
def test_graphs_that_stop_before_every_node_agree_with_plain_python(source):
    _assert_the_same(source, stepwise)


@pytest.mark.slow
@pytest.mark.timeout(900)
@settings(_RELAXED, max_examples=60)
@given(workflows())
def test_timing_of_calls_changes_nothing(source):
    _assert_the_same(source, run_langgraph, latency=0.004)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("run", [run_langgraph, run_langgraph_source, stepwise])
@settings(_RELAXED, max_examples=150)
@given(source=workflows())
def test_failing_calls_lead_to_the_same_end(run, source):
    expected, got, plain_calls, graph_calls = _both(source, run, failures=0.2)
    assert got[0] == expected[0]
    if got[0] == "answer":
        assert got == expected
        assert graph_calls == plain_calls
    else:
        # Calls that were started beside the failing one may come on top; none may be missing.
        assert not plain_calls - graph_calls
