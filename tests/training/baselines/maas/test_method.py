"""Fitting MaAS: the step of the optimizer, resuming, budgets, failures, and the designer that comes of it."""

import math
import random
from dataclasses import replace

import pytest
import torch
from agents import ADD, RIGHT
from maas_runs import QUERIES, SETTINGS, bench, fitted, state, worker

from flowreasoner import Budget, Query
from flowreasoner.baselines import Fittable
from flowreasoner.baselines.words import MINIATURE
from flowreasoner.designers import Designer, Workbench
from flowreasoner.errors import BudgetExceeded, QueryError
from flowreasoner.miniature import queries
from flowreasoner.models import FunctionModel, ModelContext, model_from_uri
from flowreasoner.sandbox import Pool
from flowreasoner.workflow import Workflow
from flowreasoner_training.baselines.maas import MaAS
from flowreasoner_training.baselines.maas.embedding import hashed_ngrams
from flowreasoner_training.baselines.maas.supernet import workflow_of
from flowreasoner_training.baselines.maas.training import Training


async def test_it_is_a_method_whose_designer_designs_one_architecture_for_each_query(tmp_path):
    method: Fittable = MaAS(**SETTINGS)
    told = []
    result = await method.fit(QUERIES, bench(), tmp_path, told.append)
    designer: Designer = result.designer
    assert (designer.name, result.facts["stopped"], result.facts["batches_to_make"]) == ("maas", "trained", 4)
    assert len(result.facts["batches"]) == len(told) == 4
    assert told[0].startswith("batch 1 of 4: score ")
    assert (result.spent.model_calls > 10, result.seconds > 0) == (True, True)
    designs = {}
    for seed in range(6):
        first, again = [await designer.design(QUERIES[0], bench(seed=seed)) for _ in range(2)]
        assert first.workflow == again.workflow
        assert len(first.rounds) == 1
        assert first.rounds[0].modification.startswith("Sampled layer by layer: ")
        designs[first.workflow.source] = first
    assert len(designs) > 1
    assert any(design.answer == RIGHT for design in designs.values())


async def test_the_published_configuration_is_the_default():
    method = MaAS()
    assert (method.samples, method.batch, method.learning_rate) == (4, 4, 0.01)
    assert (method.cost, method.cost_weight) == ("usd", 3.0)
    assert (method.layers, method.hidden, method.threshold) == (4, 32, 0.3)


async def test_a_step_is_adam_s_on_the_published_loss(tmp_path):
    """The first step of Adam moves each weight by the learning rate against the sign of its gradient."""
    method = MaAS(samples=1, batch=4, cost="usd", cost_weight=3.0)
    before = Training(method, QUERIES, bench(), tmp_path / "before").controller
    loss, means = 0.0, []
    for index, query in enumerate(QUERIES):
        vector = torch.tensor(hashed_ngrams(query.problem))
        architecture = before.sample(vector, random.Random(f"0/maas/1/{index}"))
        workflow = Workflow.parse(*workflow_of(architecture, method.words, True))
        feedback = await bench().evaluate(workflow, query, 1, 1, f"0/maas/1/{index}")
        means.append((feedback.score, feedback.spent.usd))
        loss = loss - before.log_probability(vector, architecture) * (feedback.score - 3 * feedback.spent.usd) / 3
    loss.backward()
    result = await method.fit(QUERIES, bench(), tmp_path / "after")
    after = dict(result.designer.controller.named_parameters())
    moved = 0
    for name, weight in before.named_parameters():
        if weight.grad is None:  # a layer that no architecture reached
            assert torch.equal(after[name], weight)
            continue
        large = weight.grad.abs() > 1e-5
        moved += int(large.sum())
        torch.testing.assert_close((after[name] - weight)[large], -0.01 * weight.grad[large].sign(), rtol=2e-3, atol=0)
    assert moved > 1_000
    batch = result.facts["batches"][0]
    assert batch["score"] == pytest.approx(sum(score for score, _ in means) / 3)
    assert batch["cost"] == pytest.approx(sum(usd for _, usd in means) / 3)
    assert batch["utility"] == pytest.approx(batch["score"] - 3 * batch["cost"])


def always_right(request):
    judged = {"Review": "<review_result>true</review_result>", "ScEnsemble": "<solution_letter>A</solution_letter>"}
    return judged.get(request.purpose, f"```python\n{RIGHT}\n```")


def expected_operators(controller):
    """Mean number of operators in architectures for the first query."""
    vector, roll = torch.tensor(hashed_ngrams(QUERIES[0].problem)), random.Random(9)
    made = [controller.sample(vector, roll) for _ in range(400)]
    return sum(len(layer) for architecture in made for layer in architecture) / len(made)


@pytest.mark.slow
async def test_it_learns_that_calls_cost(tmp_path):
    """Where every program is right, less is sampled than at first."""
    method, solver = MaAS(samples=25, cost="calls"), FunctionModel(always_right)
    before = expected_operators(Training(method, QUERIES, bench(solver), tmp_path).controller)
    after = expected_operators((await method.fit(QUERIES, bench(solver), tmp_path)).designer.controller)
    assert after < 0.75 * before


async def test_a_spent_budget_gives_the_controller_of_the_batches_until_then(tmp_path):
    result = await fitted(tmp_path, bench(usd=0.02), cost="usd")
    assert result.facts["stopped"] == "budget"
    assert 1 <= len(result.facts["batches"]) < 4
    assert result.spent.usd > 0.02
    kept = state(tmp_path)
    again = await fitted(tmp_path, bench(usd=0.02), cost="usd")  # the earlier session counts against the budget
    assert (again.facts, again.spent.model_calls) == (result.facts, result.spent.model_calls)
    assert state(tmp_path)[0] == kept[0]
    assert (await fitted(tmp_path, bench(usd=10), cost="usd")).facts["stopped"] == "trained"


async def test_a_budget_that_ends_before_the_first_batch_is_an_error(tmp_path):
    with pytest.raises(BudgetExceeded):
        await fitted(tmp_path, bench(usd=0.001))
    assert state(tmp_path)[1]["spent"]["usd"] > 0


async def test_a_run_over_its_own_budget_is_a_failed_sample(tmp_path):
    result = await fitted(tmp_path, bench(budget=Budget(calls=1)))
    assert {batch["score"] for batch in result.facts["batches"]} == {0.0}
    assert all(batch["cost"] == 1.0 and batch["utility"] == -3.0 for batch in result.facts["batches"])


async def test_costs_in_calls_are_a_share_of_those_that_a_run_may_make(tmp_path):
    result = await fitted(tmp_path, bench(budget=Budget(calls=32)), samples=1, batch=3)
    calls = result.facts["batches"][0]["cost"] * 32 * 3
    assert calls == pytest.approx(result.spent.calls)


async def test_what_cannot_be_weighed_or_fitted_on_is_refused(tmp_path):
    with pytest.raises(QueryError, match="price is not known"):
        await fitted(tmp_path / "1", bench(worker(usd=None)), cost="usd")
    with pytest.raises(QueryError, match="must limit its calls"):
        await fitted(tmp_path / "2", bench(budget=Budget(calls=None)))
    with pytest.raises(QueryError, match="no queries"):
        await fitted(tmp_path / "3", asked=[])
    with pytest.raises(QueryError, match="neither tests nor a metric"):
        await fitted(tmp_path / "4", asked=[Query("Add.")])
    with pytest.raises(QueryError, match="operators that are not there"):
        await fitted(tmp_path / "5", bench(operators={}))
    for setting in ("samples", "batch", "layers", "hidden", "evaluations"):
        with pytest.raises(QueryError, match=f"{setting} must be at least 1"):
            MaAS(**{setting: 0})
    with pytest.raises(QueryError, match="threshold"):
        MaAS(threshold=0.0)
    with pytest.raises(QueryError, match="cost must be usd or calls, got 'tokens'"):
        MaAS(cost="tokens")


async def test_hidden_tests_are_not_looked_at(tmp_path):
    await fitted(tmp_path / "one")
    await fitted(tmp_path / "two", asked=[replace(query, hidden=None, reference="") for query in QUERIES])
    assert state(tmp_path / "one")[0] == state(tmp_path / "two")[0]


async def test_queries_with_a_metric_are_fitted_without_tests(tmp_path):
    query = Query(ADD.problem, entry_point="add", metric=lambda query, answer: float("+" in answer))
    result = await fitted(tmp_path, asked=[query])
    design = await result.designer.design(query, bench())
    assert "Test" not in {site.operator for site in design.workflow.program.sites}


@pytest.mark.timeout(240)
@pytest.mark.slow
async def test_a_short_fitting_with_the_embedded_worker(tmp_path):
    model = model_from_uri("embedded:", ModelContext("worker"))
    method = MaAS(samples=2, batch=2, cost="calls", words=MINIATURE)
    asked = queries("train", 2, seed=5)
    async with Pool("process", workers=1) as sandbox:
        result = await method.fit(asked, Workbench(model, model, sandbox), tmp_path)
        design = await result.designer.design(asked[0], Workbench(model, model, sandbox))
    assert len(result.facts["batches"]) == 2
    assert max(batch["score"] for batch in result.facts["batches"]) > 0.5
    assert math.isclose(design.score, 1.0)
    assert isinstance(design.workflow, Workflow)
