"""The optimizer: AFlow's arguments, files and modes, and none of its faults."""

import asyncio
import csv
import inspect
import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from chat_server import ChatServer, Fault

from flowreasoner import Query, Suite
from flowreasoner.errors import ModelError, ModelRefused, QueryError, StoreError
from flowreasoner.models import FunctionModel, ScriptedModel
from flowreasoner.store import Store
from flowreasoner_adapters.aflow import Optimizer, read_workspace
from flowreasoner_adapters.aflow.proposals import ATTEMPTS

OPERATORS = ["Custom", "CustomCodeGenerate", "ScEnsemble", "Test"]


def make_query(number):
    name = f"add{number}"
    return Query(
        f"Write {name}(a, b), which adds.",
        f"q{number}",
        name,
        feedback=Suite.asserts([f"assert {name}(0, 0) == 0"], name),
        hidden=Suite.asserts([f"assert {name}(1, 2) == 3"], name),
        reference=f"def {name}(a, b):\n    return a + b",
    )


QUERIES = [make_query(number) for number in range(6)]


def graph(
    note,
    body="s = await self.custom_code_generate(problem=problem, entry_point=entry_point, instruction=prompt_custom.P)",
):
    return (
        f"<modification>{note}</modification>\n<graph>\nclass Workflow:\n"
        "    async def __call__(self, problem, entry_point):\n"
        f"        {body}\n        return s['response']\n</graph>\n<prompt>\nP = 'do {note}: '\n</prompt>"
    )


class Meta(FunctionModel):
    """Proposes numbered changes."""

    def __init__(self, replies=None):
        self.replies = iter(replies) if replies else None
        super().__init__(self._reply, "meta")

    def _reply(self, request):
        return next(self.replies) if self.replies else graph(f"change {len(self.history)}")


def right(request):
    text = request.messages[-1].content
    name = next(query.entry_point for query in QUERIES if f"`{query.entry_point}`" in text)
    return f"```python\ndef {name}(a, b):\n    return a + b\n```"


def make(tmp_path, meta=None, worker=None, **more):
    given = {
        "optimized_path": tmp_path / "workspace",
        "max_rounds": 2,
        "validation_rounds": 2,
        "sandbox": "process",
        "validation": QUERIES[:3],
        "test": QUERIES[3:5],
        **more,
    }
    worker = FunctionModel(right, "worker") if worker is None else worker
    return Optimizer("HumanEval", "code", meta or Meta(), worker, OPERATORS, 4, **given)


def test_the_arguments_are_aflows_in_aflows_order():
    names = list(inspect.signature(Optimizer).parameters)
    assert names[:11] == [
        "dataset",
        "question_type",
        "opt_llm_config",
        "exec_llm_config",
        "operators",
        "sample",
        "check_convergence",
        "optimized_path",
        "initial_round",
        "max_rounds",
        "validation_rounds",
    ]
    defaults = {item.name: item.default for item in inspect.signature(Optimizer).parameters.values()}
    assert [defaults[name] for name in names[6:11]] == [False, None, 1, 20, 5]


def test_a_task_is_optimised_into_aflows_files(tmp_path):
    optimizer = make(tmp_path)
    assert optimizer.optimize("Graph") is None
    folder = tmp_path / "workspace" / "HumanEval" / "workflows"
    for number in (1, 2, 3):
        assert {"graph.py", "prompt.py", "__init__.py", "log.json"} <= {
            item.name for item in (folder / f"round_{number}").iterdir()
        }
        assert len(list((folder / f"round_{number}").glob("1.00000_*.csv"))) == 2
    rows = json.loads((folder / "results.json").read_text())
    assert [row["round"] for row in rows] == [1, 1, 2, 2, 3, 3]
    assert all(set(row) == {"round", "score", "avg_cost", "total_cost", "time"} for row in rows)
    experience = json.loads((folder / "round_3" / "experience.json").read_text())
    assert experience["father node"] in (1, 2)
    assert (experience["after"], experience["succeed"]) == (1.0, False)
    assert (folder / "processed_experience.json").exists()
    assert set(json.loads((folder / "template" / "operator.json").read_text())) == set(OPERATORS)
    space = read_workspace(folder)
    assert space.problems == ()
    assert len(space.rounds) == 3
    with next((folder / "round_1").glob("*.csv")).open() as file:
        assert next(csv.reader(file)) == ["inputs", "prediction", "expected_output", "score", "cost"]


def test_the_best_round_is_scored_on_the_test_data_alone(tmp_path):
    worker = FunctionModel(right, "worker")
    optimizer = make(tmp_path, worker=worker, test_runs=2)
    optimizer.optimize("Graph")
    asked = len(worker.history)
    assert not any("add3" in request.messages[-1].content for request in worker.history)
    optimizer.optimize("Test")
    folder = tmp_path / "workspace" / "HumanEval" / "workflows_test"
    assert [row["score"] for row in json.loads((folder / "results.json").read_text())] == [1.0, 1.0]
    assert len(worker.history) - asked == 4
    assert all(
        "add3" in item.messages[-1].content or "add4" in item.messages[-1].content for item in worker.history[asked:]
    )
    optimizer.optimize("Test")
    assert len(worker.history) - asked == 4  # nothing is done twice


def test_a_killed_search_goes_on_without_repeating_a_round(tmp_path):
    """The worker's server is gone in the middle of a round; a new object goes on."""
    calls = []

    def flaky(request):
        calls.append(request)
        return ModelError("gone") if len(calls) > 10 else right(request)

    with pytest.raises(ModelError, match="gone"):
        make(tmp_path, worker=FunctionModel(flaky, "worker"), concurrency=1).optimize("Graph")
    folder = tmp_path / "workspace" / "HumanEval" / "workflows"
    before = json.loads((folder / "results.json").read_text())
    assert [row["round"] for row in before] == [1, 1, 2]  # the second evaluation of round 2 was cut off
    graph_before = (folder / "round_2" / "graph.py").read_text()
    meta, worker = Meta([graph("another")]), FunctionModel(right, "worker")
    make(tmp_path, meta, worker).optimize("Graph")
    after = json.loads((folder / "results.json").read_text())
    assert after[:3] == before
    assert [row["round"] for row in after] == [1, 1, 2, 2, 3, 3]
    assert (folder / "round_2" / "graph.py").read_text() == graph_before
    assert len(meta.history) == 1
    assert len(worker.history) == 3 + 6
    make(tmp_path, Meta([]), FunctionModel(lambda request: ModelError("asked again"))).optimize("Graph")


def test_a_store_makes_an_unfinished_evaluation_free(tmp_path):
    calls = []

    def flaky(request):
        calls.append(request)
        return ModelError("gone") if len(calls) > 5 else right(request)

    with Store(tmp_path / "store.sqlite") as store:
        with pytest.raises(ModelError):
            make(tmp_path, worker=FunctionModel(flaky, "worker"), concurrency=1, store=store).optimize("Graph")
        worker = FunctionModel(right, "worker")
        make(tmp_path, worker=worker, store=store).optimize("Graph")
    assert len(worker.history) == 18 - 5


def test_costs_are_each_rows_own(tmp_path):
    from flowreasoner.models import Completion

    priced = FunctionModel(lambda request: Completion(right(request), input_tokens=1, output_tokens=1, usd=0.25))
    optimizer = make(tmp_path, worker=priced)
    optimizer.optimize("Graph")
    space = optimizer.workspace()
    for row in space.rounds[0].evaluations[0].rows:
        assert float(row["cost"]) == 0.25
    assert [(row.avg_cost, row.total_cost) for row in space.results] == [(0.25, 0.75)] * 6
    assert optimizer.spent.usd == pytest.approx(18 * 0.25)


def test_every_round_runs_its_own_graph(tmp_path):
    """AFlow imports modules by name, and runs what it imported first."""
    for folder in ("one", "two"):
        worker = FunctionModel(right, "worker")
        make(tmp_path / folder, Meta([graph(f"{folder} 2"), graph(f"{folder} 3")]), worker).optimize("Graph")
        said = [request.messages[-1].content for request in worker.history]
        assert [sum(f"do {folder} {number}: " in text for text in said) for number in (2, 3)] == [6, 6]
        assert not any("do one" in text for text in said) or folder == "one"


def test_repeated_and_broken_proposals_are_asked_for_a_bounded_number_of_times(tmp_path):
    broken = graph("broken", "s = await self.nothing(problem=problem)")
    meta = Meta([graph("first"), *[broken] * ATTEMPTS, *[graph("first")] * ATTEMPTS])
    optimizer = make(tmp_path, meta, max_rounds=3)
    optimizer.sample = 1  # only round 1 is built on
    optimizer.optimize("Graph")
    assert len(meta.history) == 1 + 2 * ATTEMPTS
    space = optimizer.workspace()
    assert space.scores == {1: 1.0, 2: 1.0, 3: 0.0, 4: 0.0}
    refused = (space.rounds[2].path / "graph.py").read_text()
    assert all(line.startswith("#") for line in refused.splitlines())
    assert "self.nothing" in refused
    assert "tried before" in meta.history[-1].messages[-1].content
    again = make(tmp_path, Meta([]), max_rounds=3)
    again.optimize("Graph")
    assert again.workspace().results == space.results


def test_a_failing_workflow_scores_zero_and_is_not_built_on_blindly(tmp_path):
    meta = Meta([graph("fails", "s = {}"), graph("works")])
    optimizer = make(tmp_path, meta)
    optimizer.optimize("Graph")
    space = optimizer.workspace()
    assert space.scores[2] == 0.0
    assert space.rounds[1].log[0]["model_output"].startswith("line")
    assert space.rounds[1].experience.succeed is False


def test_neither_test_problems_nor_reference_programs_reach_the_meta_agent(tmp_path):
    meta = Meta()
    make(tmp_path, meta, FunctionModel(lambda request: "```python\nx = 1\n```", "worker")).optimize("Graph")
    said = "\n".join(message.content for request in meta.history for message in request.messages)
    assert "add0" in said or "add1" in said or "add2" in said
    assert "add3" not in said
    assert "return a + b" not in said


def test_results_that_cannot_be_read_are_not_overwritten(tmp_path):
    make(tmp_path, max_rounds=1).optimize("Graph")
    path = tmp_path / "workspace" / "HumanEval" / "workflows" / "results.json"
    path.write_text(path.read_text()[:-20])
    broken = path.read_text()
    with pytest.raises(StoreError, match="mend it or remove it"):
        make(tmp_path, max_rounds=2).optimize("Graph")
    assert path.read_text() == broken


def test_convergence_ends_the_search(tmp_path):
    optimizer = make(tmp_path, max_rounds=20, validation_rounds=1, check_convergence=True, validation=QUERIES[:1])
    optimizer.optimize("Graph")
    assert len(optimizer.workspace().rounds) == 6


def test_queries_without_public_tests_pass_the_test_operator_and_are_scored(tmp_path):
    from dataclasses import replace

    body = (
        "s = await self.custom_code_generate(problem=problem, entry_point=entry_point, instruction=prompt_custom.P)\n"
        "        t = await self.test(problem=problem, solution=s['response'], entry_point=entry_point)\n"
        "        s = {'response': t['solution']}"
    )
    bare = [replace(query, feedback=None) for query in QUERIES[:2]]
    optimizer = make(tmp_path, Meta([graph("test", body)]), max_rounds=1, validation=bare)
    optimizer.optimize("Graph")
    assert optimizer.workspace().scores == {1: 1.0, 2: 1.0}


# --- a workflow per query --------------------------------------------------------------------------------


def test_each_query_gets_its_own_workflow_and_folder(tmp_path):
    def meta(request):
        name = next(query.entry_point for query in QUERIES if query.entry_point in request.messages[1].content)
        return graph(f"for {name}")

    worker = FunctionModel(right, "worker")
    optimizer = make(tmp_path, FunctionModel(meta, "meta"), worker, mode="query", test_runs=1)
    optimizer.optimize("Graph")
    optimizer.optimize("Test")
    root = tmp_path / "workspace" / "HumanEval"
    folders = sorted((root / "queries").iterdir())
    assert [folder.name.split("-")[0] for folder in folders] == ["q3", "q4"]
    for folder, name in zip(folders, ("add3", "add4"), strict=True):
        space = read_workspace(folder)
        assert space.problems == ()
        assert space.best.workflow.prompts == {"P": f"do for {name}: "}
        assert {item.name for item in space.best.path.iterdir()} >= {"graph.py", "prompt.py", "log.json"}
        assert read_workspace(folder / "workflows_test").scores == {1: 1.0}
    designs = json.loads((root / "designs.json").read_text())
    assert [(item["query"], item["score"], item["hidden_score"]) for item in designs] == [
        ("q3", 1.0, 1.0),
        ("q4", 1.0, 1.0),
    ]
    assert all(f"do for add{number}: " in "".join(r.messages[-1].content for r in worker.history) for number in (3, 4))


def test_a_killed_design_goes_on(tmp_path):
    wrong = FunctionModel(lambda request: "```python\ndef add3(a, b):\n    return 1\n```", "worker")
    given = {"mode": "query", "max_rounds": 3, "test": QUERIES[3:4]}
    killed = make(tmp_path, ScriptedModel([graph("one")]), wrong, **given)
    with pytest.raises(ModelError, match="script has"):
        killed.optimize("Graph")
    meta = Meta([graph("two"), graph("three")])
    make(tmp_path, meta, wrong, **given).optimize("Graph")
    assert len(meta.history) == 2
    assert "do one: " in meta.history[0].messages[2].content
    folder = next((tmp_path / "workspace" / "HumanEval" / "queries").iterdir())
    space = read_workspace(folder)
    assert [item.number for item in space.rounds] == [1, 2, 3]
    assert space.rounds[2].experience.father == 2
    make(tmp_path, Meta([]), wrong, mode="query", max_rounds=3, test=QUERIES[3:4]).optimize("Graph")  # all is there


# --- with MetaGPT, and refusals --------------------------------------------------------------------------


def test_metagpts_configurations_drive_both_models(tmp_path):
    pytest.importorskip("metagpt")
    from aflow_runs import llm_config

    def answer(body):
        text = body["messages"][-1]["content"]
        if body["model"] == "gpt-4o":
            return graph("over http")
        name = next(query.entry_point for query in QUERIES if f"`{query.entry_point}`" in text)
        return f"```python\ndef {name}(a, b):\n    return a + b\n```"

    with ChatServer(answer, faults={1: Fault(status=500)}) as server:
        optimizer = make(
            tmp_path, llm_config(server.url, "gpt-4o"), llm_config(server.url), max_rounds=1, validation_rounds=1
        )
        optimizer.optimize("Graph")
        optimizer.optimize("Test")  # another event loop
    space = optimizer.workspace()
    assert space.scores == {1: 1.0, 2: 1.0}
    assert all(row.total_cost > 0 for row in space.results)
    assert optimizer.spent.usd > sum(row.total_cost for row in space.results)


def test_a_refused_key_ends_the_search_with_an_error_not_a_score(tmp_path):
    pytest.importorskip("metagpt")
    from aflow_runs import llm_config

    with ChatServer(lambda body: "x", key="right") as server, pytest.raises(ModelRefused):
        make(tmp_path, worker=llm_config(server.url)).optimize("Graph")
    assert not (tmp_path / "workspace" / "HumanEval" / "workflows" / "results.json").exists()


async def test_a_running_loop_is_told_what_to_do(tmp_path):
    optimizer = make(tmp_path, max_rounds=1, validation_rounds=1, validation=QUERIES[:1])
    with pytest.raises(RuntimeError, match=r"await optimizer.aoptimize"):
        optimizer.optimize("Graph")
    await optimizer.aoptimize("Graph")
    assert len(optimizer.workspace().rounds) == 2


def test_arguments_that_cannot_be_used_are_named(tmp_path):
    with pytest.raises(QueryError, match="max_rounds must be a whole number of at least 1, got 0"):
        make(tmp_path, max_rounds=0)
    with pytest.raises(QueryError, match="mode must be 'task' or 'query', not 'x'"):
        make(tmp_path, mode="x")
    with pytest.raises(QueryError, match="no operator 'Costum', did you mean 'Custom'"):
        Optimizer("X", "code", Meta(), Meta(), ["Costum"], 4)
    with pytest.raises(ModelRefused, match=r"exec_llm_config must be.*not int"):
        make(tmp_path, worker=7)
    with pytest.raises(QueryError, match="'Graph' or 'Test', not 'graph'"):
        asyncio.run(make(tmp_path).aoptimize("graph"))
    with pytest.raises(QueryError, match="both steer the search and score"):
        make(tmp_path, test=QUERIES[:2]).optimize("Graph")
    (tmp_path / "workspace" / "HumanEval" / "workflows").mkdir(parents=True)
    with pytest.raises(QueryError, match=r"call optimize\('Graph'\) first"):
        make(tmp_path).optimize("Test")


KILLED = """
import os, pathlib, signal, sys
sys.path[:0] = {paths!r}
import test_optimizer as t
count = 0

def worker(request):
    global count
    count += 1
    if count == {dies_at}:
        os.kill(os.getpid(), signal.SIGKILL)
    with open({log!r}, "a") as file:
        file.write("x")
    return t.right(request)

t.make(pathlib.Path({folder!r}), worker=t.FunctionModel(worker, "worker"), concurrency=1).optimize("Graph")
"""


@pytest.mark.slow
@pytest.mark.parametrize("dies_at", [1, 5, 8, 14])
def test_kill_nine_costs_no_finished_evaluation(tmp_path, dies_at):
    log = tmp_path / "log"
    log.touch()
    here = Path(__file__).parent
    given = {"paths": [str(here), str(here.parents[1] / "support")], "folder": str(tmp_path), "log": str(log)}
    codes = [
        subprocess.run([sys.executable, "-c", KILLED.format(dies_at=at, **given)], check=False).returncode
        for at in (dies_at, 0)
    ]
    assert codes == [-signal.SIGKILL, 0]
    space = read_workspace(tmp_path / "workspace" / "HumanEval")
    assert space.problems == ()
    assert space.scores == {1: 1.0, 2: 1.0, 3: 1.0}
    assert [row.round for row in space.results] == [1, 1, 2, 2, 3, 3]
    unfinished = (dies_at - 1) % 3  # calls of the evaluation that was cut off
    assert len(log.read_text()) == 18 + unfinished
    assert not list(tmp_path.rglob("*.part"))
