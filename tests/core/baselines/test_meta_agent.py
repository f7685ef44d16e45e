import pytest
from arenas import ONE
from fittings import bench, level, workflow_of

from flowreasoner.baselines.journal import FittingJournal
from flowreasoner.baselines.meta_agent import MetaAgent, as_reply
from flowreasoner.budget import Spending
from flowreasoner.errors import BudgetExceeded, ModelError, RequestRefused
from flowreasoner.models import Completion, ScriptedModel
from flowreasoner.models.base import Message

ASKED = (Message("user", "design"),)


def meta_agent(folder, *replies, usd=None):
    at = bench(ScriptedModel(replies), usd=usd, seed=7)
    journal = FittingJournal(folder, {}, at)
    return MetaAgent(at, journal), at, journal


async def test_a_reply_is_taken_apart_checked_and_kept(tmp_path):
    agent, at, _ = meta_agent(tmp_path, Completion(level(2), reasoning="Think.", usd=0.5))
    reply = await agent.ask("round 1", ASKED)
    assert reply.report.workflow == workflow_of(level(2))
    assert (reply.proposed.modification, reply.proposed.reasoning) == ("Use Level 2.", "Think.")
    assert [(item.draw, item.purpose) for item in at.meta_agent.history] == [("7/round 1", "meta-agent")]
    agent, at, journal = meta_agent(tmp_path)
    assert await agent.ask("round 1", ASKED) == reply
    assert journal.spent == Spending(model_calls=1, usd=0.5)


async def test_a_reply_without_a_workflow_is_refused_by_the_checker(tmp_path):
    agent, *_ = meta_agent(tmp_path, "I cannot.")
    report = (await agent.ask("round 1", ASKED)).report
    assert (report.workflow, [item.code for item in report.diagnostics]) == (None, ["no-graph"])


async def test_a_refused_request_is_an_empty_reply_once_others_were_answered(tmp_path):
    agent, *_ = meta_agent(tmp_path, RequestRefused("filtered"))
    with pytest.raises(RequestRefused, match="filtered"):
        await agent.ask("round 1", ASKED)
    agent, *_ = meta_agent(tmp_path, level(1), RequestRefused("filtered"))
    await agent.ask("round 1", ASKED)
    assert (await agent.ask("round 2", ASKED)).report.workflow is None


async def test_what_an_unusable_reply_cost_is_counted(tmp_path):
    spent = Spending(model_calls=1, usd=0.5)
    agent, _, journal = meta_agent(tmp_path, ModelError("nothing usable", spent))
    with pytest.raises(ModelError), journal:
        await agent.ask("round 1", ASKED)
    assert meta_agent(tmp_path)[2].spent == spent


async def test_nothing_is_asked_once_the_money_is_spent(tmp_path):
    agent, at, _ = meta_agent(tmp_path, Completion(level(1), usd=1.0), usd=1.0)
    await agent.ask("round 1", ASKED)
    with pytest.raises(BudgetExceeded):
        await agent.ask("round 2", ASKED)
    assert len(at.meta_agent.history) == 1


@pytest.mark.parametrize("workflow", [ONE, workflow_of(level(1))])
def test_a_workflow_by_hand_reads_like_a_reply(workflow):
    assert workflow_of(as_reply("By hand.", workflow)) == workflow
