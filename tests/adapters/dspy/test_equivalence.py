"""DSPy programs, live and as source, against plain sequential Python, on random well-formed workflows."""

import asyncio
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from programs import PROMPTS, workflows
from sequential import Oracle, run_sequentially

from flowreasoner.workflow import Workflow

pytest.importorskip("dspy")
from dspy_runs import run_dspy, run_dspy_source

_RELAXED = settings(deadline=None, suppress_health_check=list(HealthCheck))
_ARGUMENTS = {"problem": "P a"}


async def _all(source, failures=0.0):
    """Returns what plain Python, the live module and the exported module give, and the calls of each."""
    oracles = [Oracle(failures) for _ in range(3)]
    text = Workflow.parse(source, PROMPTS).source
    ends = [
        await run_sequentially(text, PROMPTS, _ARGUMENTS, oracles[0]),
        await run_dspy(source, PROMPTS, _ARGUMENTS, oracles[1]),
        await run_dspy_source(source, PROMPTS, _ARGUMENTS, oracles[2]),
    ]
    return ends, [Counter(oracle.calls) for oracle in oracles]


@pytest.mark.slow
@settings(_RELAXED, max_examples=150)
@given(workflows())
def test_modules_make_the_calls_of_plain_python_and_give_its_answer(source):
    (plain, live, exported), (plain_calls, live_calls, exported_calls) = asyncio.run(_all(source))
    assert live == plain
    assert exported == plain
    assert live_calls == plain_calls
    assert exported_calls == plain_calls


@pytest.mark.slow
@settings(_RELAXED, max_examples=100)
@given(workflows())
def test_failing_calls_lead_to_the_same_end(source):
    (plain, live, exported), (plain_calls, live_calls, exported_calls) = asyncio.run(_all(source, failures=0.2))
    for end, calls in ((live, live_calls), (exported, exported_calls)):
        assert end[0] == plain[0]
        if end[0] == "answer":
            assert end == plain
            assert calls == plain_calls
        else:  # what was started beside the failing call may come on top
            assert not plain_calls - calls
