"""Suites as data: how tests are read, refused, kept and split."""

import ast
from dataclasses import asdict

import pytest

from flowreasoner.errors import QueryError
from flowreasoner.sandbox import Suite

CHECK = """
SHARED = 5

def reference(x):
    return x + SHARED

def check(candidate):
    assert candidate(1) == 'MARKER_A'
    expected = ['MARKER_B']
    assert candidate(2) == expected
    for item in ['MARKER_C1', 'MARKER_C2']:
        assert candidate(item)
    if SHARED:
        assert candidate(4) == reference('MARKER_D')
"""

UNITTEST = """
import unittest

TABLE = {"x": "MARKER_B"}

class TestOne(unittest.TestCase):
    def setUp(self):
        self.base = 10

    def test_a(self):
        self.assertEqual(f(1), 'MARKER_A')

    def test_b(self):
        self.assertEqual(f(2), TABLE["x"])

class TestTwo(unittest.IsolatedAsyncioTestCase):
    def setUp(self):
        self.seen = 'MARKER_C'

    async def test_c(self):
        self.assertEqual(f(3), self.seen)
"""


def text_of(suite):
    return repr(asdict(suite))


# --- constructors ----------------------------------------------------------------------------------------


def test_each_assert_item_is_one_test_shown_as_it_was_written():
    suite = Suite.asserts(["assert f(1) == 2", "x = 3\nassert f(x) == 4\nassert f(0) == 1\n"], "f")
    assert [(case.id, case.source) for case in suite.cases] == [
        ("assert-1", "assert f(1) == 2"),
        ("assert-2", "x = 3\nassert f(x) == 4\nassert f(0) == 1"),
    ]


def test_each_assert_of_a_check_module_is_one_test():
    suite = Suite.check(CHECK, "f")
    assert [case.source for case in suite.cases] == [
        "assert candidate(1) == 'MARKER_A'",
        "assert candidate(2) == expected",
        "assert candidate(item)",
        "assert candidate(4) == reference('MARKER_D')",
    ]


def test_each_method_of_a_unittest_class_is_one_test_async_ones_too():
    suite = Suite.unittest(UNITTEST, "f")
    assert [case.id for case in suite.cases] == ["TestOne.test_a", "TestOne.test_b", "TestTwo.test_c"]


def test_a_method_defined_twice_is_one_test():
    source = "class T:\n def test_a(self): assert 0\n def test_a(self): pass\n def test_b(self): pass"
    suite = Suite.unittest(source)
    assert [case.id for case in suite.cases] == ["T.test_a", "T.test_b"]
    assert "assert 0" not in suite.cases[0].source


@pytest.mark.parametrize(
    ("printed", "expected", "same"),
    [
        ("1  \r\n2\n\n", "1\n2", True),
        ("1\n2", "1\n2 \r\n", True),
        ("1\x0c2\x1c3\u20284", "1\n2\n3\n4", False),
        ("1\v2\x853", "1\n2\n3", False),
        ("1\r2", "1\n2", False),
        ("1\n\n2", "1\n2", False),
    ],
)
def test_output_is_compared_line_by_line_and_only_newlines_end_lines(printed, expected, same):
    assert Suite.io([("", expected)]).cases[0].expects(printed) is same


def test_an_io_pair_is_one_test_that_shows_both_sides():
    suite = Suite.io([("1 2\n", "3\n"), ("", "x")])
    assert [case.id for case in suite.cases] == ["io-1", "io-2"]
    assert suite.cases[0].source == r"input: '1 2\n' -> output: '3\n'"


def test_a_command_is_one_test():
    suite = Suite.command("pytest -q", "checks", "pkg/answer.py")
    assert len(suite) == 1
    assert (suite.body, suite.directory, suite.answer_file) == ("pytest -q", "checks", "pkg/answer.py")


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Suite.asserts(["assert f(1) ==", "assert f(2)"]), r"test 1 does not parse: .* at line 1"),
        (lambda: Suite.asserts(["assert f(1)", "f(2) == 3"]), r"test 2 has no assert statement: 'f\(2\) == 3'"),
        (lambda: Suite.asserts(["def test_f():\n    assert f(1)"]), r"test 1 only defines .*'def test_f\(\)"),
        (lambda: Suite.asserts(["assert f(1)\0"]), "test 1 does not parse"),
        (lambda: Suite.asserts(["assert f('\ud800')"]), "test 1 does not parse"),
        (lambda: Suite.asserts([]), "no tests"),
        (lambda: Suite.asserts(["assert f(1)"], setup="import"), "the tests' setup does not parse"),
        (lambda: Suite.check("def check(c):\n  assert c(1", "f"), "the check module does not parse"),
        (lambda: Suite.check("def verify(c): assert c(1)", "f"), r"must define check\(candidate\)"),
        (lambda: Suite.check("def check(c): c(1)", "f"), "contains no assert"),
        (lambda: Suite.check("def check(c): assert c(1)", ""), "needs the entry point"),
        (lambda: Suite.check("def check(c): assert c(1)", "f", "import"), "the tests' setup does not parse"),
        (lambda: Suite.unittest("def test_f(): pass"), "no class with test methods"),
        (lambda: Suite.unittest("class T(:"), "the unittest module does not parse"),
        (lambda: Suite.unittest("class T:\n def test(self): 0", setup="1 +"), "the tests' setup does not parse"),
        (lambda: Suite.io([]), "no input/output pairs"),
        (lambda: Suite.command("  "), "the check command is empty"),
        (lambda: Suite.asserts("assert f(1) == 1", "f"), "give the tests as a list of statements"),
        (lambda: Suite.command("pytest 'tests"), r"cannot be read: No closing quotation: \"pytest 'tests\""),
        (lambda: Suite.command("pytest", answer_file="../answer.py"), r"inside the check's folder, not '../answer.py'"),
        (lambda: Suite.command("pytest", answer_file="/answer.py"), "inside the check's folder, not '/answer.py'"),
        (lambda: Suite.command("pytest", answer_file=""), "inside the check's folder, not ''"),
    ],
)
def test_tests_that_cannot_be_used_are_refused_with_the_reason(build, message):
    with pytest.raises(QueryError, match=message):
        build()


# --- keep ------------------------------------------------------------------------------------------------


def test_keep_takes_the_text_of_other_asserts_out_of_every_field():
    suite = Suite.asserts([f"v{n} = 'MARKER_{n}'\nassert f(v{n})" for n in "ABC"], "f")
    kept = suite.keep({"assert-2"})
    assert [case.id for case in kept.cases] == ["assert-2"]
    assert "MARKER_B" in text_of(kept)
    assert not any(marker in text_of(kept) for marker in ("MARKER_A", "MARKER_C"))


@pytest.mark.parametrize("letter", "ABCD")
def test_keep_takes_the_text_of_other_check_tests_out_of_every_field(letter):
    suite = Suite.check(CHECK, "f")
    kept = suite.keep({f"check-{'ABCD'.index(letter) + 1}"})
    assert f"MARKER_{letter}" in text_of(kept)
    others = {"MARKER_A", "MARKER_B", "MARKER_C", "MARKER_D"} - {f"MARKER_{letter}"}
    assert not any(marker in text_of(kept) for marker in others)
    ast.parse(kept.body)


@pytest.mark.parametrize("letter", "ABC")
def test_keep_takes_the_text_of_other_methods_out_of_every_field(letter):
    suite = Suite.unittest(UNITTEST, "f")
    kept = suite.keep({suite.cases["ABC".index(letter)].id})
    assert f"MARKER_{letter}" in text_of(kept)
    assert not any(f"MARKER_{other}" in text_of(kept) for other in set("ABC") - {letter})
    assert "import unittest" in kept.body


def test_keep_takes_other_io_pairs_out_of_every_field():
    kept = Suite.io([("MARKER_A", "MARKER_B"), ("c", "d")]).keep({"io-2"})
    assert len(kept) == 1
    assert "MARKER" not in text_of(kept)


def test_keep_leaves_what_calls_the_candidate_because_a_kept_test_may_rest_on_it():
    suite = Suite.check("def check(S):\n s = S()\n first = s.push(1)\n assert first\n assert s.size() == 1", "S")
    kept = suite.keep({"check-2"})
    assert "first = s.push(1)" in kept.body
    assert "assert first" not in text_of(kept)


def test_keep_leaves_a_counter_that_is_still_counted():
    suite = Suite.check("def check(c):\n n = 0\n n += c(1)\n assert n\n assert c(2)", "f")
    assert "n = 0" in suite.keep({"check-2"}).body


@pytest.mark.parametrize(
    "block",
    [
        "while x:\n  assert c(1)",
        "try:\n  assert c(1)\n except ValueError:\n  assert c(2)",
        "try:\n  c(0)\n finally:\n  assert c(1)",
        "with c:\n  assert c(1)",
        "match x:\n  case 1:\n   assert c(1)",
        "if c(0):\n  assert c(1)\n else:\n  assert c(2)",
        "def inner():\n  assert c(1)\n inner()",
        "class Inner:\n  assert c(1)",
        "for x in c(0):\n  assert c(1)",
    ],
)
def test_keep_leaves_a_module_that_parses_whatever_block_a_test_stood_in(block):
    suite = Suite.check(f"def check(c):\n x = 1\n {block}\n assert c('last')", "f")
    kept = suite.keep({suite.cases[-1].id})
    ast.parse(kept.body)
    assert kept.body.count("__site__(0)") == 1
    assert "__site__(1)" not in kept.body
    assert "while" not in kept.body  # an emptied loop might never end


def test_keep_can_be_repeated():
    suite = Suite.check(CHECK, "f").keep({"check-1", "check-2", "check-4"}).keep({"check-4"})
    assert [case.id for case in suite.cases] == ["check-4"]
    assert "MARKER_D" in suite.body
    assert "__site__(0)" in suite.body


@pytest.mark.parametrize("form", ["asserts", "check", "unittest"])
def test_escapes_that_python_warns_of_give_no_warning_when_a_suite_is_built_or_kept(form):
    tests = {
        "asserts": ["assert f('\\d')", "assert f('\\w')"],
        "check": "def check(c):\n assert c('\\d')\n assert c('\\w')",
        "unittest": "class T:\n def test_a(self): f('\\d')\n def test_b(self): f('\\w')",
    }
    suite = Suite.from_json({"format": form, "source": tests[form]}, "f")
    kept = suite.keep({suite.cases[1].id})
    assert "w" in kept.cases[0].source
    assert "'\\\\d'" not in text_of(kept)


def test_keeping_everything_returns_the_suite_itself():
    suite = Suite.check(CHECK, "f")
    assert suite.keep({case.id for case in suite.cases}) is suite


# --- split -----------------------------------------------------------------------------------------------

SUITES = [
    Suite.asserts([f"assert f({n}) == {n}" for n in range(7)], "f"),
    Suite.check("def check(c):\n" + "\n".join(f"    assert c({n}) == {n}" for n in range(7)), "f"),
    Suite.unittest("class T:\n" + "\n".join(f"    def test_{n}(self): pass" for n in range(7))),
    Suite.io([(str(n), str(n)) for n in range(7)]),
]


@pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.format)
@pytest.mark.parametrize("share", [-1, 0, 0.001, 0.3, 0.5, 0.999, 1, 7])
def test_the_parts_of_a_split_are_disjoint_complete_and_not_empty(suite, share):
    feedback, hidden = suite.split(share, seed=3)
    ids = [{case.id for case in part.cases} for part in (feedback, hidden)]
    assert all(ids)
    assert ids[0] & ids[1] == set()
    assert ids[0] | ids[1] == {case.id for case in suite.cases}


def test_a_split_depends_on_its_seed_and_on_nothing_else():
    suite = SUITES[0]
    assert suite.split(0.5, seed=1) == suite.split(0.5, seed=1)
    assert len({suite.split(0.5, seed)[0] for seed in range(20)}) > 5


def test_a_split_has_the_share_that_was_asked_for():
    assert [len(part) for part in SUITES[0].split(0.3)] == [2, 5]


def test_one_test_cannot_be_split():
    with pytest.raises(QueryError, match="suite of 1 test cannot be split"):
        Suite.command("pytest").split()


# --- from_json -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (["assert f(1) == 2"], Suite.asserts(["assert f(1) == 2"], "f", "import math")),
        ("assert f(1)\nassert f(2)", Suite.asserts(["assert f(1)", "assert f(2)"], "f", "import math")),
        ({"format": "asserts", "source": ["assert f(1)"]}, Suite.asserts(["assert f(1)"], "f", "import math")),
        (
            {"format": "asserts", "source": "assert f(1)", "setup": "x = 1"},
            Suite.asserts(["assert f(1)"], "f", "x = 1"),
        ),
        (
            {"format": "asserts", "source": "assert f(1)", "setup": None},
            Suite.asserts(["assert f(1)"], "f", "import math"),
        ),
        ({"format": "check", "source": CHECK}, Suite.check(CHECK, "f", "import math")),
        ({"format": "unittest", "source": UNITTEST}, Suite.unittest(UNITTEST, "f", "import math")),
        ({"format": "io", "source": [{"input": "1", "output": "2"}]}, Suite.io([("1", "2")])),
        ({"format": "command", "source": "pytest -q"}, Suite.command("pytest -q")),
        (
            {"format": "command", "source": "make", "directory": "d", "answer_file": "a.py"},
            Suite.command("make", "d", "a.py"),
        ),
    ],
)
def test_a_suite_is_read_from_its_form_in_a_query_file(value, expected):
    assert Suite.from_json(value, "f", "import math") == expected


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (3, "must be a list of asserts or an object with 'format' and 'source', not 3"),
        (None, "not None"),
        ({"format": "asserts"}, r"not {'format': 'asserts'}"),
        ({"source": "assert 1"}, r"not {'source': 'assert 1'}"),
        (
            {"format": "doctest", "source": ""},
            "unknown test format 'doctest'; use asserts, check, unittest, io or command",
        ),
        ({"format": ["io"], "source": ""}, r"unknown test format \['io'\]"),
        ([1, 2], r"must be a list of strings or one string, not \[1, 2\]"),
        ([], "no tests"),
        ("", "no tests"),
        ({"format": "asserts", "source": {"a": 1}}, r"not {'a': 1}"),
        ({"format": "asserts", "source": "assert f(1)", "setup": 3}, "'setup' of the tests must be a string, not 3"),
        ({"format": "check", "source": ["x"]}, r"the source of 'check' tests must be a string, not \['x'\]"),
        ({"format": "unittest", "source": 3}, "the source of 'unittest' tests must be a string, not 3"),
        ({"format": "io", "source": "1 2"}, "the source of 'io' tests must be a list of objects, not '1 2'"),
        ({"format": "io", "source": [["1", "2"]]}, r"strings 'input' and 'output', not \['1', '2'\]"),
        ({"format": "io", "source": [{"input": "1", "output": 2}]}, r"not {'input': '1', 'output': 2}"),
        (
            {"format": "command", "source": ["pytest"]},
            r"the source of 'command' tests must be a string, not \['pytest'\]",
        ),
        ({"format": "command", "source": "a", "directory": 1}, "'directory' of the tests must be a string, not 1"),
        ({"format": "command", "source": "a", "answer_file": 1}, "'answer_file' of the tests must be a string, not 1"),
    ],
)
def test_another_form_is_refused_with_a_message_that_names_the_value(value, message):
    with pytest.raises(QueryError, match=message):
        Suite.from_json(value, "f")


def test_a_refusal_does_not_repeat_a_huge_value():
    with pytest.raises(QueryError) as raised:
        Suite.from_json({"format": "check", "source": ["x" * 10_000]}, "f")
    assert len(str(raised.value)) < 300


def test_a_number_that_cannot_be_written_anew_is_named():
    huge = "0x" + "f" * 6000
    with pytest.raises(QueryError, match="test 1 cannot be used: Exceeds the limit"):
        Suite.asserts([f"assert f({huge}) == 1"], "f")
    with pytest.raises(QueryError, match="the check module cannot be used"):
        Suite.check(f"def check(candidate):\n    assert candidate({huge})", "f")
