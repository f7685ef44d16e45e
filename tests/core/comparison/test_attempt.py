import asyncio
from dataclasses import replace

import pytest
from agents import ADD, HALF, RIGHT, WRONG, coder, one_call, proposal
from arenas import NO_ANSWER, ONE, QUERIES, agent, arena

from flowreasoner.comparison import Arena, attempt
from flowreasoner.designers import FlowReasoner
from flowreasoner.errors import QueryError, RequestRefused
from flowreasoner.models import FunctionModel
from flowreasoner.sandbox import Pool
from flowreasoner_training.nano.contenders import Contender, FixedWorkflow


async def test_a_design_is_measured():
    contender = Contender("sft", FlowReasoner(2, 1), agent(one_call("bad"), one_call("good")), "seed 0")
    worker = coder({"bad": WRONG, "good": RIGHT})
    outcome = await attempt(contender, QUERIES[1], 5, arena(worker))
    assert outcome.key == ("sft", "seed 0", "add-2", 5)
    assert (outcome.depth, outcome.passed, outcome.hidden, outcome.once, outcome.feedback) == (2, 1, 1, 1, 1)
    assert (outcome.rounds, outcome.calls, outcome.run_calls, outcome.complexity) == (2, 2, 1, 2)
    assert (outcome.run_asks, outcome.first_reward) == (1, outcome.rewards[0])
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


async def test_a_contender_never_sees_the_hidden_tests_and_its_place_is_free_while_they_judge():
    place, seen = asyncio.Semaphore(1), []

    class Designer(FixedWorkflow):
        async def design(self, query, bench):
            seen.append((query.hidden, place.locked()))
            return await super().design(query, bench)

    def passes(code):
        seen.append(("judged", place.locked()))
        return code == RIGHT

    outcome = await attempt(
        Contender("fixed", Designer(ONE), run_again=False), ADD, 0, arena(coder(RIGHT), passes), place
    )
    assert outcome.passed == 1
    assert seen == [(None, True), ("judged", True), ("judged", False)]  # feedback tests, then hidden ones


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


async def test_a_fixed_workflow_makes_all_rounds_when_told_so():
    all_rounds = Contender("fixed-repeated", FixedWorkflow(ONE, 3, early_stop=False), run_again=False)
    outcome = await attempt(all_rounds, ADD, 0, arena(coder(RIGHT)))
    assert (outcome.passed, outcome.rounds, outcome.once) == (1, 3, None)


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
