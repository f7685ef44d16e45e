import asyncio

import pytest
from scoreflow_runs import REPLIES, Scripted, bench, killed, method, pairs_and_losses, train_queries, work, write

from flowreasoner.baselines import Fittable
from flowreasoner.errors import BudgetExceeded, ModelError, QueryError
from flowreasoner.models import FunctionModel, ScriptedModel
from flowreasoner.models.embedded import PAIR
from flowreasoner.query import Query
from flowreasoner_training.baselines.scoreflow import ScoreFlow
from flowreasoner_training.baselines.scoreflow.trainer import ScoreDPOTrainer

pytestmark = pytest.mark.slow


def fit(start, folder, here=None, **settings):
    return asyncio.run(method(start, **settings).fit(train_queries(), here or bench(), folder))


@pytest.fixture(scope="module")
def whole(tiny, tmp_path_factory):
    """Folder and result of a fitting of two iterations that nothing interrupted."""
    folder = tmp_path_factory.mktemp("whole") / "fit"
    return folder, fit(tiny, folder, iterations=2, concurrency=1)


def test_it_is_a_method_that_can_be_fitted(tiny):
    checked: Fittable = method(tiny)
    assert checked.name == "scoreflow"
    published = ScoreFlow(tiny)
    assert (published.iterations, published.workflows, published.evaluations) == (3, 8, 3)
    assert (published.pairs, published.power, published.tries) == (2000, 3, 501)
    assert (published.sampling.temperature, published.sampling.top_p, published.sampling.max_tokens) == (
        0.2,
        0.95,
        1000,
    )


def test_each_iteration_trains_on_pairs_of_its_own_samples(tiny, whole):
    folder, fitted = whole
    made = pairs_and_losses(folder)
    assert list(made) == ["iteration-1", "iteration-2"]
    for pairs, losses in made.values():
        assert len(pairs) == 4
        assert len(losses) == 2
        assert {pair["query"] for pair in pairs} <= {0, 1, 2}
        assert all(pair["chosen_score"] > pair["rejected_score"] for pair in pairs)
        assert {pair["chosen"] for pair in pairs} <= {REPLIES["c0"], REPLIES["c3"]}
    assert made["iteration-1"][0] != made["iteration-2"][0]
    assert fitted.facts["stopped"] == "iterations"
    assert fitted.facts["generator"] == "iteration-2"
    assert [facts["pairs"] for facts in fitted.facts["iterations"]] == [15, 15]  # (c0, c3) over (c1, c2), c0 over c3
    assert [facts["score"] for facts in fitted.facts["iterations"]] == [0.375, 0.375]
    assert [facts["valid"] for facts in fitted.facts["iterations"]] == [0.75, 0.75]
    # The reference is where everything began, so that the second iteration does not start at even odds.
    assert made["iteration-1"][1][0] == pytest.approx(0.693147, abs=1e-5)
    assert made["iteration-2"][1][0] < 0.69


def test_generator_and_evaluations_are_paid(whole):
    _, fitted = whole
    sampled = 2 * 3 * 4  # iterations, queries, workflows
    assert fitted.spent.model_calls == sampled + 2 * 3 * 3 * 2  # three valid workflows, two runs each
    assert fitted.seconds > 0


def test_a_finished_fitting_is_only_read(tiny, whole):
    folder, before = whole
    journal = (folder / "journal.jsonl").read_bytes()
    silent = Scripted(function=lambda _: ModelError("nobody may ask"))
    after = fit(tiny, folder, bench(ScriptedModel([], "function:worker")), iterations=2, sampling=silent)
    assert (after.facts, after.spent, after.seconds) == (before.facts, before.spent, pytest.approx(before.seconds))
    assert (folder / "journal.jsonl").read_bytes() == journal


@pytest.mark.parametrize(("lines", "finished", "trained"), [(3, 2, ()), (6, 4, ("iteration-1",))])
def test_a_killed_fitting_ends_with_the_same_pairs_and_losses(tiny, whole, tmp_path, lines, finished, trained):
    folder, before = whole
    left = killed(folder, tmp_path / "fit", lines, torn=b'{"key": "iteration 1/qu', trained=trained)
    assert (left / "journal.jsonl").read_text().count("/query ") == finished
    here = bench()
    after = fit(tiny, left, here, iterations=2)
    assert pairs_and_losses(left) == pairs_and_losses(folder)
    assert after.spent == before.spent
    assert len(here.worker.history) == (2 * 3 - finished) * 3 * 2  # what was finished is not run again


def test_a_kill_while_training_repeats_that_training_alone(tiny, whole, tmp_path, monkeypatch):
    folder, _ = whole
    steps, step = [], ScoreDPOTrainer.training_step

    def dies(self, *given, **named):
        steps.append(1)
        if len(steps) == 4:
            raise KeyboardInterrupt
        return step(self, *given, **named)

    with monkeypatch.context() as patched:
        patched.setattr(ScoreDPOTrainer, "training_step", dies)
        with pytest.raises(KeyboardInterrupt):
            fit(tiny, tmp_path / "fit", iterations=2)
    assert [path.name for path in sorted((tmp_path / "fit").glob("iteration-*"))] == ["iteration-1", "iteration-2.part"]
    fit(tiny, tmp_path / "fit", bench(ScriptedModel([], "function:worker")), iterations=2)
    assert pairs_and_losses(tmp_path / "fit") == pairs_and_losses(folder)


def test_more_iterations_go_on_in_the_same_folder_and_concurrency_changes_nothing(tiny, whole, tmp_path):
    folder, _ = whole
    opened = []
    fit(tiny, tmp_path / "fit", concurrency=8)
    fit(tiny, tmp_path / "fit", iterations=2, concurrency=8, sampling=Scripted(opened=opened))
    assert pairs_and_losses(tmp_path / "fit") == pairs_and_losses(folder)
    assert opened == [tmp_path / "fit" / "iteration-1", tmp_path / "fit" / "iteration-2"]  # who samples, who designs


def test_a_failing_worker_ends_it_with_finished_queries_kept(tiny, whole, tmp_path):
    folder, before = whole
    calls = []

    def fails(request):
        calls.append(request)
        return ModelError("the worker is gone") if "/i2/q1/" in request.draw else work(request)

    with pytest.raises(ModelError, match="the worker is gone"):
        fit(tiny, tmp_path / "fit", bench(fails), iterations=2, concurrency=1)
    kept = (tmp_path / "fit" / "journal.jsonl").read_text()
    assert kept.count("/query ") == 3 + 1
    again = fit(tiny, tmp_path / "fit", iterations=2)
    assert pairs_and_losses(tmp_path / "fit") == pairs_and_losses(folder)
    assert again.spent.model_calls >= before.spent.model_calls + 4  # the replies for the query that failed, too


def test_a_budget_that_ends_before_a_generator_is_trained_is_an_error(tiny, tmp_path):
    with pytest.raises(BudgetExceeded):
        fit(tiny, tmp_path / "fit", bench(tokens=5_000))
    assert not list((tmp_path / "fit").glob("iteration-*"))


def test_a_budget_that_ends_later_gives_the_last_generator(tiny, whole, tmp_path):
    _, before = whole
    budget = before.spent.tokens * 3 // 4
    fitted = fit(tiny, tmp_path / "fit", bench(tokens=budget), iterations=2, concurrency=1)
    assert fitted.facts["stopped"] == "budget"
    assert fitted.facts["generator"] == "iteration-1"
    assert fitted.spent.tokens >= budget
    again = fit(tiny, tmp_path / "fit", bench(tokens=budget), iterations=2)  # what was spent before counts
    assert again.facts == fitted.facts
    more = fit(tiny, tmp_path / "fit", bench(), iterations=2)
    assert more.facts["stopped"] == "iterations"


def test_bad_replies_train_nothing_and_end(tiny, tmp_path):
    fitted = fit(tiny, tmp_path / "fit", iterations=2, sampling=Scripted(function=lambda _: "no workflow"))
    assert fitted.facts["iterations"] == [{"score": 0.0, "valid": 0.0, "pairs": 0}] * 2
    assert fitted.facts["generator"] == tiny.name
    assert not list((tmp_path / "fit").glob("iteration-*"))


def test_an_iteration_without_pairs_is_passed_over(tiny, tmp_path):
    late = Scripted(function=lambda request: write(request) if "/i2/" in request.draw else "no workflow")
    fitted = fit(tiny, tmp_path / "fit", iterations=2, sampling=late)
    assert list(pairs_and_losses(tmp_path / "fit")) == ["iteration-2"]
    assert fitted.facts["generator"] == "iteration-2"


@pytest.mark.parametrize("settings", [{"pairs": 7}, {"workflows": 3}, {"sampling": Scripted(temperature=1.0)}])
def test_another_fitting_in_the_folder_is_refused(tiny, whole, settings):
    with pytest.raises(QueryError, match=f"was begun with {next(iter(settings))} "):
        fit(tiny, whole[0], **settings)
    with pytest.raises(QueryError, match="was begun with seed 0, not 1"):
        fit(tiny, whole[0], bench(seed=1))
    with pytest.raises(QueryError, match="was begun with worker "):
        fit(tiny, whole[0], bench(FunctionModel(work, "function:other")))


@pytest.mark.parametrize("name", ["iterations", "workflows", "evaluations", "pairs", "tries", "concurrency"])
def test_settings_that_make_no_sense_are_refused(tiny, name):
    with pytest.raises(QueryError, match=f"{name} must be at least 1, got 0"):
        method(tiny, **{name: 0})


def test_it_needs_queries(tiny, tmp_path):
    with pytest.raises(QueryError, match="needs training queries"):
        asyncio.run(method(tiny).fit([], bench(), tmp_path))
    with pytest.raises(QueryError, match="'bare' has neither feedback tests nor a metric"):
        asyncio.run(method(tiny).fit([Query("Do it.", "bare")], bench(), tmp_path))


def test_a_generator_of_the_embedded_runtime_is_turned_into_one_that_can_be_trained(tmp_path):
    shipped = ScoreFlow(PAIR / "meta_agent")
    ready = shipped._ready(tmp_path)
    assert (ready.generator / "model.safetensors").is_file()
    before = (ready.generator / "model.safetensors").stat().st_mtime_ns
    assert shipped._ready(tmp_path) == ready
    assert (ready.generator / "model.safetensors").stat().st_mtime_ns == before, "made once"
    assert ready._ready(tmp_path) == ready
