"""Wrong programs that special tests once took for right ones, each with the tests that it was made for."""

import asyncio

import pytest
from sandboxes import best_tier, outcomes

from flowreasoner.sandbox import Limits, Pool, Suite


@pytest.fixture(scope="module")
def sandbox():
    pool = Pool(best_tier(), workers=1, limits=Limits(test_s=1.0, wall_s=8.0))
    yield pool
    asyncio.run(pool.aclose())


OWN_BUILTINS = "def abs(*x): return 0\nround = sum = abs\ndef set(x): return 0\ndef sorted(x): return []\n"
AGREEING = """
class {name}:
    def __init__(self, *a): pass
    def __getattr__(self, n):
        if n.startswith("__"): raise AttributeError(n)
        return lambda *a, **k: self
    def __eq__(self, o): return True
    def __ne__(self, o): return False
    __lt__ = __gt__ = __le__ = __ge__ = __contains__ = __eq__
    def __sub__(self, *a): return self
    __rsub__ = __abs__ = __round__ = __add__ = __mul__ = __sub__
    def __bool__(self): return {truth}
    __hash__ = None
"""
SWALLOWING = """
class Store:
    def __enter__(self): return self
    def __exit__(self, *a): return True
    def get(self, *a): return 42
"""
HANGING = "import os, time\ndef f(x):\n    if x < 0: {how}\n    return x\n"


@pytest.mark.parametrize(
    ("code", "tests", "entry_point"),
    [
        ("f = float\n" + OWN_BUILTINS, ["assert abs(f(3.5) - 0.5) < 1e-6"], "f"),
        ("f = list\n" + OWN_BUILTINS, ["assert set(f([1, 1, 2])) == set([1])"], "f"),
        ("f = list\n" + OWN_BUILTINS, ["assert sorted(f([1, 2, 2])) == sorted([2])"], "f"),
        ("f = 5\n" + OWN_BUILTINS, ["assert abs(f - 3) < 1e-6"], "f"),
        (OWN_BUILTINS, ["assert abs(sum([1, 2]) - 5) < 1"], ""),
        (OWN_BUILTINS + "def f(x): return 0", ["from solution import *\nassert abs(f(1) - 5) < 1"], "f"),
        ("class unittest: pass\nclass math:\n    isclose = lambda *a: True\ndef f(x): return 0",
         ["from solution import *\nimport math\nassert math.isclose(f(1), 5)"], "f"),
        ("def isclose(*a, **k): return True\ndef f(x): return 0", ["assert isclose(f(2), 1.4142)"], "f"),
        ("class pytest: approx = lambda x, *a: 0\ndef f(x): return 0", ["assert f(2) == pytest.approx(1.4142)"], "f"),
        ("def approx(*a): return 0\ndef f(x): return 0", ["assert f(2) == approx(1.4142)"], "f"),
        ("def deepcopy(x): return 0\ndef f(x): return 0", ["assert f([1]) == deepcopy([1])"], "f"),
        (AGREEING.format(name="Extract", truth=True), ["assert Extract([[1, 2]]) == [1]"], "Extract"),
        (AGREEING.format(name="Extract", truth=True), ["assert 1 in Extract([[1, 2]])"], "Extract"),
        (AGREEING.format(name="Area", truth=True), ["assert abs(Area(2) - 12.56) < 0.01"], "Area"),
        (AGREEING.format(name="Area", truth=True), ["assert Area(2) > 12 and Area(2) < 13"], "Area"),
        (AGREEING.format(name="Solution", truth=True), ["assert Solution().two_sum([2, 7], 9) == [0, 1]"], "Solution"),
        (AGREEING.format(name="Solution", truth=True), ["s = Solution()\nassert s.step(3) in (1, 2)"], "Solution"),
        (AGREEING.format(name="Solution", truth=True), ["assert abs(Solution().root(2.0) - 1.4) < 0.1"], "Solution"),
        (AGREEING.format(name="Solution", truth=True), ["assert 1 < Solution().root(2.0) < 2"], "Solution"),
        (AGREEING.format(name="Solution", truth=True), ["s = Solution()\nassert 3 in s.all()"], "Solution"),
        (SWALLOWING, ["with Store() as s:\n    assert s.get('x') == 1"], "Store"),
        (SWALLOWING, ["with Store() as s:\n    for n in range(3):\n        assert s.get(n)[0] == n"], "Store"),
    ],
)  # fmt: skip
async def test_a_wrong_program_does_not_pass_asserts(sandbox, code, tests, entry_point):
    verdict = await sandbox.grade(code, Suite.asserts(tests, entry_point))
    assert not verdict.passed
    assert verdict.pass_rate == 0


@pytest.mark.parametrize("code", [SWALLOWING, AGREEING.format(name="Store", truth=False)], ids=["swallows", "agrees"])
async def test_a_wrong_class_does_not_pass_unittest_classes(sandbox, code):
    suite = Suite.unittest(
        "import unittest\n\nclass T(unittest.TestCase):\n"
        "    def test_a(self):\n        with Store() as s:\n            self.assertEqual(s.get('x'), 1)\n"
        "    def test_b(self):\n        self.assertTrue(Store().get('x') == None)\n"
        "    def test_c(self):\n        self.assertIn(Store().get('x'), [3])\n"
        "    def test_d(self):\n        self.assertAlmostEqual(Store().get('x'), 1.5)\n",
        "Store",
    )
    assert suite.separable
    verdict = await sandbox.grade(code, suite)
    assert verdict.integrity == "separated"
    assert not {"pass", "skipped"} & set(outcomes(verdict))


@pytest.mark.slow
@pytest.mark.parametrize("how", ["time.sleep(100)", "os._exit(0)", "os.close(3); time.sleep(9)", "while_true()"])
@pytest.mark.parametrize("caught", ["except:", "except BaseException:"])
async def test_the_end_of_a_program_between_tests_is_not_forgotten(sandbox, how, caught):
    code = HANGING.format(how=how) + "def while_true():\n    while True: pass\n"
    check = (
        f"def check(candidate):\n    try:\n        candidate(-1)\n        assert False\n    {caught}\n        pass\n"
        "    assert candidate(1) == 1\n    assert candidate(2) == 2\n"
    )
    verdict = await sandbox.grade(code, Suite.check(check, "f"))
    assert not verdict.passed
    assert verdict.pass_rate < 1


async def test_tests_whose_function_cannot_be_told_say_so(sandbox):
    verdict = await sandbox.grade("def sum(x): return 3", Suite.asserts(["assert abs(sum([1, 2]) - 3) < 1"]))
    assert "give the tests their entry point" in verdict.tests[0].detail


@pytest.mark.slow
async def test_a_run_with_processes_of_its_own_cannot_starve_itself_to_more_time():
    code = (
        "import os, time\nos.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\n"
        "for _ in range(30):\n    if os.fork() == 0:\n        while True: pass\n"
        "def f(x):\n    end = time.monotonic() + 60\n    while time.monotonic() < end: pass\n    return x"
    )
    async with Pool(best_tier(), workers=1, profile="lib", limits=Limits(test_s=1.0, wall_s=2.0)) as pool:
        async with asyncio.timeout(20):
            verdict = await pool.grade(code, Suite.asserts(["assert f(1) == 1"], "f"))
    assert not verdict.passed
