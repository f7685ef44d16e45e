"""Answers are judged by the hidden tests, by the feedback tests where there are no others, and by nothing else."""

import pytest
from fake_sandbox import FakeSandbox

from flowreasoner.errors import QueryError
from flowreasoner.query import Query
from flowreasoner.sandbox import Suite
from flowreasoner_plugins.benchmarks.answers import Answer
from flowreasoner_plugins.benchmarks.verify import verify

SUITE = Suite.asserts(["assert f(1) == 1"], "f")


async def test_verdicts_come_in_the_order_of_the_answers():
    query = Query("Write f(x).", "q", "f", hidden=SUITE)
    answers = [Answer(str(number), query, code) for number, code in enumerate(["good", "bad", "good"])]
    told = []
    result = await verify("b", answers, FakeSandbox(lambda code: code == "good"), report=told.append)
    assert [(item.answer.id, item.verdict.passed) for item in told] == [("0", True), ("1", False), ("2", True)]
    assert (result.passed, [item.answer.id for item in result.failed]) == (2, ["1"])


async def test_feedback_tests_judge_where_there_are_no_others():
    query = Query("Write f(x).", "q", "f", feedback=SUITE)
    assert (await verify("b", [Answer("q", query, "code")], FakeSandbox())).passed == 1


async def test_a_query_without_tests_is_named():
    with pytest.raises(QueryError, match="query 'q' of b has no tests"):
        await verify("b", [Answer("q", Query("Write f(x).", "q", "f"), "code")], FakeSandbox())
