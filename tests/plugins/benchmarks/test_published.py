"""Published benchmarks: found in files, folders or on the hub, recognised by what counts, and read into queries."""

import gzip
import json
import logging

import pytest

from flowreasoner.errors import QueryError
from flowreasoner_plugins import benchmarks
from flowreasoner_plugins.benchmarks import BIGCODEBENCH, BIGCODEBENCH_HARD, HUMANEVAL, MBPP, MBPP_FULL
from flowreasoner_plugins.benchmarks.rows import fingerprint, rows_of_file

HUMANEVAL_ROW = {
    "task_id": "HumanEval/0",
    "prompt": 'def half(n):\n    """Half of n.\n    >>> half(4)\n    2\n    """\n',
    "entry_point": "half",
    "canonical_solution": "    return n // 2\n",
    "test": "def check(candidate):\n    assert candidate(4) == 2\n    assert candidate(5) == 2\n",
}
MBPP_ROW = {
    "task_id": 3,
    "prompt": "Write a function to double a number.",
    "code": "def double(x):\n  return 2 * x",
    "test_imports": ["import math"],
    "test_list": ["assert double(2) == 4", "assert double(3) == math.floor(6.5)"],
}
BIGCODE_ROW = {
    "task_id": "BigCodeBench/0",
    "complete_prompt": 'import numpy as np\ndef task_func(x):\n    """Doubles x."""\n',
    "instruct_prompt": "Double x.",
    "canonical_solution": "    return int(np.array(x) * 2)\n",
    "entry_point": "task_func",
    "test": "import unittest\nimport json\nclass TestCases(unittest.TestCase):\n"
    "    def test_it(self):\n        self.assertEqual(task_func(2), 4)\n",
}


def write(path, rows, packed=False):
    data = "\n".join(map(json.dumps, rows)).encode()
    path.write_bytes(gzip.compress(data) if packed else data)
    return path


def test_a_row_becomes_a_query_with_all_tests_hidden(tmp_path):
    (human,) = HUMANEVAL.queries(write(tmp_path / "h.jsonl", [HUMANEVAL_ROW]))
    assert (human.id, human.entry_point, human.feedback, len(human.hidden)) == ("HumanEval/0", "half", None, 2)
    (mbpp,) = MBPP.queries(write(tmp_path / "m.jsonl", [MBPP_ROW]))
    assert mbpp.problem == "Write a function to double a number.\n\ndef double(x):"
    assert (mbpp.id, mbpp.hidden.setup, mbpp.reference) == ("MBPP/3", "import math", MBPP_ROW["code"])
    (bigcode,) = BIGCODEBENCH.queries(write(tmp_path / "b.jsonl", [BIGCODE_ROW]))
    assert bigcode.problem == BIGCODE_ROW["complete_prompt"]
    assert bigcode.metadata["libraries"] == ["numpy"]
    (instruct,) = benchmarks.BIGCODEBENCH_INSTRUCT.queries(tmp_path / "b.jsonl")
    assert (instruct.problem, instruct.reference) == ("Double x.", bigcode.reference)


@pytest.mark.parametrize("packed", [False, True])
def test_a_folder_holds_the_file_under_a_usual_name(tmp_path, packed):
    write(tmp_path / "HumanEval.jsonl.gz", [HUMANEVAL_ROW], packed)  # packed or not, whatever the name says
    assert [query.id for query in HUMANEVAL.queries(tmp_path)] == ["HumanEval/0"]
    with pytest.raises(QueryError, match=r"holds none of mbpp's files \(sanitized-mbpp.json, "):
        MBPP.queries(tmp_path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"{", "cannot read benchmark data"),
        (b"\x1f\x8bnothing", "cannot read benchmark data"),
        (b"[1]", "a row is no JSON object"),
        (b'{"task_id": 1}', "is no humaneval data: a row has no field 'prompt'"),
        (json.dumps(HUMANEVAL_ROW | {"test": "def check(:"}).encode(), "does not parse"),
    ],
)
def test_what_is_no_benchmark_is_said(tmp_path, content, said):
    (tmp_path / "x.jsonl").write_bytes(content)
    with pytest.raises(QueryError, match=said):
        HUMANEVAL.queries(tmp_path / "x.jsonl")


def test_other_rows_than_the_published_ones_are_warned_of(tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        HUMANEVAL.queries(write(tmp_path / "h.jsonl", [HUMANEVAL_ROW]))
    assert "humaneval: the 1 rows of" in caplog.text
    assert "are not the published ones" in caplog.text


def test_a_fingerprint_is_of_what_counts_in_whatever_order():
    rows = [HUMANEVAL_ROW, HUMANEVAL_ROW | {"task_id": "HumanEval/1"}]
    known = fingerprint(rows, HUMANEVAL.fields)
    assert fingerprint(rows[::-1], HUMANEVAL.fields) == known
    assert fingerprint([row | {"canonical_solution": ""} for row in rows], HUMANEVAL.fields) == known
    assert fingerprint([rows[0], rows[1] | {"test": ""}], HUMANEVAL.fields) != known


def test_without_a_file_rows_come_from_the_hub_by_name(monkeypatch):
    datasets = pytest.importorskip("datasets")
    asked = []

    def load(*given, **named):
        asked.append((*given, named["split"]))
        return datasets.Dataset.from_list([HUMANEVAL_ROW])

    monkeypatch.setattr(datasets, "load_dataset", load)
    assert [query.id for query in HUMANEVAL.queries()] == ["HumanEval/0"]
    assert asked == [("openai/openai_humaneval", None, "test")]


def test_without_file_and_network_both_remedies_are_named():
    pytest.importorskip("datasets")
    with pytest.raises(QueryError) as raised:
        HUMANEVAL.queries()
    assert "cannot be loaded from the hub (openai/openai_humaneval)" in str(raised.value)
    assert "get its file (HumanEval.jsonl.gz or HumanEval.jsonl) and pass --data PATH" in str(raised.value)


def test_without_the_library_it_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "datasets", None)
    with pytest.raises(QueryError, match=r'pip install "flowreasoner\[benchmarks\]" loads it by name, or get its file'):
        HUMANEVAL.queries()


COUNTS = {
    "HUMANEVAL": 164,
    "HUMANEVAL_VALIDATE": 33,
    "HUMANEVAL_TEST": 131,
    "MBPP": 427,
    "MBPP_VALIDATE": 86,
    "MBPP_TEST": 341,
    "MBPP_FULL": 974,
    "MBPP_TRAIN": 374,
    "BIGCODEBENCH": 1140,
    "BIGCODEBENCH_INSTRUCT": 1140,
    "BIGCODEBENCH_VALIDATE": 228,
    "BIGCODEBENCH_TEST": 912,
}


@pytest.mark.slow
@pytest.mark.shared_data
@pytest.mark.parametrize(("name", "count"), COUNTS.items())
def test_published_files_hold_what_is_published(name, count, shared_data, caplog):
    queries = list(getattr(benchmarks, name).queries(shared_data))
    assert len(queries) == count
    assert caplog.text == ""
    assert len({query.id for query in queries}) == len(queries)


@pytest.mark.shared_data
def test_aflows_parts_of_mbpp_are_numpys_shuffle(shared_data):
    numpy = pytest.importorskip("numpy")
    ids = [row["task_id"] for row in rows_of_file(shared_data / "sanitized-mbpp.json.gz")]
    order = numpy.arange(len(ids))
    numpy.random.RandomState(42).shuffle(order)
    validate = {f"MBPP/{ids[place]}" for place in order[:86]}
    assert {query.id for query in benchmarks.MBPP_VALIDATE.queries(shared_data)} == validate
    rest = {f"MBPP/{number}" for number in ids} - validate
    assert {query.id for query in benchmarks.MBPP_TEST.queries(shared_data)} == rest


@pytest.mark.shared_data
def test_aflows_parts_of_humaneval_are_numpys_shuffle(shared_data):
    numpy = pytest.importorskip("numpy")
    ids = [row["task_id"] for row in rows_of_file(shared_data / "HumanEval.jsonl.gz")]
    order = numpy.arange(len(ids))
    numpy.random.RandomState(42).shuffle(order)
    validate = {ids[place] for place in order[:33]}
    assert {query.id for query in benchmarks.HUMANEVAL_VALIDATE.queries(shared_data)} == validate
    assert {query.id for query in benchmarks.HUMANEVAL_TEST.queries(shared_data)} == set(ids) - validate


@pytest.mark.shared_data
def test_the_training_part_of_mbpp_is_that_of_its_paper(shared_data):
    assert [query.id for query in benchmarks.MBPP_TRAIN.queries(shared_data)] == [
        f"MBPP/{number}" for number in range(601, 975)
    ]
    assert len(list(MBPP_FULL.queries(shared_data))) == 974


def test_the_hard_part_has_a_file_of_its_own(tmp_path):
    with pytest.raises(QueryError, match=r"BigCodeBench-Hard.jsonl"):
        BIGCODEBENCH_HARD.queries(tmp_path)


@pytest.mark.parametrize("name", ["HUMANEVAL", "MBPP", "BIGCODEBENCH"])
def test_a_test_part_and_its_training_part_share_nothing(name):
    tested, whole = getattr(benchmarks, f"{name}_TEST"), getattr(benchmarks, name)
    training = getattr(benchmarks, f"{name}_VALIDATE")
    assert tested.training == whole.training == training.name
    assert tested.without == training.only
