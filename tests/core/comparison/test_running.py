import asyncio

import pytest
from agents import RIGHT, WRONG, coder
from arenas import ONE, QUERIES, arena

from flowreasoner.comparison import Contender, OutcomeFile, run
from flowreasoner.designers import FixedWorkflow
from flowreasoner.errors import ModelError, ModelRefused, QueryError
from flowreasoner.models import FunctionModel


async def test_finished_attempts_are_not_repeated(tmp_path):
    contenders = [Contender(name, FixedWorkflow(ONE, rounds)) for rounds, name in enumerate(("a", "b", "c", "d"), 1)]
    file, worker = OutcomeFile(tmp_path / "o.jsonl", {}), coder(RIGHT)
    seen = []
    outcomes = await run(
        contenders, QUERIES, [0, 1], arena(worker), file, progress=lambda outcome, *counts: seen.append(counts)
    )
    assert len(outcomes) == len({outcome.key for outcome in outcomes}) == 4 * 3 * 2
    assert [outcome.contender for outcome in outcomes[::6]] == [contender.name for contender in contenders]
    assert seen == [(number, 24) for number in range(1, 25)]
    lines = file.path.read_text().splitlines(keepends=True)
    file.path.write_text("".join(lines[:20]) + lines[20][:30])
    silent = coder(RIGHT)
    again = await run(contenders, QUERIES, [0, 1], arena(silent), OutcomeFile(file.path, {}))
    assert again == outcomes
    assert 0 < len(silent.history) < len(worker.history)


async def test_queries_of_one_id_are_refused(tmp_path):
    with pytest.raises(QueryError, match="two queries have the id 'add-1'"):
        await run([], [QUERIES[0]] * 2, [0], arena(coder(RIGHT)), OutcomeFile(tmp_path / "o.jsonl", {}))


async def test_the_first_error_ends_all_and_loses_nothing(tmp_path):
    started, released = [], asyncio.Event()

    async def answer(request):
        started.append(request)
        if len(started) == 3:
            released.set()
            return ModelRefused("the endpoint is gone")
        if len(started) > 1:
            await asyncio.Event().wait()
        return f"```python\n{WRONG}\n```"

    file = OutcomeFile(tmp_path / "o.jsonl", {})
    two = [Contender(name, FixedWorkflow(ONE)) for name in ("worker", "fixed")]
    with pytest.raises(ModelRefused, match="the endpoint is gone"):
        await run(two, QUERIES, [0], arena(FunctionModel(answer)), file, concurrency=2)
    assert len(asyncio.all_tasks()) == 1
    outcomes = await run(two, QUERIES, [0], arena(coder(RIGHT)), file, concurrency=1)
    assert len(outcomes) == 6


async def test_a_few_failures_of_a_model_leave_the_other_attempts_going(tmp_path):
    asked = []

    def answer(request):
        asked.append(request)
        return ModelError("no answer in time") if len(asked) == 2 else f"```python\n{RIGHT}\n```"

    file, one = OutcomeFile(tmp_path / "o.jsonl", {}), [Contender("fixed", FixedWorkflow(ONE), run_again=False)]
    with pytest.raises(ModelError, match=r"1 of 3 attempts could not be made, the last one as no answer in time"):
        await run(one, QUERIES, [0], arena(FunctionModel(answer)), file, concurrency=1)
    assert len(file.finished()) == 2
    assert len(await run(one, QUERIES, [0], arena(FunctionModel(answer)), file)) == 3
    assert len(asked) == 4


async def test_a_model_that_only_fails_ends_the_run_soon(tmp_path):
    model = FunctionModel(lambda _: ModelError("nobody there"))
    one = [Contender("fixed", FixedWorkflow(ONE), run_again=False)]
    with pytest.raises(ModelError, match=r"^nobody there"):
        await run(one, QUERIES, range(20), arena(model), OutcomeFile(tmp_path / "o.jsonl", {}), concurrency=1)
    assert 8 <= len(model.history) <= 9  # the last one's place may be taken before the error ends all
