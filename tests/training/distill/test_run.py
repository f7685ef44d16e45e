import asyncio
import json
import os
import re
import subprocess
import sys

import pytest
from agents import RIGHT, one_call, proposal
from fake_sandbox import FakeSandbox
from recipes import make_recipe

from flowreasoner import Query, Suite
from flowreasoner.budget import Spending
from flowreasoner.errors import (
    ModelError,
    ModelRefused,
    QueryError,
    RequestRefused,
    SandboxError,
    StoreError,
    TrainingError,
)
from flowreasoner.models import Completion, FunctionModel
from flowreasoner.store import Store
from flowreasoner_plugins import load_plugins
from flowreasoner_training.distill import distill
from flowreasoner_training.trajectory import read_trajectories

PLUGINS = load_plugins(entry_points=False)
NEVER = proposal("        return await self.nothing(problem=problem)")


def queries(count=4):
    """Queries that differ in a word, which the scripted models react to."""
    names = ["easy", "second", "never", "dead", "long"][:count]
    feedback, hidden = (Suite.asserts([f"assert add(1, {n}) == {n + 1}"], "add") for n in (1, 99))
    return [
        Query(f"Write add(a, b) {name}.", id=name, entry_point="add", feedback=feedback, hidden=hidden)
        for name in names
    ]


def said(request):
    return "\n".join(message.content for message in request.messages)


def design(request):
    """Designs one call; where the query says `second`, the first design is bad, and where `never`, all are."""
    round_ = said(request).count("# Feedback on round") + 1
    if "never" in said(request):
        return NEVER
    good = "second" not in said(request) or round_ > 1
    return Completion(one_call(f"{'good' if good else 'bad'} {round_}"), f"Thought {round_}.", 100, 10, usd=0.01)


def work(request):
    code = RIGHT if "good" in said(request) else "def add(a, b): return 0"
    return Completion(f"```python\n{code}\n```", "", 50, 20, usd=0.001)


def models():
    return FunctionModel(design, "function:teacher"), FunctionModel(work, "function:worker")


def run(out, recipe=None, asked=None, teacher=None, worker=None, **settings):
    first, second = models()
    return asyncio.run(
        distill(
            recipe or make_recipe(),
            queries(2) if asked is None else asked,
            out,
            teacher=teacher or first,
            worker=worker or second,
            plugins=PLUGINS,
            sandbox=settings.pop("sandbox", FakeSandbox(lambda code: code == RIGHT)),
            **settings,
        )
    )


def made(out):
    return {
        path.name: path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file() and "store" not in path.name
    }


def test_the_runs_of_a_teacher_become_trajectories_a_card_and_a_dataset(tmp_path):
    seen = []
    result = run(tmp_path, report=seen.append)
    assert (result.made, result.kept, result.rejected, result.stopped) == (2, 2, {}, "done")
    easy, second = read_trajectories(result.data)
    assert (easy.id, len(easy.rounds), second.id, len(second.rounds)) == ("demo/easy/0", 1, "demo/second/0", 2)
    assert second.rounds[0].thoughts == "Thought 1."
    assert second.rounds[0].reward < second.rounds[1].reward
    assert (second.meta_agent, second.worker) == ("function:teacher", "function:worker")
    assert sorted(made(tmp_path)) == [
        "card.json",
        "card.md",
        "dataset_info.json",
        "flowreasoner.json",
        "sft.yaml",
        "trajectories.jsonl",
    ]
    assert result.cost.usd == pytest.approx(3 * 0.01 + 3 * 2 * 0.001)
    assert [(item.done, item.total) for item in seen] == [(1, 2), (2, 2)]
    assert json.loads((tmp_path / "card.json").read_text()) == result.card


def test_a_finished_run_is_not_made_again(tmp_path):
    first = run(tmp_path)
    before = made(tmp_path)
    teacher, worker = models()
    again = run(tmp_path, teacher=teacher, worker=worker)
    assert (teacher.history, worker.history) == ([], [])
    assert made(tmp_path) == before
    assert again == first


def test_the_data_does_not_depend_on_how_many_run_at_once(tmp_path):
    recipe = make_recipe(distill={"trajectories": 2, "concurrency": 1})
    run(tmp_path / "one", recipe)
    run(tmp_path / "all", make_recipe(distill={"trajectories": 2, "concurrency": 8}))
    one, both = made(tmp_path / "one"), made(tmp_path / "all")
    assert one["trajectories.jsonl"] == both["trajectories.jsonl"]
    card = {name: json.loads(files["card.json"]) for name, files in (("one", one), ("all", both))}
    for value in card.values():
        del value["settings"]["distill"]["concurrency"]
    assert card["one"] == card["all"]


def test_more_queries_and_repetitions_may_be_added_to_a_finished_run(tmp_path):
    run(tmp_path, asked=queries(1))
    teacher, worker = models()
    result = run(tmp_path, make_recipe(distill={"trajectories": 2}), queries(2), teacher, worker)
    assert result.made == 4
    assert not any("easy" in said(request) and request.draw.startswith("0/") for request in teacher.history)
    # The repetitions draw anew, but these models answer alike.
    assert (result.kept, result.rejected) == (2, {"duplicate": 2})


def test_an_outage_ends_the_run_and_resuming_asks_nothing_twice(tmp_path):
    asked = queries(5)
    whole = run(tmp_path / "whole", make_recipe(distill={"concurrency": 2}), asked)
    calls = []

    def dying(request):
        calls.append(request)
        return ModelError("cannot reach the worker; is it running?") if len(calls) > 3 else work(request)

    teacher, _ = models()
    worker = FunctionModel(dying, "function:worker")
    recipe = make_recipe(distill={"concurrency": 2})
    with pytest.raises(ModelError, match="cannot reach the worker"):
        run(tmp_path / "cut", recipe, asked, teacher, worker)
    answered = {request.key(worker.name) for request in calls[:3]}
    asked_teacher = {request.key(teacher.name) for request in teacher.history}
    teacher, worker = models()
    resumed = run(tmp_path / "cut", recipe, asked, teacher, worker)
    assert not answered & {request.key(worker.name) for request in worker.history}
    assert not asked_teacher & {request.key(teacher.name) for request in teacher.history}
    assert made(tmp_path / "cut") == made(tmp_path / "whole")
    assert resumed.kept == whole.kept


def test_one_run_that_a_model_fails_is_left_for_the_next_time(tmp_path):
    def failing(request):
        return ModelError("timed out") if "dead" in said(request) else design(request)

    teacher = FunctionModel(failing, "function:teacher")
    result = run(tmp_path, asked=queries(4), teacher=teacher)
    assert (result.made, result.total, result.stopped) == (3, 4, "unfinished")
    result = run(tmp_path, asked=queries(4))
    assert (result.made, result.stopped) == (4, "done")


def test_a_model_that_refuses_for_good_ends_the_run_at_once(tmp_path):
    teacher = FunctionModel(lambda _: ModelRefused("no such key"), "function:teacher")
    with pytest.raises(ModelRefused, match="no such key"):
        run(tmp_path, make_recipe(distill={"concurrency": 1}), queries(4), teacher)
    assert len(teacher.history) == 1


def test_runs_without_an_answer_or_with_a_refused_request_are_counted(tmp_path):
    def refusing(request):
        return RequestRefused("too long") if "dead" in said(request) else design(request)

    result = run(tmp_path, asked=queries(4), teacher=FunctionModel(refusing, "function:teacher"))
    assert (result.made, result.kept) == (4, 2)
    assert result.rejected == {"no answer": 1, "request refused": 1}
    assert result.card["counts"]["rejected"] == result.rejected


def test_the_budget_holds_for_everything_together_and_more_money_goes_on(tmp_path):
    asked = [
        Query(
            f"Write add(a, b) second {n}.",
            id=f"q{n}",
            entry_point="add",
            feedback=Suite.asserts(["assert add(1, 1) == 2"], "add"),
        )
        for n in range(6)
    ]
    whole = run(tmp_path / "whole", asked=asked)
    recipe = make_recipe(distill={"budget_usd": whole.cost.usd / 2, "concurrency": 2})
    teacher, worker = models()
    cut = run(tmp_path / "cut", recipe, asked, teacher, worker)
    assert cut.stopped == "budget"
    assert 0 < cut.made < 6
    assert cut.cost.usd <= whole.cost.usd / 2 + 2 * 0.012  # what was under way, in two runs
    paid = {request.key(teacher.name) for request in teacher.history}
    teacher, worker = models()
    again = run(tmp_path / "cut", recipe, asked, teacher, worker)
    assert (again.stopped, again.made, teacher.history, worker.history) == ("budget", cut.made, [], [])
    more = make_recipe(distill={"budget_usd": 10.0, "concurrency": 2})
    final = run(tmp_path / "cut", more, asked, teacher, worker)
    assert not paid & {request.key(teacher.name) for request in teacher.history}
    assert final.cost == whole.cost
    assert (tmp_path / "cut" / "trajectories.jsonl").read_bytes() == whole.data.read_bytes()


def test_hidden_tests_decide_and_are_in_no_text_and_no_file(tmp_path):
    class Split(FakeSandbox):
        async def grade(self, code, suite):
            self.passes = lambda _: "99" not in suite.cases[0].source
            return await super().grade(code, suite)

    seen = []

    def watch(request):
        seen.append(said(request))
        return design(request)

    recipe = make_recipe(distill={"min_score": 1.0})
    result = run(tmp_path, recipe, queries(1), FunctionModel(watch, "function:teacher"), sandbox=Split())
    assert (result.kept, result.rejected) == (0, {"fails hidden tests": 1})
    assert not any("add(1, 99)" in text for text in seen)
    assert not any(b"add(1, 99)" in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert any(b"add(1, 1)" in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


def test_a_folder_that_was_begun_with_other_settings_is_left_alone(tmp_path):
    run(tmp_path)
    before = made(tmp_path)
    with pytest.raises(TrainingError, match=r"was begun with rounds 3, not 2; give the same to go on with it, or an"):
        run(tmp_path, make_recipe(distill={"rounds": 2}))
    changed = [Query("Write add(a, b) easy, please.", id="easy", entry_point="add", feedback=queries(1)[0].feedback)]
    assert made(tmp_path) == before
    with pytest.raises(TrainingError, match="was begun with seed 0, not 1"):
        run(tmp_path, make_recipe(seed=1))
    with pytest.raises(TrainingError, match="query 'easy' has changed since"):
        run(tmp_path, asked=changed)


def test_a_broken_sandbox_ends_the_run(tmp_path):
    class Broken(FakeSandbox):
        async def grade(self, code, suite):
            raise SandboxError("the jail is gone")

    with pytest.raises(SandboxError, match="the jail is gone"):
        run(tmp_path, sandbox=Broken())


def test_two_processes_cannot_work_in_one_folder(tmp_path):
    with Store(tmp_path / "store.sqlite") as store, store.claim("distillation"):
        script = (
            "import asyncio, sys\n"
            "from pathlib import Path\n"
            "from recipes import make_recipe\n"
            "from flowreasoner.errors import StoreError\n"
            "from flowreasoner_training.distill import distill\n"
            "try:\n"
            f"    asyncio.run(distill(make_recipe(), [], Path({str(tmp_path)!r})))\n"
            "except StoreError as error:\n"
            "    print(error)\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", script],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
    assert "is in progress in another process" in done.stdout


def test_a_price_that_nobody_knows_is_refused_where_a_budget_has_to_hold(tmp_path, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    recipe = make_recipe(distill={"budget_usd": 1.0})
    with pytest.raises(ModelRefused, match="the price of openai:mine is not known, so --budget-usd cannot hold"):
        asyncio.run(distill(recipe, queries(1), tmp_path, teacher="openai:mine", worker="sim:", plugins=PLUGINS))


def test_nobody_is_interrupted_without_a_trace(tmp_path):
    """A cancelled run leaves what was finished, and goes on."""
    started = asyncio.Event()

    async def slow(request):
        if "second" in said(request):
            started.set()
            await asyncio.sleep(60)
        return design(request)

    async def main():
        task = asyncio.create_task(
            distill(
                make_recipe(),
                queries(2),
                tmp_path,
                teacher=FunctionModel(slow, "function:teacher"),
                worker=models()[1],
                plugins=PLUGINS,
                sandbox=FakeSandbox(lambda code: code == RIGHT),
            )
        )
        await started.wait()
        await asyncio.sleep(0.2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert [item.query for item in read_trajectories(tmp_path / "trajectories.jsonl")] == ["easy"]
    assert run(tmp_path).made == 2


@pytest.mark.parametrize("spent", [Spending(usd=1.0, cached_calls=3, cached_usd=0.5)])
def test_costs_do_not_tell_a_resumed_run_from_another(spent):
    from flowreasoner_training.trajectory import repeatable

    assert repeatable(spent) == Spending(usd=1.0)


def test_unwritable_folders_are_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(TrainingError, match=re.escape(f"cannot write '{tmp_path / 'file'}'")):
        run(tmp_path / "file")


def test_a_store_that_is_none_is_refused(tmp_path):
    (tmp_path / "store.sqlite").write_text("no database at all, but long enough to look like one")
    with pytest.raises(StoreError):
        run(tmp_path)


def test_a_query_without_tests_that_a_metric_cannot_judge_is_an_error(tmp_path):
    def broken(query, answer):
        raise ValueError("no idea")

    with pytest.raises(QueryError, match="the metric 'broken' raised ValueError"):
        run(tmp_path, asked=[Query("Add.", metric=broken)])
