"""``flowreasoner verify`` on real files, in a real sandbox."""

import json

import pytest
from cli import invoke
from sandboxes import best_tier

RIGHT, WRONG = "    return n // 2\n", "    return n\n"


def row(number, solution=RIGHT):
    return {
        "task_id": f"HumanEval/{number}",
        "prompt": f'def half{number}(n):\n    """Half of n."""\n',
        "entry_point": f"half{number}",
        "canonical_solution": solution,
        "test": "def check(candidate):\n"
        + "".join(f"    assert candidate({given}) == {given // 2}\n" for given in (4, 1, 0)),
    }


@pytest.fixture
def data(tmp_path):
    path = tmp_path / "h.jsonl"
    path.write_text("\n".join(json.dumps(row(number)) for number in range(3)))
    return path


def verify(*arguments):
    return invoke("verify", *arguments, "--sandbox", best_tier())


def test_a_benchmarks_own_solutions_pass(data):
    result = verify("humaneval", "--data", data)
    assert result.exit_code == 0, result.output
    assert "humaneval: 3 of 3 answers pass all tests" in result.stdout
    said = json.loads(verify("humaneval", "--data", data, "--json", "--first", 2).stdout)
    assert (said["benchmark"], said["items"], said["passed"], said["failed"]) == ("humaneval", 2, 2, [])
    assert said["agreement"] == {"compared": 0, "agree": 0, "disagree": []}


def test_a_solution_that_fails_is_named_with_its_test(tmp_path):
    (tmp_path / "h.jsonl").write_text("\n".join(json.dumps(row(n, WRONG if n == 1 else RIGHT)) for n in range(3)))
    result = verify("humaneval", "--data", tmp_path / "h.jsonl")
    assert result.exit_code == 1
    assert "2 of 3 answers pass" in result.stdout
    assert "HumanEval/1 passes 33% of its tests" in result.stdout
    said = json.loads(verify("humaneval", "--data", tmp_path / "h.jsonl", "--json").stdout)
    assert said["failed"] == ["HumanEval/1"]
    assert said["pass_rate"] == pytest.approx((1 + 1 / 3 + 1) / 3)


def test_recorded_scores_are_compared_and_all_verdicts_written(data, tmp_path):
    answers = [
        {"task_id": "HumanEval/0", "solution": f"```python\n{row(0)['prompt']}{RIGHT}```", "score": 1.0},
        {"task_id": "HumanEval/1", "solution": row(1)["prompt"] + WRONG, "score": 0.0},
        {"task_id": "HumanEval/2", "solution": row(2)["prompt"] + WRONG, "score": 1.0},
    ]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, answers)))
    given = ("humaneval", "--data", data, "--answers", tmp_path / "a.jsonl")
    result = verify(*given, "--verdicts", tmp_path / "v.jsonl")
    assert result.exit_code == 1
    assert "2 of 3 verdicts agree with what was recorded (66.67%)" in result.stdout
    assert "HumanEval/2#3 recorded as right" in result.stdout
    verdicts = [json.loads(line) for line in (tmp_path / "v.jsonl").read_text().splitlines()]
    assert [(item["passed"], item["recorded"], item["fenced"]) for item in verdicts] == [
        (True, True, True),
        (False, False, False),
        (False, True, False),
    ]
    plain = json.loads(verify(*given, "--as-they-are", "--json").stdout)
    assert [item["id"] for item in plain["agreement"]["disagree"]] == ["HumanEval/0#1", "HumanEval/2#3"]


def test_items_whose_libraries_are_missing_are_told_apart(tmp_path):
    item = {
        "task_id": "BigCodeBench/0",
        "complete_prompt": "import no_such_library\ndef task_func(x):\n",
        "instruct_prompt": "",
        "canonical_solution": "    return x\n",
        "entry_point": "task_func",
        "test": "import unittest\nclass T(unittest.TestCase):\n    def test_a(self):\n"
        "        self.assertEqual(task_func(1), 1)\n",
    }
    other = item | {"task_id": "BigCodeBench/1", "complete_prompt": "def task_func(x):\n"}
    (tmp_path / "b.jsonl").write_text(f"{json.dumps(item)}\n{json.dumps(other)}")
    result = verify("bigcodebench", "--data", tmp_path / "b.jsonl")
    assert result.exit_code == 0, result.output
    assert "1 of 1 answers pass" in result.stdout
    assert "1 more cannot be judged here, as libraries are missing: no_such_library (1)" in result.stdout
    said = json.loads(verify("bigcodebench", "--data", tmp_path / "b.jsonl", "--json").stdout)
    assert said["not_run"] == [{"id": "BigCodeBench/0", "missing": ["no_such_library"]}]
    assert (said["items"], said["passed"], said["failed"]) == (2, 1, [])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nothing"], "there is no benchmark 'nothing'"),
        (["humaneval", "--data", "none.jsonl"], "cannot read benchmark data"),
        (["demo", "--answers", "none.jsonl"], "cannot read answers"),
    ],
)
def test_what_cannot_be_used_is_one_line(arguments, said):
    result = verify(*arguments)
    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stderr.count("\n") == 1
