"""Files in AFlow's format on MetaGPT's wheel against plain Python and the engine, on random workflows."""

import asyncio
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from programs import PROMPTS, workflows
from sequential import Oracle, run_sequentially

pytest.importorskip("metagpt")

from aflow_runs import run_aflow

from flowreasoner.workflow import Workflow
from flowreasoner_adapters.aflow import round_source

_RELAXED = settings(deadline=None, suppress_health_check=list(HealthCheck))


def _both(source, failures=0.0):
    workflow = Workflow.parse(source, PROMPTS)
    plain, emitted = Oracle(failures), Oracle(failures)
    expected = asyncio.run(run_sequentially(workflow.source, PROMPTS, {"problem": "P a"}, plain))
    got = asyncio.run(run_aflow(source, PROMPTS, {"problem": "P a"}, emitted))
    return expected, got, plain.calls, emitted.calls


@pytest.mark.slow
@settings(_RELAXED, max_examples=150)
@given(workflows())
def test_emitted_files_do_what_plain_python_does(source):
    expected, got, plain_calls, emitted_calls = _both(source)
    assert got == expected
    assert Counter(emitted_calls) == Counter(plain_calls)


@pytest.mark.slow
@settings(_RELAXED, max_examples=50)
@given(workflows())
def test_failing_calls_lead_to_the_same_end(source):
    expected, got, plain_calls, emitted_calls = _both(source, 0.2)
    assert got == expected
    assert emitted_calls == plain_calls


@pytest.mark.slow
@settings(_RELAXED, max_examples=60)
@given(workflows())
def test_a_written_graph_reads_back_as_a_workflow_that_does_the_same(source):
    workflow = Workflow.parse(source, PROMPTS)
    for layout in ("portable", "metagpt", "aflow"):
        files = round_source(workflow, layout=layout)
        again = Workflow.parse(files["graph.py"], files["prompt.py"])
        once, twice = Oracle(), Oracle()
        expected = asyncio.run(run_sequentially(workflow.source, PROMPTS, {"problem": "P a"}, once))
        assert asyncio.run(run_sequentially(again.source, PROMPTS, {"problem": "P a"}, twice)) == expected
        assert once.calls == twice.calls
