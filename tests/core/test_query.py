import json
from importlib import resources

import jsonschema
import pytest

from flowreasoner import Query, Suite, load_query
from flowreasoner.errors import QueryError
from flowreasoner.query_file import query_from_json, query_schema

FULL = {
    "id": "add",
    "problem": "Add two numbers.",
    "entry_point": "add",
    "tests": {
        "feedback": ["assert add(1, 2) == 3"],
        "hidden": {"format": "check", "source": "def check(candidate):\n    assert candidate(2, 2) == 4\n"},
    },
    "reference": "def add(a, b):\n    return a + b",
    "metadata": {"level": 1},
}


def test_a_query_file_becomes_a_query(tmp_path):
    file = tmp_path / "q.json"
    file.write_text(json.dumps(FULL))
    query = load_query(file)
    assert (query.id, query.entry_point, query.policy) == ("add", "add", "given")
    assert query.test_cases() == ["assert add(1, 2) == 3"]
    assert [case.id for case in query.hidden.cases] == ["check-1"]
    assert query.metadata == {"level": 1}


def test_yaml_is_read_too(tmp_path):
    file = tmp_path / "q.yaml"
    file.write_text("problem: |\n  Do it.\ncheck: pytest -q\n")
    query = load_query(file)
    assert query.feedback.format == "command"
    assert query.feedback.body == "pytest -q"
    assert query.id.startswith("query-")


BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{name}: &{name} [{','.join([f'*{before}'] * 9)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("q.yaml", BOMB + "problem: *i\n", r"aliases \(\*name\) cannot be used"),
        ("q.yaml", "problem: !!int ''\n", "is not valid YAML"),
        ("q.yaml", "problem: !!timestamp x\n", "is not valid YAML"),
        (
            "q.yaml",
            f"problem: 0x{'f' * 5000}\n",
            "problem: Input should be a valid string, got a number of many digits",
        ),
        ("q.yaml", "problem: [[[[[", "is not valid YAML"),
        ("q.json", '{"problem": ' + "[" * 100_000, "is not valid JSON"),
        ("q.json", '{"problem": "a", "problem": "b"}', "'problem' stands there twice"),
        ("q.json", '{"problem": "half \\ud83d"}', "half of a surrogate pair"),
        ("q.json", '{"problem": ["' + "x" * 10**6 + '"]}', r"got \['xxx"),
    ],
)
def test_absurd_files_are_refused_in_one_short_line(tmp_path, name, text, message):
    (tmp_path / name).write_text(text)
    with pytest.raises(QueryError, match=message) as caught:
        load_query(tmp_path / name)
    assert len(str(caught.value)) < 700


def test_a_byte_order_mark_is_no_hindrance(tmp_path):
    (tmp_path / "q.json").write_bytes(b'\xef\xbb\xbf{"problem": "p"}')
    assert load_query(tmp_path / "q.json").problem == "p"


def test_what_is_no_text_or_no_suite_is_refused():
    with pytest.raises(QueryError, match="give it as UTF-8"):
        Query("Write f \udcff")
    with pytest.raises(QueryError, match=r"feedback must be a Suite, e.g. Suite.asserts\(\[...\]\), not list"):
        Query("p", feedback=["assert f(1) == 1"])


@pytest.mark.parametrize(
    ("problem", "title"),
    [
        ("from typing import List\n\n\ndef f(x: List):\n    pass", "def f(x: List):"),
        ("Write " + "a long text " * 20, "Write " + "a long text " * 6 + "a…"),
        ("import os", "import os"),
    ],
)
def test_the_title_is_the_first_line_that_says_something(problem, title):
    assert Query(problem).title == title


@pytest.mark.parametrize(
    ("tests", "format_", "count"),
    [
        (["assert f(1) == 1", "assert f(2) == 2"], "asserts", 2),
        ({"format": "asserts", "source": "assert f(1) == 1\nassert f(2) == 2"}, "asserts", 2),
        ({"format": "check", "source": "def check(candidate):\n    assert candidate(1) == 1"}, "check", 1),
        (
            {
                "format": "unittest",
                "source": "import unittest\nclass T(unittest.TestCase):\n    def test_a(self): pass",
            },
            "unittest",
            1,
        ),
        ({"format": "io", "source": [{"input": "1", "output": "2"}]}, "io", 1),
        ({"format": "command", "source": "true"}, "command", 1),
    ],
)
def test_all_five_formats_are_read(tests, format_, count):
    query = query_from_json({"problem": "p", "entry_point": "f", "tests": {"feedback": tests}})
    assert (query.feedback.format, len(query.feedback)) == (format_, count)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([], r"a query is an object with at least 'problem', not list"),
        ({}, r"problem: Field required"),
        ({"problem": ""}, r"problem: String should have at least 1 character, got ''"),
        ({"problem": "  "}, r"the query's problem is empty"),
        ({"problem": 5}, r"problem: Input should be a valid string, got 5"),
        ({"problem": "p", "prolem": "x"}, r"prolem: Extra inputs are not permitted, got 'x', did you mean 'problem'\?"),
        ({"problem": "p", "tests": ["assert 1"]}, r"tests: .*valid dictionary"),
        ({"problem": "p", "tests": {"feedback": []}}, r"a list of tests is empty"),
        ({"problem": "p", "tests": {"feedback": ["assert ("]}}, r"test 1 does not parse: '\(' was never closed"),
        ({"problem": "p", "tests": {"feedback": ["x = 1"]}}, r"test 1 has no assert statement: 'x = 1'"),
        ({"problem": "p", "tests": {"feedback": {"format": "chek", "source": ""}}}, r"tag 'chek' found"),
        (
            {"problem": "p", "tests": {"hidden": {"format": "check", "source": "x = 1"}}},
            r"must define check\(candidate\)",
        ),
        ({"problem": "p", "tests": {"feedback": {"format": "io", "source": ["x"]}}}, r"tests.feedback.*source.0"),
        ({"problem": "p", "check": "true", "tests": {"feedback": ["assert 1"]}}, r"either 'check' or 'tests.feedback'"),
    ],
)
def test_a_query_that_cannot_be_used_says_where_and_why(value, message):
    with pytest.raises(QueryError, match=message) as caught:
        query_from_json(value, where="my.yaml")
    if value != {"problem": "  "}:
        assert str(caught.value).startswith("my.yaml: ")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("absent.json", None, r"there is no file '.*absent.json'"),
        ("bad.json", "{", r"bad.json is not valid JSON: Expecting property name"),
        ("bad.yaml", "a: [", r"bad.yaml is not valid YAML: while parsing"),
        ("list.yaml", "- a", r"not list"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path, name, content, message):
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(QueryError, match=message):
        load_query(tmp_path / name)


def test_the_schema_in_the_package_is_current_and_accepts_what_the_reader_accepts():
    packaged = json.loads((resources.files("flowreasoner") / "query.schema.json").read_text())
    assert packaged == query_schema()
    jsonschema.Draft202012Validator.check_schema(packaged)
    jsonschema.validate(FULL, packaged)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"problem": "p", "other": 1}, packaged)


# --- policies ---

HIDDEN = Suite.asserts([f"assert f({number}) == {number}" for number in range(10)], "f")


def test_all_uses_every_test_twice_and_says_it_leaks():
    query = Query("p", entry_point="f", hidden=HIDDEN).with_policy("all")
    assert query.feedback is query.hidden is HIDDEN
    assert query.leaky


def test_split_is_seeded_disjoint_and_complete():
    query = Query("p", entry_point="f", hidden=HIDDEN)
    one, same, other = (query.with_policy("split", seed=seed) for seed in (1, 1, 2))
    ids = [{case.id for case in suite.cases} for suite in (one.feedback, one.hidden)]
    assert ids[0] & ids[1] == set()
    assert ids[0] | ids[1] == {case.id for case in HIDDEN.cases}
    assert one.feedback == same.feedback
    assert one.feedback != other.feedback
    assert not one.leaky


def test_public_takes_the_examples_of_the_problem():
    problem = "Double it.\n\n>>> f(2)\n4\n>>> f('a')\n'aa'\n>>> print(f(1))\n2\n"
    query = Query(problem, entry_point="f", hidden=HIDDEN).with_policy("public")
    assert query.test_cases()[:2] == ["assert f(2) == 4", "assert f('a') == 'aa'"]
    assert query.hidden is HIDDEN


@pytest.mark.parametrize("quotes", ['"""', "'''"])
def test_the_last_example_of_a_docstring_is_one_too(quotes):
    problem = f"def half(n):\n    {quotes}Half of n.\n    >>> half(4)\n    2\n    >>> half(6)\n    3\n    {quotes}\n"
    query = Query(problem, entry_point="half", hidden=Suite.asserts(["assert half(2) == 1"], "half"))
    assert query.with_policy("public").test_cases() == ["assert half(4) == 2", "assert half(6) == 3"]


def test_policies_need_tests_or_examples():
    with pytest.raises(QueryError, match="has no tests to divide by the policy 'split'"):
        Query("p").with_policy("split")
    with pytest.raises(QueryError, match="has no >>> examples"):
        Query("p", hidden=HIDDEN).with_policy("public")


def test_the_digest_ignores_hidden_tests_and_sees_the_rest():
    base = Query("p", id="q", entry_point="f", feedback=HIDDEN)
    assert base.digest() == Query("p", id="q", entry_point="f", feedback=HIDDEN, hidden=HIDDEN).digest()
    assert base.digest() != Query("p!", id="q", entry_point="f", feedback=HIDDEN).digest()
    assert base.digest() != Query("p", id="q", entry_point="f").digest()


def test_a_plugins_format_is_read_by_its_reader():
    value = {"problem": "p", "entry_point": "f", "tests": {"feedback": {"format": "table", "source": [[1, 2]]}}}

    def reader(source, entry_point):
        return Suite.asserts([f"assert {entry_point}({given}) == {want}" for given, want in source], entry_point)

    query = query_from_json(value, formats={"table": reader})
    assert query.test_cases() == ["assert f(1) == 2"]
    with pytest.raises(QueryError, match="tag 'table' found"):
        query_from_json(value)
