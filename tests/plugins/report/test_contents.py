"""What a page holds of runs and benches, whole ones and those with parts missing."""

import json

import pytest
from cli import SIMULATED, invoke
from reports import HOSTILE, a_bench, a_result, a_round, keep
from sandboxes import best_tier

from flowreasoner.errors import QueryError, RunNotFound, StoreError
from flowreasoner.operators import BUILTIN
from flowreasoner.store import Store
from flowreasoner_plugins.report.contents import contents


def collected(*runs, store, **settings):
    return contents([str(run) for run in runs], store, BUILTIN, **settings)


@pytest.fixture(scope="module")
def solved(tmp_path_factory):
    store = tmp_path_factory.mktemp("solved") / "store.sqlite"
    given = ("--rounds", 3, "--no-early-stop", "--store", store, "--sandbox", best_tier(), "-q")
    assert invoke("solve", "demo:spiral-walk", *SIMULATED, *given).exit_code == 0
    return store


def test_a_finished_run_is_shown_as_it_was(solved):
    page = collected("last", store=solved)
    (design,) = page["designs"].values()
    with Store(solved, readonly=True) as store:
        record = store.run("last")
        rounds = store.rounds(record.id)
    assert design["score"] == record.result["score"]
    assert design["cost"]["tokens"] == record.result["tokens"]
    assert design["simulated"] == ["meta_agent", "worker"]
    assert design["problem"].startswith("Write a function spiral_walk(grid)")
    assert [own["score"] for own in design["rounds"]] == [own["feedback"]["score"] for own in rounds]
    for own, stored in zip(design["rounds"], rounds, strict=True):
        workflow = page["workflows"][own["workflow"]]
        assert workflow["source"] == stored["graph"]
        sites = {node["name"] for node in workflow["drawing"]["nodes"]}
        assert {call["site"] for run in own["evaluations"] for call in run["calls"]} <= sites


def test_a_round_says_what_changed_since_the_one_before(tmp_path):
    store = tmp_path / "s.sqlite"
    keep(store, a_round(1, graph="a\nb\nc"), a_round(2, graph="a\nx\nc", prompt="P = 1"), result=a_result())
    first, second = next(iter(collected("last", store=store)["designs"].values()))["rounds"]
    assert (first["changes"], first["since"]) == (None, None)
    assert (second["changes"], second["since"]) == ([[" ", "a"], ["-", "b"], ["+", "x"], [" ", "c"]], 1)
    assert ["+", "P = 1"] in second["prompt_changes"]


@pytest.mark.parametrize("status", ["running", "interrupted", "failed"])
def test_a_run_that_has_not_ended_well_is_shown_as_far_as_it_came(status, tmp_path):
    store = tmp_path / "s.sqlite"
    keep(store, a_round(), status=status, meta_agent="sim:?seed=1", worker="openai:small?base_url=x", tests="all")
    (design,) = collected("last", store=store)["designs"].values()
    assert (design["status"], design["ended"], len(design["rounds"])) == (status, False, 1)
    assert design["models"] == {"meta_agent": "sim:", "worker": "openai:small"}
    assert (design["simulated"], design["leaky"]) == (["meta_agent"], True)
    assert design["cost"]["tokens"] == 240


def test_a_refused_workflow_has_no_drawing_and_its_diagnostics(tmp_path):
    store = tmp_path / "s.sqlite"
    diagnostic = {"code": "syntax-error", "severity": "error", "line": 1, "column": 1, "message": "m", "remedy": "r"}
    feedback = {"score": 0.0, "evaluations": [], "diagnostics": [diagnostic], "dropped": []}
    keep(store, a_round(graph="class Workflow(:", feedback=feedback), status="failed")
    page = collected("last", store=store)
    assert page["workflows"][0]["drawing"] is None
    assert "refuses" in page["workflows"][0]["undrawn"]
    assert next(iter(page["designs"].values()))["rounds"][0]["diagnostics"] == [diagnostic]


def test_the_store_is_only_looked_at_and_settings_of_models_are_not_shown(tmp_path):
    store = tmp_path / "s.sqlite"
    keep(store, a_round(), result=a_result())
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    text = json.dumps(collected("last", store=store))
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before
    assert "secret.example" not in text
    assert '"openai:o4-mini"' in text


def test_texts_are_bounded_and_steer_nothing(tmp_path):
    store = tmp_path / "s.sqlite"
    keep(store, a_round(1, HOSTILE), a_round(2, "y" * 50_000), title=HOSTILE, result=a_result(HOSTILE))
    text = json.dumps(collected("last", store=store), ensure_ascii=False)
    assert not {"\u202e", "\x1b", "\x00"} & set(text)
    assert "\\\\u202e" in text
    assert "30,000 more characters, which this page leaves out" in text


def test_runs_and_benches_share_a_page_each_once(tmp_path):
    store = tmp_path / "s.sqlite"
    run = keep(store, a_round(), result=a_result())
    bench = a_bench(tmp_path / "bench", 1)
    page = collected(run, "last", bench, run[:-1], bench, store=store)
    assert [view["kind"] for view in page["views"]] == ["design", "bench"]
    assert len(page["designs"]) == 3
    assert len(page["workflows"]) == 1


def test_a_damaged_row_is_named(tmp_path):
    store = tmp_path / "s.sqlite"
    run = keep(store, {"number": 1}, result=a_result())
    with pytest.raises(StoreError, match=f"run {run} cannot be shown: it holds a damaged row"):
        collected("last", store=store)


def test_what_is_not_there_is_named(tmp_path):
    with pytest.raises(RunNotFound, match="there is no run store at"):
        collected("last", store=tmp_path / "none.sqlite")
    with pytest.raises(QueryError, match="is not there; give a run's id, or the folder"):
        collected(tmp_path / "none", store=tmp_path / "none.sqlite")
