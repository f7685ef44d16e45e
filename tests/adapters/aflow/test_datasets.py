"""AFlow's data files, and how their answers are scored."""

import gzip
import json

import pytest

from flowreasoner.designers.grading import grade_answer, grade_with_suite
from flowreasoner.errors import QueryError
from flowreasoner.query import Query
from flowreasoner.sandbox import Suite, best_sandbox
from flowreasoner_adapters.aflow.data import Data
from flowreasoner_adapters.aflow.datasets import boxed, public_tests, read_queries

HUMANEVAL = {
    "task_id": "HumanEval/0",
    "prompt": 'def add(a, b):\n    """Adds."""\n',
    "canonical_solution": "    return a + b\n",
    "test": "def check(candidate):\n    assert candidate(1, 2) == 3\n    assert candidate(0, 0) == 0\n",
    "entry_point": "add",
}
MBPP = {
    "task_id": 7,
    "prompt": "Write add.",
    "code": "def add(a, b):\n    return math.floor(a + b)",
    "test_imports": ["import math"],
    "test_list": ["assert add(1, 2) == math.floor(3.5)"],
    "entry_point": "add",
}


@pytest.mark.parametrize(
    ("dataset", "row", "right", "wrong"),
    [
        ("GSM8K", {"question": "q", "answer": "so 1,234 #### 1,234"}, "It is 1234.", "It is 1235."),
        ("MATH", {"problem": "p", "solution": r"so $\boxed{\dfrac{1}{2}}$."}, r"\boxed{0.5}", r"\boxed{2}"),
        ("MATH", {"problem": "p", "solution": r"\boxed{x^{2}+1}"}, r"thus \boxed{x^{2} + 1}", r"\boxed{x}"),
        (
            "HotpotQA",
            {"question": "q", "context": [["t", ["a.", "b."]]], "answer": "the Eiffel Tower"},
            "Eiffel tower!",
            "Rome",
        ),
        ("DROP", {"context": "c", "ref_text": "12|twelve"}, "twelve", "eleven"),
    ],
)
async def test_right_answers_score_right(dataset, row, right, wrong):
    query = read_queries(dataset, [row])[0]
    assert (await grade_answer(right, query, None)).score == 1
    assert (await grade_answer(wrong, query, None)).score == 0


@pytest.mark.parametrize(("dataset", "row"), [("HumanEval", HUMANEVAL), ("MBPP", MBPP)])
async def test_programs_are_scored_by_the_rows_own_tests(dataset, row):
    public = {"add": Suite.asserts(["assert add(0, 1) == 1"], "add")}
    query = read_queries(dataset, [row], public)[0]
    assert query.feedback is public["add"]
    sandbox = best_sandbox()
    try:
        right = "import math\n" + query.reference
        assert (await grade_with_suite(right, query.hidden, sandbox)).score == 1
        assert (await grade_with_suite("def add(a, b):\n    return 9", query.hidden, sandbox)).score == 0
    finally:
        await sandbox.aclose()


@pytest.mark.slow
@pytest.mark.shared_data
async def test_every_canonical_solution_of_humaneval_passes(shared_data):
    """The official FlowReasoner gives 0 of 164."""
    with gzip.open(shared_data / "HumanEval.jsonl.gz", "rt") as file:
        rows = [json.loads(line) for line in file]
    public = public_tests((shared_data,), "HumanEval")
    assert len(public) > 100
    sandbox = best_sandbox()
    try:
        queries = read_queries("HumanEval", rows, public)
        scores = [(await grade_with_suite(query.reference, query.hidden, sandbox)).score for query in queries]
    finally:
        await sandbox.aclose()
    assert scores == [1.0] * 164


def test_boxes_are_read_with_their_braces():
    assert boxed(r"a \boxed{1} b \boxed{\frac{1}{2}}.") == r"\frac{1}{2}"
    assert boxed("First. The answer is 5") == "The answer is 5"


def test_rows_and_files_that_cannot_be_used_are_named(tmp_path):
    with pytest.raises(QueryError, match=r"row 1 of GSM8K.*'answer'"):
        read_queries("GSM8K", [{}])
    with pytest.raises(QueryError, match=r"no reader for the data set 'Mine'.*validation="):
        read_queries("Mine", [])
    (tmp_path / "gsm8k_validate.jsonl").write_text('{"question": "q", "answer": "1"}\n{broken\n')
    with pytest.raises(QueryError, match=r"gsm8k_validate\.jsonl, line 2 is not JSON"):
        _ = Data("GSM8K", tmp_path).validation
    with pytest.raises(QueryError, match=r"no gsm8k_test\.jsonl.*data_path="):
        _ = Data("GSM8K", tmp_path).test


def test_what_steers_does_not_score(tmp_path):
    lines = [json.dumps({"question": f"q{number}", "answer": "1"}) + "\n" for number in range(4)]
    (tmp_path / "gsm8k_validate.jsonl").write_text("".join(lines[:3]))
    (tmp_path / "gsm8k_test.jsonl").write_text("".join(lines[2:]))
    with pytest.raises(
        QueryError, match=r"1 problem of GSM8K would both steer the search and score its result, e.g. 'q2'"
    ):
        Data("GSM8K", tmp_path).check_apart()
    (tmp_path / "gsm8k_test.jsonl").write_text(lines[3])
    data = Data("GSM8K", tmp_path)
    data.check_apart()
    assert [len(data.validation), len(data.test)] == [3, 1]


def test_given_queries_must_be_gradable():
    with pytest.raises(QueryError, match="'lone' of validation has neither tests nor a metric"):
        Data("Mine", validation=[Query("p", "lone")])
    with pytest.raises(QueryError, match="test must hold Query objects, not str"):
        Data("Mine", test=["p"])
