import asyncio
import random
from dataclasses import replace

import pytest
from arenas import ONE
from fittings import QUERIES, bench, level, level_worker, workflow_of

from flowreasoner.baselines.journal import FittingJournal
from flowreasoner.baselines.validation import Validated, Validator, check_queries
from flowreasoner.errors import BudgetExceeded, ModelRefused, QueryError, RequestRefused
from flowreasoner.models import ScriptedModel

TWO = workflow_of(level(2))


def validator(folder, worker=level_worker, runs=1, concurrency=4, usd=None):
    at = bench(ScriptedModel([]), worker, usd=usd)
    journal = FittingJournal(folder, {}, at)
    return Validator(QUERIES, at, journal, runs=runs, concurrency=concurrency), at, journal


async def test_a_workflow_is_scored_on_every_query(tmp_path):
    validate, at, journal = validator(tmp_path, runs=3)
    validated = Validated(TWO, "m", "r", await validate(TWO, "round 1", 1))
    assert (validated.scores, validated.score) == ((1.0, 1.0, 0.0, 0.0), 0.5)
    assert [len(item.evaluations) for item in validated.feedback.values()] == [3] * 4
    assert len({request.draw for request in at.worker.history}) == 3
    assert journal.spent == sum((item.spent for item in validated.feedback.values()), start=type(journal.spent)())


@pytest.mark.parametrize("concurrency", [1, 3, 16])
async def test_no_more_queries_than_asked_for_run_at_the_same_time_and_it_changes_no_result(tmp_path, concurrency):
    running, most = 0, 0

    async def slow(request):
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(random.random() / 100)
        running -= 1
        return level_worker(request)

    validate, *_ = validator(tmp_path, slow, concurrency=concurrency)
    found = await validate(TWO, "round 1", 1)
    assert most == min(concurrency, 4)
    assert [(name, item.score) for name, item in found.items()] == [
        ("add-1", 1.0),
        ("add-2", 1.0),
        ("add-3", 0.0),
        ("add-4", 0.0),
    ]


async def test_a_failing_worker_is_an_error_and_what_was_finished_is_kept(tmp_path):
    asked = []

    def third_fails(request):
        asked.append(request)
        return ModelRefused("no credit") if len(asked) == 3 else level_worker(request)

    validate, *_ = validator(tmp_path, third_fails, concurrency=1)
    with pytest.raises(ModelRefused, match="no credit"):
        await validate(TWO, "round 1", 1)
    assert len(asked) == 3, "nothing more is asked after it"
    validate, at, _ = validator(tmp_path)
    found = await validate(TWO, "round 1", 1)
    assert len(at.worker.history) == 2
    assert [item.score for item in found.values()] == [1.0, 1.0, 0.0, 0.0]


async def test_other_keys_are_other_validations_with_draws_of_their_own(tmp_path):
    validate, at, _ = validator(tmp_path)
    await validate(TWO, "round 1", 1)
    await validate(TWO, "round 2", 2)
    assert len(at.worker.history) == 8
    assert len({request.draw for request in at.worker.history}) == 2


async def test_the_budget_of_the_fitting_ends_it(tmp_path):
    validate, _, journal = validator(tmp_path, lambda request: level_worker(request, usd=1.0), usd=2.0, concurrency=1)
    with pytest.raises(BudgetExceeded):
        await validate(TWO, "round 1", 1)
    assert journal.spent.usd == 2.0


async def test_a_request_that_a_working_worker_refuses_is_the_workflows_fault_also_after_a_resumption(tmp_path):
    def short(request):
        return RequestRefused("too long") if "Level 2" in request.messages[-1].content else level_worker(request)

    validate, *_ = validator(tmp_path, short)
    await validate(ONE, "round 1", 1)
    for _ in range(2):
        validate, *_ = validator(tmp_path, short)
        await validate(ONE, "round 1", 1)
        found = await validate(TWO, "round 2", 2)
        assert [item.evaluations[0].error for item in found.values()] == ["too long"] * 4


async def test_a_worker_that_refuses_everything_is_an_error(tmp_path):
    validate, *_ = validator(tmp_path, lambda _: RequestRefused("unsupported"))
    with pytest.raises(RequestRefused, match="unsupported"):
        await validate(TWO, "round 1", 1)


async def test_a_query_may_have_any_id(tmp_path):
    validate, _, journal = validator(tmp_path)
    validate.queries = [replace(QUERIES[0], id="attempt 1\nround 2")]
    await journal.once("round 1/attempt 1\nround 2", _nothing)
    assert [item.score for item in (await validate(TWO, "round 1", 1)).values()] == [1.0]


async def _nothing():
    return None


async def test_no_trace_is_kept(tmp_path):
    validate, _, journal = validator(tmp_path)
    found = await validate(TWO, "round 1", 1)
    assert not any(evaluation.trace for item in found.values() for evaluation in item.evaluations)
    assert "def add" in journal.path.read_text()


async def test_hidden_tests_are_neither_run_nor_kept(tmp_path):
    validate, at, journal = validator(tmp_path)
    await validate(TWO, "round 1", 1)
    assert QUERIES[0].hidden.cases[0].source == "assert add(2, 2) == 4"
    assert "add(2, 2)" not in journal.path.read_text()
    assert len(at.sandbox.graded) == 4, "once a query"


async def test_a_validated_workflow_is_a_round_of_a_conversation(tmp_path):
    validate, *_ = validator(tmp_path)
    validated = Validated(TWO, "Change it.", "the reply", await validate(TWO, "round 1", 1))
    item = validated.as_round(QUERIES[1])
    assert (item.modification, item.score, item.workflow) == ("Change it.", 1.0, TWO)
    assert [(turn.role, turn.content) for turn in item.turns] == [("assistant", "the reply")]


@pytest.mark.parametrize(
    ("queries", "said"),
    [
        ([], "no queries"),
        ([QUERIES[0], QUERIES[0]], "two queries have the id 'add-1'"),
        ([replace(QUERIES[0], feedback=None)], "neither feedback tests nor a metric"),
    ],
)
def test_queries_that_cannot_be_used_are_refused(queries, said):
    with pytest.raises(QueryError, match=said):
        check_queries(queries)
