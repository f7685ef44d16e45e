"""Fitting within a bench: real searches, with scripted models and no sandbox."""

import re

import pytest
from agents import RIGHT
from fake_sandbox import FakeSandbox
from fittings import QUERIES, level, level_worker

from flowreasoner.baselines.aflow import AFlow
from flowreasoner.budget import Budget, Meter
from flowreasoner.comparison import Arena
from flowreasoner.errors import BudgetExceeded
from flowreasoner.models import FunctionModel
from flowreasoner_plugins.bench.contenders import Unfitted
from flowreasoner_plugins.bench.fitting import fit
from flowreasoner_plugins.bench.plan import Cell

TRAINING, TRIED = tuple(QUERIES[:3]), tuple(QUERIES[3:])
CELL = Cell("mine", "w", TRIED, {}, "0123", fit_on="own", training=TRAINING)
METHOD = AFlow(max_rounds=1, validation_rounds=1)


def unfitted():
    agent = FunctionModel(lambda request: level(3), "agent")
    return Unfitted("aflow", METHOD, lambda query, seed: agent, "mark")


def priced(usd):
    return FunctionModel(lambda request: level_worker(request, usd), "worker")


def arena(worker_for, usd=None):
    return Arena(worker_for, FakeSandbox(lambda code: code == RIGHT), meter=Meter(Budget.unlimited(usd=usd)))


async def fitted(folder, given, cell=CELL, seed=0):
    return await fit(unfitted(), cell, seed, given, folder, lambda _: None)


async def test_a_fitted_method_is_a_contender_named_after_its_seed(tmp_path):
    given = arena(lambda query, seed: priced(0.01))
    contender, told = await fitted(tmp_path, given, seed=2)
    assert re.fullmatch(r"seed-2@[0-9a-f]{8}", contender.checkpoint)
    assert (contender.name, told["seed"], told["checkpoint"]) == ("aflow", 2, contender.checkpoint)
    assert "Level 3." in contender.designer.workflow.prompt_source
    assert told["facts"]["validation_score"] == 1
    assert told["usd"] == pytest.approx(given.meter.spent.usd) == pytest.approx(0.06)  # two workflows, three queries
    assert told["model_calls"] == 6 + 1


async def test_the_checkpoint_follows_what_was_fitted_on(tmp_path):
    given = arena(lambda query, seed: priced(0))
    one, _ = await fitted(tmp_path / "a", given)
    other, _ = await fitted(tmp_path / "b", given, Cell("mine", "w", TRIED, {}, "0123", training=TRAINING[:2]))
    assert one.checkpoint != other.checkpoint


async def test_a_worker_that_knows_its_query_is_another_for_each(tmp_path):
    def worker_for(query, seed):
        def answer(request):
            assert query.problem in request.messages[-1].content
            return level_worker(request)

        return FunctionModel(answer, "worker")

    _, told = await fitted(tmp_path, arena(worker_for))
    assert told["facts"]["validation_score"] == 1


async def test_a_fitting_that_the_budget_ends_is_no_contender_and_goes_on_with_more(tmp_path):
    whole, told = await fitted(tmp_path / "whole", arena(lambda query, seed: priced(0.01)))
    with pytest.raises(BudgetExceeded):
        await fitted(tmp_path / "cut", arena(lambda query, seed: priced(0.01), usd=0.035))
    more = arena(lambda query, seed: priced(0.01), usd=1)
    contender, again = await fitted(tmp_path / "cut", more)
    assert contender.designer.workflow.prompt_source == whole.designer.workflow.prompt_source
    assert again["facts"] == told["facts"]
    assert again["usd"] >= told["usd"]  # what came to nothing was paid, too
    assert more.meter.spent.usd == pytest.approx(again["usd"])
