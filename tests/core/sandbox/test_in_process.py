"""Honest programs whose tests share their process: nothing that keeps forgers away may get into their way."""

import asyncio
import shutil

import pytest
from honest_results import HONEST, IMPORTS
from sandboxes import details, outcomes

from flowreasoner.sandbox import Pool, Suite
from flowreasoner.sandbox.jails import bubblewrap


@pytest.fixture(scope="module")
def sandbox():
    pool = Pool("process", workers=1)
    yield pool
    asyncio.run(pool.aclose())


async def test_tests_that_are_coroutines_run(sandbox):
    tests = """
import unittest, os

class T(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self): self.x = 1
    async def test_a(self): self.assertEqual(await f(self.x), 2)
"""
    code = "import asyncio\nasync def f(x):\n    await asyncio.sleep(0)\n    return x + 1"
    verdict = await sandbox.grade(code, Suite.unittest(tests, "f"))
    assert verdict.passed, details(verdict)
    assert verdict.integrity == "in_process"


async def test_an_installed_harness_is_no_library_of_the_programs(monkeypatch, tmp_path):
    packages = tmp_path / "site-packages"
    shutil.copytree(bubblewrap._INSIDE, packages / "sandbox" / "inside")
    zygote, environment = bubblewrap.zygote, bubblewrap.environment
    monkeypatch.setattr(bubblewrap, "zygote", lambda config: zygote(config, str(packages / "sandbox")))
    monkeypatch.setattr(bubblewrap, "environment", lambda folder: environment(folder) | {"PYTHONPATH": str(packages)})
    tests = """
import unittest, os
from unittest.mock import patch

class T(unittest.IsolatedAsyncioTestCase):
    async def test_a(self): self.assertEqual(f(1), 2)
    @patch("builtins.print")
    def test_b(self, printed):
        self.assertEqual(f(2), 4)
        printed.assert_not_called()
"""
    async with Pool("process", workers=1) as pool:
        verdict = await pool.grade("def f(x): return 2 * x", Suite.unittest(tests, "f"))
    assert verdict.passed, details(verdict)


@pytest.mark.slow
@pytest.mark.parametrize(("code", "body"), HONEST.values(), ids=HONEST)
async def test_honest_results_pass(sandbox, code, body):
    lines = "\n        ".join(body.strip().splitlines())
    imports = "import unittest, unittest.mock, os, inspect"
    tests = f"{imports}\nclass T(unittest.TestCase):\n    def test_a(self):\n        {lines}"
    suite = Suite.unittest(tests, "f", f"import {IMPORTS}")
    assert not suite.separable
    for _ in range(2):
        verdict = await sandbox.grade(f"import {IMPORTS}\n{code}", suite)
        assert verdict.passed, [verdict.status, *details(verdict)]


async def test_an_object_that_means_to_equal_a_number_does_not_and_is_no_tampering(sandbox):
    code = "class Money:\n    def __init__(self, n): self.n = n\n    def __eq__(self, o): return self.n == o\n"
    tests = "import unittest, os\nclass T(unittest.TestCase):\n    def test_a(self): self.assertEqual(Money(5), 5)"
    verdict = await sandbox.grade(code, Suite.unittest(tests, "Money"))
    assert (verdict.status, outcomes(verdict)) == ("ok", ["fail"])


FIRST_COME = """
class First:
    known = None
    def __eq__(self, other):
        self.known = self.known or other
        return self.known is other
    __lt__ = __gt__ = __contains__ = __eq__
    def __sub__(self, other): return 0
def f(x): return {"key": [First()]}
"""


@pytest.mark.parametrize(
    "asserted",
    [
        "assertEqual(f(1), {'key': [5]})",
        "assertIn(5, f(1)['key'])",
        "assertAlmostEqual(f(1)['key'][0], 5)",
        "assertLess(f(1)['key'][0], 5)",
        "assertIn(5, f(1)['key'][0])",
        "assertTrue(f(1)['key'][0] - 5 == 0)",
        "assertCountEqual(f(1)['key'], [5])",
    ],
)
async def test_an_object_cannot_agree_with_what_it_sees(sandbox, asserted):
    tests = f"import unittest, os\nclass T(unittest.TestCase):\n    def test_a(self): self.{asserted}"
    assert not (await sandbox.grade(FIRST_COME, Suite.unittest(tests, "f"))).passed
