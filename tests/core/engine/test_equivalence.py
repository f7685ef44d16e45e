"""The engine against plain sequential Python, on random well-formed workflows."""

import asyncio
from collections import Counter

import pytest
from hypothesis import HealthCheck, assume, given, settings
from programs import PROMPTS, workflows
from sequential import Oracle, run_sequentially

from flowreasoner.engine import run_workflow
from flowreasoner.errors import BudgetExceeded, WorkflowFailed
from flowreasoner.workflow import Workflow, check

_RELAXED = settings(deadline=None, suppress_health_check=list(HealthCheck))


async def _both(source: str, *, failures: float = 0.0, latency: float = 0.0):
    workflow = Workflow.parse(source, PROMPTS)
    plain, engine = Oracle(failures), Oracle(failures, latency)
    expected = await run_sequentially(workflow.source, PROMPTS, {"problem": "P a"}, plain)
    result = await run_workflow(workflow, {"problem": "P a"}, engine.perform)
    assume(not isinstance(result.error, BudgetExceeded))
    if result.error is None:
        got = ("answer", result.answer)
    elif isinstance(result.error, WorkflowFailed):
        got = ("error", str(result.error).split(": ")[1])
    else:
        got = ("error", type(result.error).__name__)
    return expected, got, plain.calls, engine.calls


@pytest.mark.slow
@settings(_RELAXED, max_examples=400)
@given(workflows())
def test_generated_workflows_pass_the_checker(source):
    report = check(source, PROMPTS)
    assert report.ok, [str(item) for item in report.diagnostics]


@pytest.mark.slow
@settings(_RELAXED, max_examples=400)
@given(workflows())
def test_parsing_what_is_printed_gives_the_same_workflow(source):
    workflow = Workflow.parse(source, PROMPTS)
    again = Workflow.parse(workflow.source, workflow.prompt_source)
    assert again == workflow
    assert again.source == workflow.source
    assert again.repairs == ()


@settings(_RELAXED, max_examples=100)
@given(workflows())
def test_engine_agrees_with_plain_python(source):
    assert_the_same(source)


@pytest.mark.slow
@pytest.mark.timeout(600)
@settings(_RELAXED, max_examples=600)
@given(workflows())
def test_engine_agrees_with_plain_python_on_many_workflows(source):
    assert_the_same(source)


def assert_the_same(source):
    expected, got, plain_calls, engine_calls = asyncio.run(_both(source))
    assert got == expected
    assert Counter(engine_calls) == Counter(plain_calls)


@pytest.mark.slow
@settings(_RELAXED, max_examples=60)
@given(workflows())
def test_timing_of_calls_changes_nothing(source):
    expected, got, plain_calls, engine_calls = asyncio.run(_both(source, latency=0.004))
    assert got == expected
    assert Counter(engine_calls) == Counter(plain_calls)


@pytest.mark.slow
@settings(_RELAXED, max_examples=400)
@given(workflows())
def test_failing_calls_lead_to_the_same_end(source):
    expected, got, plain_calls, engine_calls = asyncio.run(_both(source, failures=0.2))
    assert got[0] == expected[0]
    if got[0] == "answer":
        assert got == expected
        assert Counter(engine_calls) == Counter(plain_calls)
    else:
        # Calls that were started beside the failing one may come on top; none may be missing.
        assert not Counter(plain_calls) - Counter(engine_calls)
