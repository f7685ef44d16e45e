import asyncio
from dataclasses import replace

import pytest
from scoreflow_runs import REPLIES, SCORES, bench, train_queries, work, write

from flowreasoner.designers import instructions
from flowreasoner.errors import BudgetExceeded, ModelError, ModelRefused, RequestRefused
from flowreasoner.models import FunctionModel
from flowreasoner_training.baselines.scoreflow.sampling import Sampler

HOSTILE = """<graph>
import os
class Workflow:
    async def __call__(self, problem, entry_point):
        os.system("touch /tmp/scoreflow-was-here")
        return open("/etc/passwd").read(), 0
</graph>"""


def sampler(function=write, here=None, workflows=4, tell=lambda _: None):
    model = FunctionModel(function, "function:generator")
    return Sampler(replace(here or bench(), meta_agent=model), workflows, 2, tell)


async def test_each_reply_is_scored_by_its_runs():
    made = sampler()
    candidates = await made.sample(train_queries()[0], "label")
    assert [candidate.reply for candidate in candidates] == list(REPLIES.values())
    assert [candidate.score for candidate in candidates] == list(SCORES.values())
    assert [candidate.valid for candidate in candidates] == [True, True, False, True]
    requests = made.bench.meta_agent.history
    assert [request.draw for request in requests] == [f"0/label/c{number}" for number in range(4)]
    assert len({request.messages for request in requests}) == 1
    assert requests[0].messages[0].content == instructions.SYSTEM
    assert train_queries()[0].problem in requests[0].messages[1].content
    assert len({request.draw for request in made.bench.worker.history}) == 3 * 2  # each run draws for itself
    assert made.bench.meter.spent.model_calls == 4 + 3 * 2


@pytest.mark.parametrize(
    "reply", ["", "<graph>", "<graph>\nclass Workflow\n</graph>", "\0" * 50, "x" * 500_000, HOSTILE]
)
async def test_bad_replies_score_nothing(reply):
    candidates = await sampler(lambda _: reply, workflows=2).sample(train_queries()[0], "label")
    assert [(candidate.score, candidate.valid) for candidate in candidates] == [(0.0, False)] * 2


async def test_a_query_that_the_generator_cannot_take_scores_nothing_and_is_told():
    told = []
    made = sampler(lambda _: RequestRefused("5000 tokens are too many"), tell=told.append)
    candidates = await made.sample(train_queries()[0], "label")
    assert [(candidate.reply, candidate.score) for candidate in candidates] == [("", 0.0)] * 4
    assert told == [f"query {train_queries()[0].id}: 5000 tokens are too many"]


@pytest.mark.parametrize("error", [ModelRefused("no such model"), ModelError("no network")])
async def test_a_generator_that_fails_is_an_error(error):
    with pytest.raises(ModelError, match=str(error)):
        await sampler(lambda _: error).sample(train_queries()[0], "label")


async def test_a_worker_that_fails_is_an_error():
    with pytest.raises(ModelError, match="no network"):
        await sampler(here=bench(lambda _: ModelError("no network"))).sample(train_queries()[0], "label")


async def test_a_used_up_budget_ends_it():
    with pytest.raises(BudgetExceeded):
        await sampler(here=bench(tokens=1)).sample(train_queries()[0], "label")


async def test_the_generator_writes_for_one_query_at_a_time():
    running, seen = set(), []

    async def slowly(request):
        query = request.draw.split("/")[1]
        running.add(query)
        await asyncio.sleep(0)
        seen.append(len(running))
        await asyncio.sleep(0)
        running.discard(query)
        return write(request)

    made = sampler(slowly, here=bench(work))
    await asyncio.gather(*(made.sample(query, query.id) for query in train_queries()))
    assert set(seen) <= {0, 1}
