"""The contrary of unittest classes: right programs fail it, and programs that pass everything are found out."""

import ast
import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sandboxes import details, outcomes

from flowreasoner.sandbox import Pool, Suite
from flowreasoner.sandbox.contrary import contrary_of
from flowreasoner.sandbox.near import another, written

METHODS = [
    "self.assertEqual(f(1), 2)",
    "self.assertEqual(2, f(1))",
    "self.assertEqual([f(1)], [2])",
    "self.assertEqual({'a': f(1)}, {'a': 2})",
    "self.assertEqual(str(f(1)), '2')",
    "self.assertEqual(f(1) == 2, True)",
    "self.assertEqual([], [f(1)][1:])",
    "self.assertEqual(f(1), 1 + 1)",
    "self.assertNotEqual(f(1), 3)",
    "self.assertAlmostEqual(f(1.0), 2.0, delta=0.1)",
    "self.assertAlmostEqual(f(1.0), -(-2.0), places=3)",
    "self.assertTrue(f(1) == 2)",
    "self.assertFalse(f(1) == 3)",
    "self.assertIn(f(1), [2])",
    "self.assertIsInstance(f(1), int)",
    "self.assertIsNotNone(f(1))",
    "self.assertGreater(f(1), 1)",
    "self.assertLessEqual(f(1), 2)",
    "self.assertDictEqual({f(1): (1, b'x')}, {2: (1, b'x')})",
    "assert f(1) == 2",
    "for n in (1, 2):\n            self.assertEqual(f(n), 2 * n)",
    "x = f(1)\n        self.assertEqual(f(2), 2 * x)",
    "self.assertIsInstance(f(1), int)\n        self.assertEqual(f(1), 2)\n        self.assertIsNotNone(f(1))",
    "self.assertCountEqual([f(1), 1], [1, 2])",
    "with open(os.devnull):\n            self.assertSetEqual({f(1), f(2)}, {2, 4})",
    "if f(1) == 3:\n            self.assertEqual(f(1), 5)\n        self.assertTrue(f(1) == 2)",
    "if f(1) == 2:\n            return self.assertEqual(f(1), 2)\n        self.assertEqual(f(1), 5)",
    "self.assertEqual(str([f(1), None, '']), \"[2, None, '']\")",
    "self.assertEqual((f(1), None, '', {}, [], 1e-9, b'', True), (2, None, '', {}, [], 1e-9, b'', True))",
    "self.assertAlmostEqual(f(1e6), 2e6, places=-2)",
    "self.assertIn(f(1), (1, 2, 3))",
]
SUITE = Suite.unittest(
    "import unittest, os\nclass T(unittest.TestCase):\n"
    + "".join(f"    def test_{n:02}(self):\n        {body}\n" for n, body in enumerate(METHODS)),
    "f",
)
RIGHT = "def f(x): return 2 * x"


@pytest.fixture(scope="module")
def sandbox():
    pool = Pool("process", workers=1)
    yield pool
    asyncio.run(pool.aclose())


async def test_a_right_program_passes_the_tests(sandbox):
    verdict = await sandbox.grade(RIGHT, SUITE)
    assert verdict.passed, details(verdict)
    assert verdict.integrity == "in_process"


@pytest.mark.parametrize("again", range(3))
async def test_and_none_of_their_contrary(sandbox, again):
    contrary, changed = contrary_of(SUITE)
    assert changed == {case.id for case in SUITE.cases}
    verdict = await sandbox.grade(RIGHT, contrary)
    assert set(outcomes(verdict)) == {"fail"}


EVERYTHING = {
    "a patched framework": "import unittest\nunittest.TestCase.run = lambda self, r=None: r\ndef f(x): return 0",
    "an object of a class": "class f:\n    def __init__(self, x): pass\n    def __eq__(self, o): return True\n"
    "    def __ne__(self, o): return False\n    __hash__ = object.__hash__",
    "the tests' own code": "import sys\ndef f(x):\n    def find(frame):\n"
    "        return frame.f_code.co_consts\n    return [c for c in find(sys._getframe(1)) if isinstance(c, int)][-1]",
}


@pytest.mark.parametrize("code", EVERYTHING.values(), ids=EVERYTHING)
async def test_a_program_that_passes_whatever_is_expected_is_found_out(sandbox, code):
    suite = Suite.unittest(
        "import unittest, os\nclass T(unittest.TestCase):\n    def test_a(self): self.assertEqual(f(1), 2)", "f"
    )
    for _ in range(4):
        verdict = await sandbox.grade(code, suite)
        assert not verdict.passed
        assert (verdict.status, verdict.pass_rate) == ("tampered", 0.0)


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda parts: st.lists(parts) | st.tuples(parts, parts) | st.dictionaries(st.text(), parts),
)


@given(PLAIN)
def test_another_value_is_another_one_and_looks_alike(value):
    found = another(value)
    assert found != value
    assert ast.literal_eval(ast.unparse(ast.fix_missing_locations(written(found)))) == found
    if isinstance(value, str | list) and value:
        assert len(found) == len(value)


@given(st.integers(-(10**9), 10**9) | st.floats(-1e9, 1e9), st.floats(1e-7, 1e3))
def test_another_number_is_further_off_than_what_counts_as_equal(value, tolerance):
    assert abs(another(value, tolerance) - value) > tolerance


@given(st.integers(-(10**6), 10**6))
def test_another_number_is_no_larger_by_the_order(value):
    assert all(len(str(abs(another(value)))) <= len(str(abs(value))) + 1 for _ in range(20))


async def test_what_a_program_swallows_is_found_out(sandbox):
    code = """
class Store:
    def __enter__(self): return self
    def __exit__(self, *_): return True
    def get(self, key): return None
"""
    tests = """
import unittest, os
class T(unittest.TestCase):
    def test_a(self):
        with Store() as s:
            self.assertEqual(s.get("x"), 1)
"""
    verdict = await sandbox.grade(code, Suite.unittest(tests, "Store"))
    assert (verdict.passed, verdict.status) == (False, "tampered")


UNREACHED = """
import unittest, os
class T(unittest.TestCase):
    def test_a(self):
        with self.assertRaises(ZeroDivisionError):
            x = f(1) / 0
            self.assertEqual(x, 5)
    @unittest.expectedFailure
    def test_b(self):
        self.assertEqual(f(1), 3)
"""


async def test_what_a_right_program_never_gets_to_does_not_speak_against_it(sandbox):
    suite = Suite.unittest(UNREACHED, "f")
    assert contrary_of(suite)[1] == set()
    verdict = await sandbox.grade(RIGHT, suite)
    assert verdict.passed, details(verdict)


async def test_a_suite_without_assertions_has_no_contrary(sandbox):
    suite = Suite.unittest("import unittest, os\nclass T(unittest.TestCase):\n    def test_a(self): f(1)", "f")
    assert contrary_of(suite)[1] == set()
    assert (await sandbox.grade(RIGHT, suite)).passed
