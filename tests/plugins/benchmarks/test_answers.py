"""Recorded answers find their queries by id or question, and their programs leave fences and prose behind."""

import csv
import json

import pytest

from flowreasoner.errors import QueryError
from flowreasoner.query import Query
from flowreasoner.sandbox import Suite
from flowreasoner_plugins.benchmarks.answers import canonical_answers, recorded_answers


def query(number, problem, name):
    return Query(problem, f"T/{number}", name, None, Suite.asserts([f"assert {name}(1) == 1"], name), reference="x = 1")


QUERIES = [
    query(1, "Double a number.\n\ndef double(x):", "double"),
    query(2, "Double a number.\n\ndef twice(x):", "twice"),
    query(3, "from typing import List\n\ndef first(xs: List[int]) -> int:\n    '''The first.'''\n", "first"),
    query(4, "Is it right?\n\ndef check(n):", "check"),
]
CODE = "def double(x):\n    return 2 * x"


def read(tmp_path, *rows, name="a.jsonl", **settings):
    (tmp_path / name).write_text("\n".join(json.dumps(row) for row in rows))
    return recorded_answers(tmp_path / name, QUERIES, **settings)


@pytest.mark.parametrize(
    ("row", "found"),
    [
        ({"task_id": "T/2"}, "T/2"),
        ({"task_id": 2}, "T/2"),
        ({"question": "Double a number.\n\ndef double(x):  "}, "T/1"),
        ({"question": "Double  a number.\nimport math\ndef twice(x):"}, "T/2"),
        ({"problem": QUERIES[2].problem}, "T/3"),
        ({"question": "Is it right?"}, "T/4"),
    ],
)
def test_a_row_finds_its_query(tmp_path, row, found):
    (answer,) = read(tmp_path, row | {"prediction": CODE})
    assert (answer.query.id, answer.id) == (found, f"{found}#1")


def test_programs_are_taken_out_of_fences_unless_told_not_to(tmp_path):
    row = {"task_id": "T/1", "solution": f"Here it is:\n```python\n{CODE}\n```\nDone.", "score": 1.0}
    (answer,) = read(tmp_path, row)
    assert (answer.code.strip(), answer.recorded, answer.fenced) == (CODE, True, True)
    (answer,) = read(tmp_path, row, unwrap=False)
    assert answer.code == row["solution"]


def test_a_function_that_the_question_renamed_is_known_by_its_own_name_too(tmp_path):
    row = {"question": "Is it right?\n\ndef check_answer(n):", "prediction": "def check_answer(n):\n    return n"}
    (answer,) = read(tmp_path, row)
    namespace = {}
    exec(answer.code, namespace)
    assert namespace["check"](1) == 1


def test_csv_is_read_with_its_scores(tmp_path):
    (tmp_path / "a.csv").write_text(
        'question,prediction,expected_output,score,cost\n"Is it right?","def check(n):\n    return n",,0.0,0.1\n'
    )
    (answer,) = recorded_answers(tmp_path / "a.csv", QUERIES)
    assert (answer.query.id, answer.recorded, answer.fenced) == ("T/4", False, False)


def test_a_long_answer_is_read_and_the_process_keeps_its_limit(tmp_path):
    usual = csv.field_size_limit()
    (tmp_path / "a.csv").write_text(f'task_id,solution\nT/1,"{"x" * 200_000}"\n')
    (answer,) = recorded_answers(tmp_path / "a.csv", QUERIES, unwrap=False)
    assert len(answer.code) == 200_000
    assert csv.field_size_limit() == usual


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"task_id": "T/9", "prediction": "x"}, "row 1 of .* answers 'T/9', which is no task"),
        ({"question": "Sing.", "prediction": "x"}, "answers a question that the benchmark does not ask: 'Sing.'"),
        ({"question": "Double a number.", "prediction": "x"}, "does not ask"),  # two do
        ({"task_id": "T/1"}, "has no text in any of the fields prediction, solution"),
        ({"prediction": "x"}, "has no text in any of the fields question, problem"),
        ({"task_id": "T/1", "prediction": "x", "score": "good"}, "a score that is no number: 'good'"),
        ([1], "line 1 of .* is no JSON object"),
    ],
)
def test_a_row_that_fits_nothing_is_named(tmp_path, row, said):
    with pytest.raises(QueryError, match=said):
        read(tmp_path, row)


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(QueryError, match="cannot read answers from"):
        recorded_answers(tmp_path / "none.jsonl", QUERIES)
    with pytest.raises(QueryError, match="holds no answers"):
        read(tmp_path)


def test_canonical_answers_are_the_references():
    assert [(answer.id, answer.code, answer.recorded) for answer in canonical_answers(QUERIES[:1])] == [
        ("T/1", "x = 1", None)
    ]
