"""A bench's folder as the page shows it."""

import json
from dataclasses import asdict

import pytest
from cli import invoke
from outcomes import an_outcome
from reports import a_bench, a_round, keep
from sandboxes import best_tier

from flowreasoner.budget import Spending
from flowreasoner.errors import QueryError
from flowreasoner.operators import BUILTIN
from flowreasoner_plugins.report.benches import bench_of
from flowreasoner_plugins.report.workflows import Workflows

ROOM = 10**7


def shown(folder, room=ROOM):
    return bench_of(folder, Workflows(BUILTIN), room, "1.")


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    out = tmp_path_factory.mktemp("bench") / "out"
    models = ("-w", "sim:?skill=0.5", "--meta-agent", "sim:", "--rounds", 2, "--evaluations", 2)
    given = ("-d", "vanilla", "-d", "flowreasoner", *models, "--sandbox", best_tier(), "-q", "-o", out)
    assert invoke("bench", "demo", "--first", 2, *given).exit_code == 0
    return out


def test_a_whole_bench_has_its_tables_and_every_design(done):
    bench, designs = shown(done)
    summary = json.loads((done / "summary.json").read_text())
    (cell,) = bench["cells"]
    assert bench["notes"] == []
    assert set(bench["simulated"]) == set(summary["cells"][0]["simulated"]) == {"worker", "meta_agent"}
    assert {row[0] for row in cell["results"]["rows"]} == set(summary["cells"][0]["designers"])
    assert "pass@1" in cell["results"]["head"]
    assert len(cell["pairs"]["rows"]) == 1
    assert len(bench["attempts"]) == len(designs) == 4
    assert {item["design"] for item in bench["attempts"]} == designs.keys()
    assert "skill" not in bench["command"]
    assert "--worker sim: " in bench["command"]


def test_a_designer_without_a_meta_agent_is_not_said_to_have_one(done):
    _, designs = shown(done)
    by_designer = {design["designer"]: design for design in designs.values()}
    assert (by_designer["vanilla"]["models"]["meta_agent"], by_designer["vanilla"]["simulated"]) == ("", ["worker"])
    assert by_designer["flowreasoner"]["models"]["meta_agent"]


def test_an_attempt_without_an_answer_is_marked_as_a_simulation_too(tmp_path):
    run = keep(tmp_path / "runs.sqlite", a_round(spent=Spending().to_json()), status="failed", query="q", tests="split")
    own = asdict(an_outcome(contender="cot", passed=0.0, error="no answer: x", run=run))
    lines = [{"benchmark": "b", "worker": "sim:?skill=1"}, own]
    (tmp_path / "b.outcomes.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    bench, designs = shown(tmp_path)
    (design,) = designs.values()
    assert (design["simulated"], design["models"]["worker"], design["error"]) == (["worker"], "sim:", "no answer: x")
    assert (bench["simulated"], bench["attempts"][0]["outcome"]) == (["worker"], "no answer")


def test_fittings_and_their_attempts_are_told_apart(done, tmp_path):
    summary = json.loads((done / "summary.json").read_text())
    told = {"seed": 1, "model_calls": 5, "tokens": 9, "usd": 0.0, "unpriced_calls": 0, "seconds": 2.0}
    summary["cells"][0] |= {
        "fitting": {"aflow": [told | {"facts": {"best_round": 3}}]},
        "fitted_on": ["own", 20],
    }
    (tmp_path / "summary.json").write_text(json.dumps(summary))
    own = [asdict(an_outcome(contender="aflow", checkpoint=mark)) for mark in ("seed-1@0123abcd", "0123abcd")]
    lines = [{"benchmark": "demo", "worker": "sim:?skill=0.5"}, *own]
    (tmp_path / "b.outcomes.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    bench, _ = shown(tmp_path)
    assert bench["cells"][0]["fitting"]["rows"] == [["aflow", "1", "5", "9", "$0.00", "2.0 s", "best round 3"]]
    assert [item["fit"] for item in bench["attempts"]] == ["1", ""]


def test_a_bench_that_was_stopped_shows_whole_lines_and_says_so(tmp_path):
    folder = a_bench(tmp_path / "bench")
    path = folder / "b-small.outcomes.jsonl"
    path.write_text(path.read_text()[:-20])
    bench, designs = shown(folder)
    assert len(bench["attempts"]) == len(designs) == 5
    assert bench["cells"] == []
    assert "has not ended" in bench["notes"][0]


def test_without_its_store_or_its_attempts_a_bench_still_has_the_rest(done, tmp_path):
    (tmp_path / "summary.json").write_bytes((done / "summary.json").read_bytes())
    bench, designs = shown(tmp_path)
    assert (len(bench["cells"]), bench["attempts"], designs) == (1, [], {})
    assert "no *.outcomes.jsonl" in bench["notes"][0]
    folder = a_bench(tmp_path / "bench")
    (folder / "runs.sqlite").unlink()
    bench, designs = shown(folder)
    assert len(bench["attempts"]) == 6
    assert (designs, {item["design"] for item in bench["attempts"]}) == ({}, {None})
    assert "there is no run store" in bench["notes"][1]


def test_where_room_is_short_what_failed_is_kept_first(tmp_path):
    folder = a_bench(tmp_path / "bench")
    size = len(json.dumps(next(iter(shown(folder)[1].values()))))
    bench, designs = shown(folder, int(2.5 * size))
    assert len(designs) == 2
    assert {item["outcome"] for item in bench["attempts"] if item["design"]} == {"failed"}


def test_attempts_of_earlier_commands_are_not_counted(tmp_path):
    folder = a_bench(tmp_path / "bench")
    rows = [json.loads(line) for line in (folder / "b-small.outcomes.jsonl").read_text().splitlines()]
    asked = [rows[0] | row | {"designer": row["contender"]} for row in rows[1:3]]
    (folder / "results.jsonl").write_text("".join(json.dumps(row) + "\n" for row in asked))
    bench, _ = shown(folder)
    assert len(bench["attempts"]) == 2
    assert any(note.startswith("4 more attempts of earlier commands") for note in bench["notes"])


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("summary.json", "{", "is no summary of a bench"),
        ("summary.json", "[]", "is no summary of a bench"),
        ("a.outcomes.jsonl", '{"x": 1}\n', "is no file of outcomes"),
        ("a.outcomes.jsonl", '{"benchmark": "b", "worker": "w"}\n[]\n', "is no file of outcomes"),
        ("results.jsonl", "nothing\n", "holds no results of a bench"),
        ("summary.json", '{"cells": [{"designers": {"a": {}}}]}', "is no summary of a bench"),
        ("notes.txt", "", "is no folder of a bench"),
    ],
)
def test_a_folder_that_is_no_bench_is_named(name, text, told, tmp_path):
    (tmp_path / name).write_text(text)
    with pytest.raises(QueryError, match=told):
        shown(tmp_path)
