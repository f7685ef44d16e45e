import asyncio
from dataclasses import replace

import pytest
from agents import ADD, HALF, RIGHT, WRONG, coder, one_call, proposal
from fake_sandbox import FakeSandbox
from outcomes import an_outcome

from flowreasoner import Workflow
from flowreasoner.designers import FlowReasoner
from flowreasoner.errors import ModelError, QueryError, RequestRefused
from flowreasoner.models import FunctionModel, ScriptedModel
from flowreasoner.sandbox import Pool
from flowreasoner_training.nano.contenders import Contender, FixedWorkflow, baselines, candidates, trained
from flowreasoner_training.nano.evaluation import Arena, PrintedProgress, attempt, best_candidate, run
from flowreasoner_training.nano.outcomes import OutcomeFile

ONE = Workflow.parse("""class Workflow:
    async def __call__(self, problem, entry_point):
        s = await self.custom_code_generate(problem=problem, entry_point=entry_point, instruction='Write it.')
        return s['response']
""")
NO_ANSWER = Workflow.parse("""class Workflow:
    async def __call__(self, problem):
        x = {}
        return x[problem]
""")
QUERIES = [replace(ADD, id=f"add-{number}", metadata={"depth": number}) for number in (1, 2, 3)]


def arena(worker, passes=lambda code: code == RIGHT):
    return Arena(lambda query, seed: worker, FakeSandbox(passes))


def agent(*replies):
    model = ScriptedModel(list(replies))
    return lambda query, seed: model


async def test_a_design_is_measured():
    contender = Contender("sft", FlowReasoner(2, 1), agent(one_call("bad"), one_call("good")), "seed 0")
    worker = coder({"bad": WRONG, "good": RIGHT})
    outcome = await attempt(contender, QUERIES[1], 5, arena(worker))
    assert outcome.key == ("sft", "seed 0", "add-2", 5)
    assert (outcome.depth, outcome.passed, outcome.hidden, outcome.once, outcome.feedback) == (2, 1, 1, 1, 1)
    assert (outcome.rounds, outcome.calls, outcome.run_calls, outcome.complexity) == (2, 2, 1, 2)
    assert outcome.operators == ("CustomCodeGenerate",)
    assert outcome.rewards == pytest.approx((0.1 * 12 / 14 + 0.1, 1 + 0.1 * 12 / 14))  # the second is like the first
    assert outcome.reward == pytest.approx(sum(outcome.rewards) / 2)
    assert outcome.worker_tokens > 0
    assert outcome.meta_tokens > 0


async def test_the_hidden_tests_are_those_that_count():
    only_feedback = Contender("fixed", FixedWorkflow(ONE))
    async with Pool("process", workers=1) as sandbox:
        half = Arena(lambda query, seed: coder(HALF), sandbox)
        outcome = await attempt(only_feedback, replace(ADD, hidden=ADD.feedback, feedback=ADD.hidden), 0, half)
    assert (outcome.feedback, outcome.hidden, outcome.passed) == (0.5, 0.5, 0.0)


async def test_one_further_run_owes_nothing_to_the_choice_among_answers():
    replies = iter([RIGHT, WRONG])
    worker = FunctionModel(lambda _: f"```python\n{next(replies)}\n```")
    outcome = await attempt(Contender("fixed", FixedWorkflow(ONE)), ADD, 0, arena(worker))
    assert (outcome.passed, outcome.once) == (1, 0)


async def test_a_fixed_workflow_is_run_again_until_it_is_perfect():
    replies = iter([WRONG, WRONG, RIGHT, WRONG])
    worker = FunctionModel(lambda _: f"```python\n{next(replies)}\n```")
    outcome = await attempt(Contender("fixed-repeated", FixedWorkflow(ONE, rounds=5)), ADD, 0, arena(worker))
    assert (outcome.passed, outcome.rounds, outcome.calls, outcome.meta_tokens) == (1, 3, 3, 0)


async def test_a_design_without_an_answer_is_an_outcome():
    broken = proposal("        return await self.nothing(problem=problem)")
    contender = Contender("sft", FlowReasoner(2, 1, repairs=0), agent(broken, broken))
    outcome = await attempt(contender, ADD, 0, arena(coder(RIGHT)))
    assert (outcome.passed, outcome.once, outcome.rounds, outcome.rewards) == (0, 0, 2, (0, 0))
    assert (outcome.run_calls, outcome.complexity) == (None, None)
    assert "none of the 2 rounds gave an answer" in outcome.error
    failing = await attempt(Contender("fixed", FixedWorkflow(NO_ANSWER)), ADD, 0, arena(coder(RIGHT)))
    assert "KeyError" in failing.error


async def test_a_conversation_that_outgrows_the_meta_agent_is_an_outcome():
    contender = Contender("sft", FlowReasoner(3, 1), agent(one_call(), RequestRefused("too long")))
    outcome = await attempt(contender, ADD, 0, arena(coder(WRONG)))
    assert (outcome.error, outcome.rounds, outcome.passed) == ("too long", 1, 0)


async def test_a_query_without_hidden_tests_is_refused():
    with pytest.raises(QueryError, match="'add' has no hidden tests"):
        await attempt(Contender("fixed", FixedWorkflow(ONE)), replace(ADD, hidden=None), 0, arena(coder(RIGHT)))


async def test_finished_attempts_are_not_repeated(tmp_path):
    contenders = baselines(ONE, ONE, 2, 2)
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
    made = trained("grpo", {"seed 0": agent(), "seed 1": agent()}, 4, 3)
    assert [(item.name, item.checkpoint) for item in made] == [("grpo", "seed 0"), ("grpo", "seed 1")]
    assert made[0].designer == FlowReasoner(4, 3)


def test_the_best_candidate_passes_most_and_costs_least():
    assert [item.name for item in candidates({"plain": ONE})] == ["candidate/plain"]
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
