"""Fitting MaAS: the step of the optimizer, resuming, budgets, failures, and the designer that comes of it."""

import asyncio
import json
import math
import random
from dataclasses import replace

import maas_runs
import pytest
import torch
from agents import ADD, RIGHT
from maas_runs import QUERIES, SETTINGS, bench, worker
from processes import kill_when, start_script
from safetensors import safe_open

from flowreasoner import Budget, Query
from flowreasoner.baselines import Fittable
from flowreasoner.baselines.words import MINIATURE
from flowreasoner.designers import Designer, Workbench
from flowreasoner.errors import BudgetExceeded, ModelError, QueryError, StoreError
from flowreasoner.miniature import queries
from flowreasoner.models import FunctionModel, ModelContext, model_from_uri
from flowreasoner.sandbox import Pool
from flowreasoner.workflow import Workflow
from flowreasoner_training.baselines.maas import MaAS
from flowreasoner_training.baselines.maas.embedding import hashed_ngrams
from flowreasoner_training.baselines.maas.training import Training

FILE = "controller.safetensors"


def state(folder):
    """All tensors of a fitting, as bytes, and what its batches came to."""
    with safe_open(folder / FILE, "pt") as file:
        tensors = {name: file.get_tensor(name).numpy().tobytes() for name in file.keys()}  # noqa: SIM118
        return tensors, json.loads(file.metadata()["progress"])


async def fitted(folder, bench=None, asked=QUERIES, **more):
    return await MaAS(**{**SETTINGS, **more}).fit(asked, maas_runs.bench() if bench is None else bench, folder)


async def test_it_is_a_method_whose_designer_designs_one_architecture_for_each_query(tmp_path):
    method: Fittable = MaAS(**SETTINGS)
    told = []
    result = await method.fit(QUERIES, bench(), tmp_path, told.append)
    designer: Designer = result.designer
    assert (designer.name, result.facts["stopped"], result.facts["of"]) == ("maas", "trained", 4)
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
        workflow = Training(method, QUERIES, bench(), tmp_path / "before")
        feedback = await workflow._evaluate(index, architecture, 1)
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


async def test_it_learns_that_calls_cost(tmp_path):
    """Where every program is right, less is sampled than at first."""
    method, solver = MaAS(samples=25, cost="calls"), FunctionModel(always_right)
    before = expected_operators(Training(method, QUERIES, bench(solver), tmp_path).controller)
    after = expected_operators((await method.fit(QUERIES, bench(solver), tmp_path)).designer.controller)
    assert after < 0.75 * before


# --- resuming ---


async def test_a_failing_worker_is_an_error_and_the_fitting_goes_on_where_it_was(tmp_path):
    await fitted(tmp_path / "whole")
    whole, progress = state(tmp_path / "whole")
    steady, calls = worker(), 0

    async def failing(request):
        nonlocal calls
        calls += 1
        return ModelError("no worker") if calls > 25 else await steady.complete(request)

    with pytest.raises(ModelError, match="no worker"):
        await fitted(tmp_path / "cut", bench(FunctionModel(failing, steady.name)))
    _, cut = state(tmp_path / "cut")
    assert 0 < len(cut["batches"]) < 4
    assert cut["spent"]["model_calls"] == 25  # also what the broken batch cost
    result = await fitted(tmp_path / "cut")
    tensors, resumed = state(tmp_path / "cut")
    assert tensors == whole
    assert resumed["batches"] == progress["batches"]
    assert result.spent.model_calls > progress["spent"]["model_calls"]


@pytest.mark.timeout(240)
async def test_after_kill_9_the_same_weights_come_out(tmp_path):
    await fitted(tmp_path / "whole")
    cut = tmp_path / "cut"
    process = start_script("maas_runs.py", cut, 0.05)
    kill_when(process, (cut / FILE).exists)
    assert 1 <= len(state(cut)[1]["batches"]) < 4
    await fitted(cut)
    assert state(cut)[0] == state(tmp_path / "whole")[0]
    assert state(cut)[1]["batches"] == state(tmp_path / "whole")[1]["batches"]


async def test_a_finished_fitting_is_only_read(tmp_path):
    first = await fitted(tmp_path)
    silent = FunctionModel(lambda _: ModelError("not to be asked"), worker().name)
    second = await fitted(tmp_path, bench(silent))
    assert (second.spent, second.facts) == (first.spent, first.facts)
    for one, two in zip(first.designer.controller.parameters(), second.designer.controller.parameters(), strict=True):
        assert torch.equal(one, two)


async def test_how_slow_the_worker_is_changes_nothing(tmp_path):
    await fitted(tmp_path / "one")
    slow = worker()
    steady = slow._function

    async def uneven(request):
        for _ in range(sum(request.draw.encode()) % 7):
            await asyncio.sleep(0)
        return await steady(request)

    await fitted(tmp_path / "two", bench(FunctionModel(uneven, slow.name)))
    assert state(tmp_path / "one")[0] == state(tmp_path / "two")[0]


async def test_another_fitting_is_refused_in_the_same_folder(tmp_path):
    await fitted(tmp_path)
    for changes in ({"samples": 3}, {"words": MINIATURE}, {"embed": lambda text: hashed_ngrams(text[::-1])}):
        with pytest.raises(StoreError, match="was begun with"):
            await fitted(tmp_path, **changes)
    with pytest.raises(StoreError, match="was begun with queries"):
        await fitted(tmp_path, asked=QUERIES[:2])
    with pytest.raises(StoreError, match="was begun with seed"):
        await fitted(tmp_path, bench(seed=1))


@pytest.mark.parametrize("content", [b"", b"\xff" * 64, b"\x02\x00\x00\x00\x00\x00\x00\x00{}"])
async def test_a_damaged_state_is_said_to_be(tmp_path, content):
    await fitted(tmp_path)
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(StoreError, match=r"controller\.safetensors' is damaged"):
        await fitted(tmp_path)


async def test_damaged_settings_and_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "settings.json").write_text("{")
    with pytest.raises(StoreError, match="damaged"):
        await fitted(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot write"):
        await fitted(tmp_path / "file" / "folder")


# --- budgets and costs ---


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
