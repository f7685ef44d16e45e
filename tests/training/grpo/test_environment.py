import pytest
from fake_sandbox import FakeSandbox
from grpo_runs import WORKFLOW, queries

from flowreasoner.budget import Budget, Spending
from flowreasoner.designers import FlowReasoner, Workbench
from flowreasoner.errors import ModelError, RequestRefused
from flowreasoner.models import FunctionModel, ScriptedModel
from flowreasoner.reward import Reward
from flowreasoner_training.grpo.environment import DesignEnvironment

RIGHT = "```python\ndef f0(x):\n    return x\n```"
REWARD = Reward({"performance": 1.0, "simplicity": 0.1, "diversity": 0.1})


def bench(worker, **given):
    return Workbench(worker, worker, FakeSandbox(), **given)


def environment(worker=lambda _: RIGHT, **given):
    return DesignEnvironment(queries(1)[0], bench(FunctionModel(worker)), REWARD, 2, **given)


async def test_a_workflow_that_passes_is_rewarded_by_every_term():
    step = await environment().step(WORKFLOW.format(modification="one call"), Spending(output_tokens=40))
    assert step.valid
    assert step.terms["performance"] == 1.0
    assert step.terms["diversity"] == 1.0
    assert step.reward == pytest.approx(1.0 + 0.1 * step.terms["simplicity"] + 0.1)
    assert step.round.cost.output_tokens >= 40
    assert step.round.feedback.spent.calls == 2


async def test_the_second_round_is_told_apart_from_the_first():
    here = environment()
    first = await here.step(WORKFLOW.format(modification="one call"))
    second = await here.step(WORKFLOW.format(modification="the same again"))
    assert (first.terms["diversity"], second.terms["diversity"]) == (1.0, 0.0)
    assert first.feedback.startswith("# Feedback on round 1\n")
    assert "Design the workflow of round 3" in second.feedback


async def test_a_reply_without_a_workflow_is_a_round_that_scores_nothing():
    step = await environment().step("<think>hm</think> I would rather not.")
    assert (step.valid, step.reward) == (False, 0.0)
    assert step.terms["simplicity"] is None
    assert "the reply contains no workflow" in step.feedback


async def test_the_policy_reads_what_flowreasoner_shows_at_inference():
    replies = [WORKFLOW.format(modification="first"), "nothing", WORKFLOW.format(modification="third")]
    meta_agent = ScriptedModel(replies)
    designer = FlowReasoner(rounds=3, evaluations=2, repairs=0, early_stop=False)
    await designer.design(queries(1)[0], Workbench(meta_agent, FunctionModel(lambda _: RIGHT), FakeSandbox()))
    here = environment()
    shown = list(here.messages)
    for reply in replies[:2]:
        step = await here.step(reply)
        shown += [*step.round.turns, step.feedback]
    asked = [message.content for message in meta_agent.history[-1].messages]
    assert [getattr(message, "content", message) for message in shown] == asked


async def test_draws_depend_on_their_seed_alone():
    async def drawn(draws):
        worker = FunctionModel(lambda _: RIGHT)
        await DesignEnvironment(queries(1)[0], bench(worker), REWARD, 2, draws).step(WORKFLOW.format(modification="x"))
        return sorted(request.draw for request in worker.history)

    assert await drawn("0/s3/q1/c0") == await drawn("0/s3/q1/c0")
    assert not set(await drawn("0/s3/q1/c0")) & set(await drawn("0/s3/q1/c1"))


async def test_a_dead_worker_ends_the_step_and_is_no_score():
    with pytest.raises(ModelError, match="no route"):
        await environment(lambda _: ModelError("no route to host")).step(WORKFLOW.format(modification="x"))


async def test_a_request_that_a_working_worker_refuses_is_the_workflows_fault():
    answers = iter([RIGHT, RIGHT])
    shared = bench(FunctionModel(lambda _: next(answers, RequestRefused("too long"))), budget=Budget(calls=5))
    first = DesignEnvironment(queries(1)[0], shared, REWARD, 2)
    second = DesignEnvironment(queries(1)[0], shared, REWARD, 2)
    assert (await first.step(WORKFLOW.format(modification="x"))).round.score == 1.0
    step = await second.step(WORKFLOW.format(modification="x"))
    assert (step.valid, step.round.score) == (True, 0.0)
    assert "too long" in step.feedback
