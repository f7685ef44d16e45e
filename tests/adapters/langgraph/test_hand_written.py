"""Workflows written by hand: as a graph, stepwise through checkpoints and as a module they do what Python does."""

import asyncio
from collections import Counter

import pytest
from hand_written import HAND_WRITTEN
from sequential import Oracle, run_sequentially

from flowreasoner.workflow import Workflow

pytest.importorskip("langgraph")
from langgraph.checkpoint.memory import InMemorySaver
from langgraph_runs import run_langgraph, run_langgraph_source, run_langgraph_stepwise


async def stepwise(source, prompts, arguments, oracle):
    return await run_langgraph_stepwise(source, prompts, arguments, oracle, InMemorySaver())


@pytest.mark.parametrize("run", [run_langgraph, stepwise, run_langgraph_source])
@pytest.mark.parametrize("written", HAND_WRITTEN, ids=lambda written: written.name)
def test_hand_written_workflows_agree_with_plain_python(written, run):
    plain, graph = Oracle(), Oracle()
    source = Workflow.parse(written.source, written.prompts).source
    expected = asyncio.run(run_sequentially(source, written.prompts, written.arguments, plain))
    got = asyncio.run(run(written.source, written.prompts, written.arguments, graph))
    assert got == (expected[0], expected[1].replace("UnboundLocalError", "NameError"))  # the latter is its base
    assert Counter(graph.calls) == Counter(plain.calls)


def test_the_set_is_as_large_as_promised():
    assert len({written.name for written in HAND_WRITTEN}) == len(HAND_WRITTEN) >= 100
