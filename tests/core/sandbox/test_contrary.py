"""The contrary of unittest classes: right programs fail it, and programs that pass everything are found out."""

import asyncio

import pytest
from sandboxes import details, outcomes

from flowreasoner.sandbox import Pool, Suite
from flowreasoner.sandbox.contrary import contrary_of

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


async def test_a_suite_without_assertions_has_no_contrary(sandbox):
    suite = Suite.unittest("import unittest, os\nclass T(unittest.TestCase):\n    def test_a(self): f(1)", "f")
    assert contrary_of(suite)[1] == set()
    assert (await sandbox.grade(RIGHT, suite)).passed
