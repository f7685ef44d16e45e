"""``flowreasoner bench`` with methods that are fitted first, and ``flowreasoner bench table1``."""

import json
import re
import shutil
import time

import pytest
from chat_server import ChatServer
from cli import invoke, spawn
from sandboxes import best_tier

pytest.importorskip("torch")

SIM = ("-w", "sim:", "--meta-agent", "sim:", "--rounds", 2, "--evaluations", 1)
FIT = ("--fit-first", 2, "--fit-seeds", 2, "--set", "aflow.max_rounds=2", "--set", "aflow.validation_rounds=1")
GIVEN = ("miniature", "--first", 3, "-d", "aflow", "-d", "cot", *FIT)
CELL = "miniature-sim"


def bench(*arguments, out, models=SIM):
    return invoke("bench", *arguments, *models, "--sandbox", best_tier(), "-o", out)


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def without_times(value):
    """Returns a summary without what the clock says."""
    if isinstance(value, dict):
        return {name: without_times(item) for name, item in value.items() if name not in {"seconds", "command"}}
    return [without_times(item) for item in value] if isinstance(value, list) else value


def summary(out):
    return without_times(json.loads((out / "summary.json").read_text()))


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    out = tmp_path_factory.mktemp("bench") / "out"
    result = bench(*GIVEN, out=out)
    assert result.exit_code == 0, result.output
    return result, out


def test_each_seed_of_a_method_tries_every_query(done):
    _, out = done
    rows = lines(out / "results.jsonl")
    marks = sorted({row["checkpoint"] for row in rows if row["designer"] == "aflow"})
    assert [mark.partition("@")[0] for mark in marks] == ["seed-0", "seed-1"]
    assert len(rows) == 2 * 3 + 3
    (cell,) = summary(out)["cells"]
    own = cell["designers"]["aflow"]
    assert (own["checkpoints"], cell["designers"]["cot"]["checkpoints"], cell["attempts"]) == (2, 1, 1)
    passed = [row["passed"] for row in rows if row["designer"] == "aflow"]
    assert own["pass@1"]["value"] == pytest.approx(sum(passed) / 6)


def test_what_fitting_cost_is_in_the_summary_and_the_table(done):
    result, out = done
    (cell,) = summary(out)["cells"]
    assert cell["fitted_on"] == ["miniature-train", 2]
    for seed, own in enumerate(cell["fitting"]["aflow"]):
        assert (own["seed"], own["usd"]) == (seed, 0)
        assert own["model_calls"] > 3
        assert own["tokens"] > 0
        assert own["facts"]["rounds"] == 3
        assert (out / "fits" / CELL / f"aflow-{seed}" / "journal.jsonl").exists()
    page = (out / "table.md").read_text()
    assert "### Fitting" in page
    assert re.search(r"\| aflow \| 1 \| \d+ \| [\d,]+ \| \$0.00 \|", page)
    told = "aflow: fitted 2 times, with different seeds, on 2 queries of miniature-train; none of them is tried."
    assert told in page
    assert told in result.stdout
    assert "aflow, seed 1: round 1: " in result.stderr


def test_interrupted_in_the_middle_of_fitting_it_ends_with_the_same_files(done, tmp_path):
    _, out = done
    again = tmp_path / "again"
    journal = again / "fits" / CELL / "aflow-0" / "journal.jsonl"
    journal.parent.mkdir(parents=True)
    kept = (out / "fits" / CELL / "aflow-0" / "journal.jsonl").read_text().splitlines(keepends=True)
    journal.write_text("".join(kept[:4]) + kept[4][:30])
    assert bench(*GIVEN, out=again).exit_code == 0
    assert (again / "results.jsonl").read_bytes() == (out / "results.jsonl").read_bytes()
    assert summary(again) == summary(out)


def test_what_is_fitted_is_not_fitted_again(done, tmp_path):
    _, out = done
    copy = shutil.copytree(out, tmp_path / "copy")
    before = (copy / "fits" / CELL / "aflow-1" / "journal.jsonl").read_bytes()
    assert bench(*GIVEN, out=copy).exit_code == 0
    assert (copy / "fits" / CELL / "aflow-1" / "journal.jsonl").read_bytes() == before
    assert summary(copy) == summary(out)


def test_other_settings_in_the_same_folder_are_refused(done):
    _, out = done
    result = bench(*GIVEN, "--set", "aflow.max_rounds=1", out=out)
    assert result.exit_code == 2
    assert "was begun with max_rounds 2, not 1" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("demo", "-d", "aflow"), "not known what to fit on before demo is tried"),
        (("demo", "-d", "aflow", "--fit-on", "demo"), "of demo would be fitted on, and tried as part of demo"),
        (("demo", "-d", "aflow", "--fit-on", "nothing"), "there is no benchmark 'nothing'"),
        (("demo", "-d", "cot", "--set", "aflow.max_rounds=1"), "'aflow' is none of them"),
        (("demo", "-d", "cot", "--miniature"), "--miniature is for table1 only"),
        (("table1",), "the embedded models know none of table1's benchmarks"),
    ],
)
def test_what_is_wrong_is_a_line_with_the_remedy(arguments, told, tmp_path):
    result = invoke("bench", *arguments, "--sandbox", best_tier(), "-o", tmp_path)
    assert result.exit_code == 2, result.output
    assert told in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


# --- endpoints -------------------------------------------------------------------------------------------

HUMANEVAL = {
    "prompt": 'def half(n):\n    """Half of n. Number {}.\n    >>> half(4)\n    2\n    """\n',
    "entry_point": "half",
    "canonical_solution": "    return n // 2\n",
    "test": "def check(candidate):\n    assert candidate(4) == 2\n    assert candidate(10) == 5\n",
}
MBPP = {
    "code": "def half(n):\n    return n // 2",
    "test_imports": [],
    "test_list": ["assert half(4) == 2", "assert half(10) == 5"],
}
BIGCODE = {
    "complete_prompt": 'def half(n):\n    """Half of n, number {}."""\n',
    "instruct_prompt": "Half of n.",
    "canonical_solution": "    return n // 2\n",
    "entry_point": "half",
    "test": "import unittest\nclass TestCases(unittest.TestCase):\n    def test_a(self):\n"
    "        self.assertEqual(half(4), 2)\n    def test_b(self):\n        self.assertEqual(half(6), 3)\n",
}


def table_data(folder):
    """Writes a file for each of the table's benchmarks: a task to try, and one to fit on."""
    human = [
        HUMANEVAL | {"task_id": f"HumanEval/{number}", "prompt": HUMANEVAL["prompt"].format(number)}
        for number in (0, 9)
    ]
    mbpp = [
        MBPP | {"task_id": number, "prompt": f"Write a function for half of n, number {number}."} for number in (2, 3)
    ]
    big = [
        BIGCODE | {"task_id": f"BigCodeBench/{number}", "complete_prompt": BIGCODE["complete_prompt"].format(number)}
        for number in (5, 6)
    ]
    (folder / "HumanEval.jsonl").write_text("\n".join(map(json.dumps, human)))
    (folder / "sanitized-mbpp.json").write_text(json.dumps(mbpp))
    (folder / "BigCodeBench.jsonl").write_text("\n".join(map(json.dumps, big)))
    return folder


DRAFT = """\
<experts>
[{"name": "Coder", "description": "codes", "prompt": "You are a coder.", "suggestions": ""},
 {"name": "Language Expert", "description": "writes", "prompt": "You are a language expert.", "suggestions": ""}]
</experts>
<plan>
1. Coder: write the function
2. Language Expert: answer the task
</plan>"""
DESIGN = """\
<modification>one call</modification>
<graph>
class Workflow:
    async def __call__(self, problem, entry_point):
        s = await self.custom_code_generate(problem=problem, entry_point=entry_point, instruction='Halve it.')
        return s['response'], self.llm.cost_manager.total_cost
</graph>"""
CODE = "FINAL OUTPUT:\n```python\ndef half(n):\n    return n // 2\n```"


def answer(body):
    """Plays all parts of all methods, each in the form that it asks for."""
    asked = "\n".join(message["content"] for message in body["messages"])
    for mark, reply in [
        ("You are a planner", DRAFT),
        ("You are an observer", "No Suggestions"),
        ("<graph>", DESIGN),
        ("<review_result>", "<review_result>true</review_result>\n<feedback>Fine.</feedback>"),
        ("<solution_letter>", "<thought>Alike.</thought>\n<solution_letter>A</solution_letter>"),
    ]:
        if mark in asked:
            return reply
    return CODE


SHORT = ("--set", "aflow.max_rounds=1", "--set", "aflow.validation_rounds=1", "--set", "adas.generations=1")
SHORT += ("--set", "maas.samples=1")


def endpoint(server, price):
    return f"openai:m?base_url={server.url}&price={price}"


@pytest.mark.slow
def test_all_methods_of_table_1_work_with_endpoints(tmp_path):
    data = table_data(tmp_path)
    with ChatServer(answer) as server:
        models = ("-w", endpoint(server, "1,2"), "--meta-agent", endpoint(server, "3,4"))
        result = bench("table1", "--data", data, *SHORT, out=tmp_path / "out", models=models)
    assert result.exit_code == 0, result.output
    assert "that stands for: flowreasoner bench bigcodebench-test humaneval-test mbpp-test --designer" in result.stderr
    cells = summary(tmp_path / "out")["cells"]
    assert [cell["benchmark"] for cell in cells] == ["bigcodebench-test", "humaneval-test", "mbpp-test"]
    for cell in cells:
        assert len(cell["designers"]) >= 10
        assert {name: own["pass@1"]["value"] for name, own in cell["designers"].items()} == dict.fromkeys(
            cell["designers"], 1
        )
        assert all(own["per_query"]["usd"] > 0 for own in cell["designers"].values())
        assert {"adas", "aflow", "maas"} <= cell["fitting"].keys()
        assert all(own["usd"] > 0 for fitted in cell["fitting"].values() for own in fitted)
        assert cell["fitted_on"] == [cell["benchmark"].replace("-test", "-validate"), 1]
    page = (tmp_path / "out" / "table.md").read_text()
    assert "flowreasoner is not ahead everywhere: it is not told apart from vanilla (+0.0%), " in page


def test_fitting_counts_in_the_budget_and_goes_on_with_more(tmp_path):
    data = table_data(tmp_path)
    given = ("humaneval-test", "--data", data, "-d", "aflow", *SHORT[:4])
    with ChatServer(answer) as server:
        models = ("-w", endpoint(server, "1000,1000"), "--meta-agent", endpoint(server, "1000,1000"))
        poor = bench(*given, "--budget-usd", 0.2, out=tmp_path / "out", models=models)
        assert poor.exit_code == 3
        assert "budget exceeded: usd" in poor.stderr
        asked = len(server.requests)
        assert bench(*given, "--budget-usd", 0.2, out=tmp_path / "out", models=models).exit_code == 3
        assert len(server.requests) == asked  # what was spent before counts
        rich = bench(*given, "--budget-usd", 100, out=tmp_path / "out", models=models)
        assert rich.exit_code == 0, rich.output
    (cell,) = summary(tmp_path / "out")["cells"]
    (own,) = cell["fitting"]["aflow"]
    assert own["usd"] > 0.2


# --- the miniature ---------------------------------------------------------------------------------------


@pytest.mark.slow
def test_table_1_in_miniature_with_tiny_numbers(tmp_path):
    pytest.importorskip("tokenizers")
    tiny = ("--first", 2, "--seeds", 1, "--fit-seeds", 1, "--fit-first", 2, *SHORT)
    result = bench("table1", "--miniature", *tiny, out=tmp_path / "out", models=())
    assert result.exit_code == 0, result.output
    assert "--small-models" in result.stderr
    (cell,) = summary(tmp_path / "out")["cells"]
    assert len(cell["designers"]) >= 10
    assert cell["simulated"] == []
    assert cell["designers"]["vanilla"]["pass@1"]["value"] > 0
    page = (tmp_path / "out" / "table.md").read_text()
    assert "That stands for:" in page
    assert "Small models: they are asked in the words that they know" in page
    assert "flowreasoner is not ahead everywhere" in page
    assert (tmp_path / "out" / "cost.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_killed_in_the_middle_of_fitting_it_ends_with_the_same_results(tmp_path):
    arguments = ("bench", *GIVEN, "-d", "maas", "--set", "maas.samples=1", "--small-models", "-q")
    arguments += ("-w", "sim:?latency=0.02", "--meta-agent", "sim:?latency=0.02", "--sandbox", best_tier())
    whole = spawn(*arguments, "-o", tmp_path / "whole")
    whole.communicate(timeout=240)
    assert whole.returncode == 0
    fits = tmp_path / "killed" / "fits" / "miniature-sim-latency-0.02"
    for name, records in [("aflow-1/journal.jsonl", 3), ("maas-1/settings.json", 0)]:
        process = spawn(*arguments, "-o", tmp_path / "killed")
        deadline = time.monotonic() + 120
        while not (fits / name).exists() or (fits / name).read_bytes().count(b"\n") < records:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.kill()
        process.communicate()
    last = spawn(*arguments, "-o", tmp_path / "killed")
    last.communicate(timeout=240)
    assert last.returncode == 0
    read = [(tmp_path / name / "results.jsonl").read_bytes() for name in ("whole", "killed")]
    assert read[0] == read[1]
