"""LangGraph graphs against plain sequential Python, on random well-formed workflows."""

import asyncio
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from programs import PROMPTS, workflows
from sequential import Oracle, run_sequentially

from flowreasoner.workflow import Workflow

pytest.importorskip("langgraph")
from langgraph_runs import run_langgraph

_RELAXED = settings(deadline=None, suppress_health_check=list(HealthCheck))


async def _both(source, *, failures=0.0, **compiled):
    plain, graph = Oracle(failures), Oracle(failures)
    expected = await run_sequentially(Workflow.parse(source, PROMPTS).source, PROMPTS, {"problem": "P a"}, plain)
    got = await run_langgraph(source, PROMPTS, {"problem": "P a"}, graph, **compiled)
    return expected, got, plain.calls, graph.calls


@settings(_RELAXED, max_examples=150)
@given(workflows())
def test_graphs_agree_with_plain_python(source):
    expected, got, plain_calls, graph_calls = asyncio.run(_both(source))
    assert got == expected
    assert Counter(graph_calls) == Counter(plain_calls)
