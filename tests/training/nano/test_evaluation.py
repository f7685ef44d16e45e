import asyncio

import pytest
from agents import RIGHT, WRONG, coder
from arenas import ONE, QUERIES, agent, arena
from outcomes import an_outcome

from flowreasoner.designers import FlowReasoner
from flowreasoner.errors import ModelError, QueryError
from flowreasoner.models import FunctionModel
from flowreasoner_training.nano.contenders import Contender, FixedWorkflow, baselines, candidates, trained
from flowreasoner_training.nano.evaluation import PrintedProgress, best_candidate, run
from flowreasoner_training.nano.outcomes import OutcomeFile


async def test_finished_attempts_are_not_repeated(tmp_path):
    contenders = baselines(ONE, ONE, FlowReasoner(2, 2))
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
            return ModelError("the endpoint is gone")
        if len(started) > 1:
            await asyncio.Event().wait()
        return f"```python\n{WRONG}\n```"

    file = OutcomeFile(tmp_path / "o.jsonl", {})
    two = [Contender(name, FixedWorkflow(ONE)) for name in ("worker", "fixed")]
    with pytest.raises(ModelError, match="the endpoint is gone"):
        await run(two, QUERIES, [0], arena(FunctionModel(answer)), file, concurrency=2)
    assert len(asyncio.all_tasks()) == 1
    outcomes = await run(two, QUERIES, [0], arena(coder(RIGHT)), file, concurrency=1)
    assert len(outcomes) == 6


def test_trained_contenders_have_a_checkpoint_each():
    made = trained("grpo", {"seed 0": agent(), "seed 1": agent()}, FlowReasoner(4, 3))
    assert [(item.name, item.checkpoint) for item in made] == [("grpo", "seed 0"), ("grpo", "seed 1")]
    assert made[0].designer == FlowReasoner(4, 3)


def test_the_best_candidate_passes_most_and_costs_least():
    assert [(item.name, item.run_again) for item in candidates({"plain": ONE})] == [("candidate/plain", False)]
    outcomes = [
        an_outcome(contender=name, passed=passed, hidden=hidden, calls=calls)
        for name, passed, hidden, calls in [
            ("candidate/low", 0, 0.9, 1),
            ("candidate/dear", 1, 1, 9),
            ("candidate/cheap", 1, 1, 3),
            ("candidate/equal", 1, 1, 3),
        ]
    ]
    assert best_candidate(outcomes) == "candidate/cheap"


def test_progress_says_how_far_it_is_and_how_long_it_takes(capsys):
    progress = PrintedProgress("test", every_s=0)
    progress(an_outcome(passed=0.0), 11, 20)
    progress(an_outcome(), 12, 20)
    line = capsys.readouterr().err.splitlines()[1]
    assert line.startswith("test: 12 of 20 attempts, passed: sft 0.50; about 0.0 s left")
