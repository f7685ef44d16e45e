"""``flowreasoner bench`` with simulated models, in a real sandbox."""

import json
import time

import pytest
from cli import invoke, invoke_json, spawn
from sandboxes import best_tier

from flowreasoner.store import Store

SIM = ("-w", "sim:", "--meta-agent", "sim:", "--rounds", 3, "--evaluations", 2)


def bench(*arguments, out, sim=SIM):
    return invoke("bench", *arguments, *sim, "--sandbox", best_tier(), "-o", out)


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    out = tmp_path_factory.mktemp("bench") / "out"
    result = bench("demo", "--first", 3, "-d", "vanilla", "-d", "flowreasoner", "--seeds", 2, out=out)
    assert result.exit_code == 0, result.output
    return result, out


def lines(out, name="results.jsonl"):
    return [json.loads(line) for line in (out / name).read_text().splitlines()]


def test_every_attempt_is_written_and_counted(done):
    _, out = done
    rows, summary = lines(out), json.loads((out / "summary.json").read_text())
    assert len(rows) == len({(row["designer"], row["query"], row["seed"]) for row in rows}) == 2 * 3 * 2
    assert {row["benchmark"] for row in rows} == {"demo"}
    (cell,) = summary["cells"]
    assert (cell["queries"], cell["attempts"], cell["simulated"]) == (3, 2, ["worker", "meta_agent"])
    for name, own in cell["designers"].items():
        mine = [row for row in rows if row["designer"] == name]
        assert own["pass@1"]["value"] == pytest.approx(sum(row["passed"] for row in mine) / 6)
        assert own["per_query"]["model_calls"] == pytest.approx(sum(row["model_calls"] for row in mine) / 6)
        assert own["pass@2"]["value"] >= own["pass@1"]["value"]
    assert cell["designers"]["vanilla"]["per_query"]["model_calls"] == 1
    assert [(pair["first"], pair["second"]) for pair in cell["pairs"]] == [("vanilla", "flowreasoner")]


def test_the_results_are_shown_as_a_simulation(done):
    result, out = done
    table = (out / "table.md").read_text()
    assert table.startswith("```sh\nflowreasoner bench demo --designer vanilla --designer flowreasoner --worker sim:")
    for text in (result.stdout, table):
        assert "SIMULATION: worker and meta-agent simulated" in text
        assert "flowreasoner" in text
    assert (out / "cost.png").read_bytes().startswith(b"\x89PNG")


def test_the_rounds_of_every_attempt_can_be_looked_at(done):
    _, out = done
    outcomes = lines(out, "demo-sim.outcomes.jsonl")[1:]
    with Store(out / "runs.sqlite", readonly=True) as store:
        for outcome in outcomes:
            run = store.run(outcome["run"])
            assert run.status == ("failed" if outcome["error"] else "finished")
            assert run.rounds == outcome["rounds"]


def test_what_is_finished_is_not_done_again_and_more_can_be_added(done, tmp_path):
    _, out = done
    before = (out / "results.jsonl").read_bytes()
    kept = (out / "demo-sim.outcomes.jsonl").read_text().splitlines(keepends=True)
    again = tmp_path / "again"
    again.mkdir()
    (again / "demo-sim.outcomes.jsonl").write_text("".join(kept[:7]) + kept[7][:20])
    result = bench("demo", "--first", 3, "-d", "vanilla", "-d", "flowreasoner", "--seeds", 2, out=again)
    assert result.exit_code == 0, result.output
    assert (again / "results.jsonl").read_bytes() == before
    nothing_left = bench("demo", "--first", 3, "-d", "vanilla", "-d", "flowreasoner", "--seeds", 2, out=again)
    assert "SIMULATION: worker and meta-agent simulated" in nothing_left.stdout
    more = bench("demo", "--first", 4, "-d", "cot", "-d", "vanilla", out=again)
    assert more.exit_code == 0, more.output
    assert len(lines(again)) == 8
    assert len(lines(again, "demo-sim.outcomes.jsonl")) == 1 + 12 + 4 + 1


def test_other_settings_in_the_same_folder_are_refused(done):
    _, out = done
    result = bench("demo", "--first", 3, "-d", "vanilla", "--tests", "all", out=out)
    assert result.exit_code == 2
    assert "begun with tests None, not 'all'" in result.stderr


def test_leaky_tests_are_told(tmp_path):
    result = bench("demo", "--first", 2, "-d", "vanilla", "--tests", "all", out=tmp_path)
    assert "LEAKY: the tests that score also steered" in result.stdout
    assert "**LEAKY" in (tmp_path / "table.md").read_text()


def test_a_workflow_of_ones_own_is_compared(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(
        "class Workflow:\n    async def __call__(self, problem, entry_point):\n"
        "        s = await self.custom_code_generate(problem=problem, entry_point=entry_point, instruction='Write.')\n"
        "        return s['response']\n"
    )
    arguments = ("bench", "demo", "--first", 2, "-d", path, "-d", "aflow-seed", *SIM, "--sandbox", best_tier())
    summary = invoke_json(*arguments, "-o", tmp_path / "out")
    assert list(summary["cells"][0]["designers"]) == ["mine", "aflow-seed"]


def bigcodebench(folder, *imports):
    row = {
        "task_id": "BigCodeBench/{}",
        "complete_prompt": 'def half(n):\n    """Half of n."""\n',
        "instruct_prompt": "Write half(n).",
        "canonical_solution": "    return n // 2\n",
        "entry_point": "half",
    }
    text = "{}\nimport unittest\nclass TestCases(unittest.TestCase):\n    def test_a(self):\n"
    text += "        self.assertEqual(half(4), 2)\n    def test_b(self):\n        self.assertEqual(half(6), 3)\n"
    rows = [
        row | {"task_id": f"BigCodeBench/{number}", "test": text.format(f"import {name}")}
        for number, name in enumerate(imports)
    ]
    path = folder / "b.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


def test_queries_whose_libraries_are_missing_are_told_apart(tmp_path):
    data = bigcodebench(tmp_path, "math", "no_such_library", "json")
    result = bench("bigcodebench", "--data", data, "-d", "vanilla", out=tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert "Not tried, and not counted: 1 (BigCodeBench/1), as it needs no_such_library." in result.stdout
    (cell,) = json.loads((tmp_path / "out" / "summary.json").read_text())["cells"]
    assert (cell["queries"], cell["not_run"]) == (2, {"BigCodeBench/1": "it needs no_such_library"})
    only = bigcodebench(tmp_path, "no_such_library")
    nothing = bench("bigcodebench", "--data", only, "-d", "vanilla", out=tmp_path / "nothing")
    assert nothing.exit_code == 2
    assert "no query of bigcodebench can be tried here: it needs no_such_library" in nothing.stderr


def test_an_answer_that_only_passes_the_feedback_tests_counts_as_wrong(tmp_path):
    query = {
        "task_id": "HumanEval/0",
        "prompt": 'def half(n):\n    """Half of n.\n    >>> half(4)\n    2\n    """\n',
        "entry_point": "half",
        "canonical_solution": "    return n // 2\n",
        "test": "def check(candidate):\n    assert candidate(4) == 2\n    assert candidate(10) == 5\n",
    }
    (tmp_path / "h.jsonl").write_text(json.dumps(query))
    answer = {"question": query["prompt"], "prediction": query["prompt"] + "    return n - 2\n", "score": 0.0}
    (tmp_path / "a.jsonl").write_text(json.dumps(answer))
    worker = ("-w", f"sim:?answers={tmp_path / 'a.jsonl'}")
    given = ("humaneval", "--data", tmp_path / "h.jsonl", "-d", "vanilla", "--tests", "public")
    result = bench(*given, out=tmp_path / "out", sim=worker)
    assert result.exit_code == 0, result.output
    (row,) = lines(tmp_path / "out")
    assert (row["feedback"], row["passed"], row["hidden"]) == (1.0, 0.0, 0.5)
    (cell,) = json.loads((tmp_path / "out" / "summary.json").read_text())["cells"]
    own = cell["designers"]["vanilla"]
    assert (own["pass@1"]["value"], own["misled"]) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("nothing",), "there is no benchmark 'nothing'"),
        (("demo", "-d", "nobody"), "there is no designer 'nobody'"),
        (("demo", "-d", "cot", "-d", "cot"), "two designers are called 'cot'"),
        (("demo", "-d", "none.py"), "cannot read 'none.py'"),
        (("demo", "-d", "vanilla", "-w", "nothing"), "is no model URI"),
        (("mbpp", "--data", "none.json"), "none.json"),
        (("demo", "--data", "a", "--data", "b"), "--data is given twice for all benchmarks"),
    ],
)
def test_what_is_wrong_is_a_line_with_the_remedy(arguments, told, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = invoke("bench", *arguments, "--sandbox", best_tier())
    assert result.exit_code == 2, result.output
    assert told in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


@pytest.mark.slow
def test_killed_and_resumed_it_ends_with_the_same_results(tmp_path):
    arguments = ("bench", "demo", "--first", 6, "-d", "vanilla", "-d", "cot", "-d", "flowreasoner", "--json")
    arguments += ("-w", "sim:?latency=0.02", "--meta-agent", "sim:?latency=0.02", "--rounds", 3, "--seeds", 2)
    arguments += ("--sandbox", best_tier(), "--concurrency", 4)

    def ends_well(out):
        process = spawn(*arguments, "-o", out)
        return process.communicate(timeout=240)[1] == "" and process.returncode == 0

    assert ends_well(tmp_path / "whole")
    journal = tmp_path / "killed" / "demo-sim-latency-0.02.outcomes.jsonl"
    for stop in (5, 15, 25):
        process = spawn(*arguments, "-o", tmp_path / "killed")
        deadline = time.monotonic() + 120
        while not journal.exists() or journal.read_bytes().count(b"\n") < stop:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.kill()
        process.communicate()
    assert ends_well(tmp_path / "killed")
    assert (tmp_path / "killed" / "results.jsonl").read_bytes() == (tmp_path / "whole" / "results.jsonl").read_bytes()
