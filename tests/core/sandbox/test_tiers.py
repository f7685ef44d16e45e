"""Every tier that runs Python itself: what each test format makes of honest, wrong and broken programs."""

import asyncio
import json
import time

import pytest
from sandboxes import ASSERTS, DOUBLE, details, offered, outcomes

from flowreasoner.errors import SandboxError
from flowreasoner.sandbox import Limits, Pool, Sandbox, Suite

QUICK = Limits(test_s=0.3, wall_s=1.0)


@pytest.fixture(scope="module", params=["jail", pytest.param("landlock", marks=pytest.mark.slow), "process"])
def tier(request):
    return offered(request.param)


@pytest.fixture(scope="module")
def sandbox(tier):
    pool = Pool(tier, workers=1)
    yield pool
    asyncio.run(pool.aclose())


@pytest.fixture(scope="module")
def quick(tier):
    pool = Pool(tier, workers=1, limits=QUICK)
    yield pool
    asyncio.run(pool.aclose())


def test_the_tier_names_itself_and_says_whether_it_isolates(sandbox, tier):
    assert isinstance(sandbox, Sandbox)
    assert (sandbox.tier, sandbox.isolated) == (tier, tier != "process")


# --- asserts ---------------------------------------------------------------------------------------------


async def test_a_right_program_passes(sandbox, tier):
    verdict = await sandbox.grade(DOUBLE, ASSERTS)
    assert verdict.passed
    assert outcomes(verdict) == ["pass", "pass"]
    assert details(verdict) == ["", ""]
    assert (verdict.tier, verdict.integrity, verdict.status) == (tier, "separated", "ok")
    assert 0 < verdict.usage.cpu_s < verdict.usage.wall_s + 1


async def test_one_failing_assert_does_not_hide_the_others_and_shows_both_sides(sandbox):
    suite = Suite.asserts(["assert f(1) == 2", "assert f(2) == 5", "assert f(3) > 7", "assert f(4) == 8, 'why'"], "f")
    verdict = await sandbox.grade(DOUBLE, suite)
    assert outcomes(verdict) == ["pass", "fail", "fail", "pass"]
    assert details(verdict) == ["", "expected 5, got 4", "the condition is false", ""]
    assert (verdict.pass_rate, verdict.passed) == (0.5, False)


@pytest.mark.parametrize(
    ("item", "outcome", "detail"),
    [
        ("x = 3\ny = f(x)\nassert y == 6", "pass", ""),
        ("assert f(1) == 2\nassert f(2) == 5\nassert f(3) == 7", "fail", "expected 5, got 4"),
        ("assert f(1) == 3\nf(1, 2)", "error", "TypeError"),
        ("for n in range(3):\n    assert f(n) == 2 * n", "pass", ""),
        ("for n in range(3):\n    assert f(n) == n", "fail", "expected 1, got 2"),
        ("for n in []:\n    assert f(n)", "not_reached", ""),
        ("assert (n := f(1)) == 2\nassert n == 2", "pass", ""),
        ("class T:\n    n = f(1)\n    assert n == 2\nT()", "pass", ""),
        ("import asyncio\nasync def g():\n    assert await h() == 2\nasync def h():\n    return f(1)\nasyncio.run(g())",
         "pass", ""),
        ("try:\n    f()\n    assert False\nexcept TypeError:\n    pass", "pass", ""),
        ("try:\n    f(1)\n    assert False\nexcept TypeError:\n    pass", "fail", "the condition is false"),
        ("assert candidate is f", "pass", ""),
        ("import solution\nassert solution.f is f", "pass", ""),
        ("assert f(None) == 1", "error", "TypeError: unsupported operand"),
    ],
)  # fmt: skip
async def test_an_item_of_several_lines_is_one_test(sandbox, item, outcome, detail):
    verdict = await sandbox.grade(DOUBLE, Suite.asserts([item], "f"))
    assert outcomes(verdict) == [outcome]
    assert detail in verdict.tests[0].detail
    assert bool(detail) == bool(verdict.tests[0].detail)


async def test_the_setup_runs_before_the_tests_and_after_the_program(sandbox):
    suite = Suite.asserts(["assert math.isclose(total, 6)"], "f", "import math\ntotal = f(3)")
    assert (await sandbox.grade(DOUBLE, suite)).passed


# --- check -----------------------------------------------------------------------------------------------

CHECK = """
import math

def reference(x):
    return math.floor(2.0 * x)

def check(candidate):
    assert candidate(0) == 0
    for n in range(1, 4):
        assert candidate(n) == reference(n), f"wrong for {n}"
    assert math.isclose(candidate(0.5), 1)
"""


async def test_a_check_module_may_hold_loops_helpers_and_imports(sandbox):
    verdict = await sandbox.grade(DOUBLE, Suite.check(CHECK, "f"))
    assert verdict.passed
    assert outcomes(verdict) == ["pass"] * 3


async def test_the_asserts_of_a_check_are_scored_one_by_one(sandbox):
    verdict = await sandbox.grade("def f(x):\n    return x if x == 2 else 2 * x\n", Suite.check(CHECK, "f"))
    assert outcomes(verdict) == ["pass", "fail", "pass"]
    assert details(verdict)[1] == "expected 4, got 2"


async def test_tests_after_an_exception_between_asserts_are_not_reached(sandbox):
    suite = Suite.check("def check(c):\n assert c(1) == 2\n x = c('a', 'b')\n assert x", "f")
    verdict = await sandbox.grade(DOUBLE, suite)
    assert outcomes(verdict) == ["pass", "not_reached"]
    assert details(verdict)[1].startswith("TypeError: f() takes 1 positional argument")


@pytest.mark.parametrize("tail", ["y = c(n)\n  assert y == 2 * n", "assert c(n) == 2 * n\n  c(n + 1)"])
async def test_a_check_that_breaks_off_between_two_rounds_of_its_loop_has_not_passed(sandbox, tail):
    suite = Suite.check(f"def check(c):\n for n in range(4):\n  {tail}", "f")
    code = "def f(x):\n    if x == 2: raise ValueError('two')\n    return 2 * x\n"
    verdict = await sandbox.grade(code, suite)
    assert not verdict.passed
    assert verdict.pass_rate == 0
    assert details(verdict) == ["ValueError: two"]


async def test_a_kept_part_of_a_check_is_graded_like_the_whole(sandbox):
    suite = Suite.check(CHECK, "f").keep({"check-2", "check-3"})
    verdict = await sandbox.grade("def f(x):\n    return 2 * x if x < 1 else x\n", suite)
    assert [(test.id, test.outcome) for test in verdict.tests] == [("check-2", "fail"), ("check-3", "pass")]


# --- unittest --------------------------------------------------------------------------------------------

UNITTEST = """
import unittest

class TestDouble(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.base = 1

    def setUp(self):
        self.one = self.base

    def test_pass(self):
        self.assertEqual(f(self.one), 2)

    def test_fail(self):
        self.assertEqual(f(2), 5)

    def test_error(self):
        f(1, 2)

    @unittest.skip("not today")
    def test_skip(self):
        pass

    @unittest.expectedFailure
    def test_expected_failure(self):
        self.assertEqual(f(1), 3)

    @unittest.expectedFailure
    def test_unexpected_success(self):
        self.assertEqual(f(1), 2)

    def test_parts(self):
        for n in range(3):
            with self.subTest(n=n):
                self.assertNotEqual(f(n), 4)

class TestLater(unittest.IsolatedAsyncioTestCase):
    async def test_async(self):
        self.assertEqual(f(3), 6)
"""


async def test_each_method_of_a_unittest_class_has_its_own_outcome(sandbox):
    verdict = await sandbox.grade(DOUBLE, Suite.unittest(UNITTEST, "f"))
    assert {test.id.split(".")[1]: (test.outcome, test.detail) for test in verdict.tests} == {
        "test_pass": ("pass", ""),
        "test_fail": ("fail", "AssertionError: 4 != 5"),
        "test_error": ("error", "TypeError: f() takes 1 positional argument but 2 were given"),
        "test_skip": ("skipped", "not today"),
        "test_expected_failure": ("pass", ""),
        "test_unexpected_success": ("fail", "unexpected success"),
        "test_parts": ("fail", "AssertionError: 4 == 4"),
        "test_async": ("pass", ""),
    }


async def test_a_fixture_that_fails_makes_its_tests_errors(sandbox):
    source = "import unittest\nclass T(unittest.TestCase):\n def setUp(self): f(1, 2)\n def test_a(self): pass"
    verdict = await sandbox.grade(DOUBLE, Suite.unittest(source, "f"))
    assert outcomes(verdict) == ["error"]
    assert "TypeError" in verdict.tests[0].detail


async def test_a_class_that_is_no_test_case_is_an_error_and_not_a_pass(sandbox):
    verdict = await sandbox.grade(DOUBLE, Suite.unittest("class T:\n def test_a(self): pass"))
    assert outcomes(verdict) == ["error"]


async def test_a_method_that_takes_too_long_is_a_timeout_and_the_next_one_runs(quick):
    source = (
        "import unittest\nclass T(unittest.TestCase):\n"
        " def test_a(self):\n  while True: f(1)\n def test_b(self): self.assertEqual(f(1), 2)"
    )
    verdict = await quick.grade(DOUBLE, Suite.unittest(source, "f"))
    assert outcomes(verdict) == ["timeout", "pass"]
    assert verdict.tests[0].detail == "took longer than 0.3 s"


# --- io --------------------------------------------------------------------------------------------------

ADD = "a, b = map(int, input().split())\nprint(a + b)\n"


@pytest.mark.parametrize(
    ("given", "expected", "outcome", "detail"),
    [
        ("1 2\n", "3\n", "pass", ""),
        ("1 2", "3", "pass", ""),
        ("1 2\n", "3  \n\n\n", "pass", ""),
        ("1 2\n", "4\n", "fail", r"expected '4\n', got '3\n'"),
        ("1 2\n", " 3\n", "fail", r"expected ' 3\n', got '3\n'"),
        ("1\n", "1\n", "error", "ValueError: not enough values to unpack (expected 2, got 1)"),
        ("", "0\n", "error", "EOFError: EOF when reading a line"),
    ],
)
async def test_an_io_pair_compares_output_without_trailing_space(sandbox, given, expected, outcome, detail):
    verdict = await sandbox.grade(ADD, Suite.io([(given, expected)]))
    assert outcomes(verdict) == [outcome]
    assert details(verdict) == [detail]
    assert verdict.integrity == "separated"


async def test_one_io_pair_that_hangs_or_crashes_does_not_hide_the_others(tier):
    code = "n = int(input())\nwhile n == 1: pass\nif n == 2: import os; os._exit(7)\nprint(n)"
    async with Pool(tier, limits=Limits(test_s=0.4)) as pool:
        verdict = await pool.grade(code, Suite.io([(str(n), str(n)) for n in range(4)]))
    assert outcomes(verdict) == ["pass", "timeout", "error", "pass"]
    assert details(verdict) == ["", "took longer than 0.4 s", "exit code 7", ""]
    assert (verdict.status, verdict.passed) == ("timeout", False)


async def test_expected_output_may_be_longer_than_what_is_kept_of_other_output(sandbox):
    verdict = await sandbox.grade("print('x' * 200_000)", Suite.io([("", "x" * 200_000), ("", "x" * 199_999)]))
    assert outcomes(verdict) == ["pass", "fail"]
    assert len(verdict.tests[1].detail) < 1000


# --- command ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "outcome", "detail"),
    [
        ("true", "pass", ""),
        ("sh -c 'echo broken; exit 3'", "fail", "exit code 3\nbroken"),
        ("sh -c 'kill -9 $$'; exit $?", "fail", "exit code 137\nKilled"),
        ("true && false", "fail", "exit code 1\n"),
        ("cd / && cat solution.py || grep -q 'def f' answer.py", "fail", None),
        ("cat a b 2>/dev/null || true", "pass", ""),
        ("cd /tmp && python3 -c 'import answer'", "pass", ""),
        ("python3 -c 'import answer; assert answer.f(2) == 4'", "pass", ""),
        ("grep -q 'def f' answer.py", "pass", ""),
        ("cat missing.txt", "fail", "exit code 1\ncat: missing.txt: No such file or directory"),
    ],
)
async def test_a_command_passes_with_exit_code_0_in_a_folder_that_holds_the_answer(sandbox, command, outcome, detail):
    verdict = await sandbox.grade(DOUBLE, Suite.command(command, answer_file="answer.py"))
    assert outcomes(verdict) == [outcome]
    assert detail is None or details(verdict) == [detail]
    assert (verdict.status, verdict.integrity) == ("ok", "command")


async def test_output_names_the_folder_the_same_in_every_run(sandbox):
    printed = [(await sandbox.grade(DOUBLE, Suite.command("pwd; exit 1"))).output for _ in range(2)]
    assert printed == ["/workspace", "/workspace"]


async def test_a_command_runs_in_a_copy_of_its_folder_with_the_answer_beside_it(sandbox, tmp_path):
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "check.sh").write_text("grep -q 2 pkg/answer.py && cat data.txt && touch made data.txt")
    (tmp_path / "data.txt").write_text("from the folder")
    suite = Suite.command("sh tests/check.sh", str(tmp_path), "pkg/answer.py")
    verdict = await sandbox.grade(DOUBLE, suite)
    assert verdict.passed
    assert verdict.output == "from the folder"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data.txt", "tests"]


@pytest.mark.parametrize("exit_code", [126, 127])
@pytest.mark.parametrize("command", ["python3 solution.py", "X=1 python3 solution.py", "(cd . && python3 solution.py)"])
async def test_a_program_that_ends_as_if_it_could_not_be_started_has_failed(sandbox, exit_code, command):
    code = f"import os\nopen('ran', 'w').write('x')\nprint('made', flush=True)\nos._exit({exit_code})"
    verdict = await sandbox.grade(code, Suite.command(command))
    assert (outcomes(verdict), details(verdict)) == (["fail"], [f"exit code {exit_code}\nmade"])
    assert (verdict.status, verdict.output) == ("ok", "made")


async def test_what_of_a_checks_folder_can_be_started_is_found_out_without_the_answer(sandbox, tmp_path):
    (tmp_path / "check.sh").write_text("#!/bin/sh\npython3 answer.py")
    (tmp_path / "check.sh").chmod(0o644)
    suite = Suite.command("./check.sh", str(tmp_path), "answer.py")
    with pytest.raises(SandboxError, match=r"cannot start the check '\./check\.sh': .*Permission denied"):
        await sandbox.grade(DOUBLE, suite)
    (tmp_path / "check.sh").chmod(0o755)
    assert (await sandbox.grade(DOUBLE, suite)).passed
    assert details(await sandbox.grade("raise SystemExit(127)", suite)) == ["exit code 127\n"]


async def test_a_command_that_takes_too_long_is_a_timeout(quick):
    verdict = await quick.grade(DOUBLE, Suite.command("sh -c 'sleep 60 & sleep 60'"))
    assert outcomes(verdict) == ["timeout"]
    assert (verdict.status, verdict.passed) == ("timeout", False)
    assert details(verdict) == ["the run was stopped at its time limit of 1 s"]


# --- run -------------------------------------------------------------------------------------------------


async def test_a_program_runs_as_a_script(sandbox):
    code = "import sys\nif __name__ == '__main__':\n    print(sys.argv, input()[::-1], __file__)"
    ran = await sandbox.run(code, "abc\n")
    assert (ran.status, ran.exit_code, ran.tier) == ("ok", 0, sandbox.tier)
    assert ran.stdout == "['main.py'] cba main.py\n"
    assert ran.stderr == ""


@pytest.mark.parametrize(
    ("code", "first", "last"),
    [
        ("def g():\n    1 / 0\ng()", '  File "main.py", line 3, in <module>', "ZeroDivisionError: division by zero"),
        ("x = 1\nprint(x", '  File "main.py", line 2', "SyntaxError: '(' was never closed"),
        ("raise BaseExceptionGroup('many', [KeyError(1)])", "", ""),
    ],
)
async def test_the_traceback_of_a_script_begins_in_the_script(sandbox, code, first, last):
    ran = await sandbox.run(code)
    assert (ran.status, ran.exit_code) == ("failed", 1)
    assert "harness" not in ran.stderr
    assert first in ran.stderr
    assert last in ran.stderr.strip().splitlines()[-1]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("code", "status", "exit_code"),
    [
        ("import sys; sys.exit(0)", "ok", 0),
        ("import sys; sys.exit(4)", "failed", 4),
        ("import os; os._exit(5)", "failed", 5),
        ("import os, signal; os.kill(os.getpid(), signal.SIGTERM)", "failed", -15),
        ("while True: pass", "timeout", None),  # by its CPU time or by the clock, whichever is first
        ("import time, threading; threading.Thread(target=time.sleep, args=(60,)).start()", "timeout", -9),
    ],
)
async def test_a_scripts_end_decides_its_status(quick, code, status, exit_code):
    ran = await quick.run(code)
    assert (ran.status, ran.ok) == (status, status == "ok")
    assert exit_code in {None, ran.exit_code}


async def test_limits_hold_for_scripts_too(tier):
    async with Pool(tier, limits=Limits(memory_mib=128)) as pool:
        ran = await pool.run("x = bytearray(1 << 29)")
    assert ran.status == "failed"
    assert "MemoryError" in ran.stderr


# --- programs that misbehave -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "detail"),
    [
        ("import sys\nsys.exit(0)", "SystemExit: 0"),
        ("raise RuntimeError('at import')", "RuntimeError: at import"),
        ("def f(x:\n    return x", "SyntaxError"),
        ("def g(x):\n    return x", "the program does not define 'f'"),
        ("f = 'a\0b'", "null bytes"),
        ("f = '\ud800'", "surrogates not allowed"),
        ("raise KeyError('f')", "KeyError: 'f'"),
        ("raise ValueError('\\ud800')", "ValueError: ?"),
        ("class E(Exception):\n    def __str__(self): raise E\nraise E", "E: <unprintable>"),
        ("x = bytearray(1 << 40)", "MemoryError"),
        ("def f(): f()\nf()", "RecursionError"),
        ("", "does not define 'f'"),
    ],
)
async def test_a_program_that_cannot_be_loaded_makes_every_test_an_error(sandbox, code, detail):
    verdict = await sandbox.grade(code, ASSERTS)
    assert outcomes(verdict) == ["error", "error"]
    assert all(detail in text for text in details(verdict))
    assert not details(verdict)[0].startswith("NotDefined")
    assert (verdict.passed, verdict.pass_rate) == (False, 0.0)
    json.dumps(verdict.to_json(), ensure_ascii=False).encode()


@pytest.mark.parametrize(
    ("body", "expected", "detail"),
    [
        ("while x == 1: pass", ["timeout", "pass"], "took longer than 0.3 s"),
        ("import time\n    if x == 1: time.sleep(60)", ["timeout", "pass"], "took longer than 0.3 s"),
        ("import time\n    while x == 1:\n        try: time.sleep(60)\n        except BaseException: pass",
         ["timeout", "pass"], "took longer than 0.3 s"),
        ("import os\n    if x == 1: os._exit(0)", ["error", "pass"], "ended the run with exit code 0"),
        ("import os\n    if x == 1: os.kill(os.getpid(), 11)", ["error", "pass"], "with signal SIGSEGV"),
        ("import os\n    if x == 1: os.kill(os.getpid(), 40)", ["error", "pass"], "with signal 40"),
        ("import sys\n    if x == 1: sys.exit(0)", ["error", "pass"], "SystemExit: 0"),
        ("if x == 1: raise KeyboardInterrupt", ["error", "pass"], "KeyboardInterrupt"),
        ("if x == 1: bytearray(1 << 40)", ["error", "pass"], "MemoryError"),
        ("if x == 1: raise StopIteration", ["error", "pass"], "StopIteration"),
        ("if x == 1: return f(x)", ["error", "pass"], "RecursionError"),
        ("if x == 1: input()", ["error", "pass"], "EOFError"),
    ],
)  # fmt: skip
async def test_a_test_that_breaks_has_the_matching_outcome_and_the_next_one_its_own(quick, body, expected, detail):
    verdict = await quick.grade(f"def f(x):\n    {body}\n    return 2 * x", ASSERTS)
    assert outcomes(verdict) == expected
    assert detail in verdict.tests[0].detail
    assert not verdict.passed


async def test_a_program_that_hangs_while_it_is_loaded_reaches_no_test(quick):
    verdict = await quick.grade("while True: pass", ASSERTS)
    assert outcomes(verdict) == ["not_reached", "not_reached"]
    assert (verdict.status, verdict.pass_rate) == ("timeout", 0.0)
    assert verdict.usage.wall_s >= 0.9
    assert verdict.usage.cpu_s < 2  # its own time, however busy the machine is


async def test_a_program_that_ends_the_run_while_it_is_loaded_reaches_no_test(quick):
    verdict = await quick.grade("import os\nos._exit(0)", ASSERTS)
    assert outcomes(verdict) == ["not_reached", "not_reached"]
    assert (verdict.status, verdict.pass_rate) == ("died", 0.0)


async def test_dying_after_the_last_test_and_before_the_end_is_no_pass(sandbox):
    suite = Suite.check("def check(c):\n assert c(1) == 2\n c('die')", "f")
    verdict = await sandbox.grade("def f(x):\n    import os\n    return 2 * x if x == 1 else os._exit(0)", suite)
    assert outcomes(verdict) == ["error"]
    assert (verdict.status, verdict.pass_rate) == ("died", 0.0)


async def test_dying_in_a_later_round_of_a_loop_is_no_pass(sandbox):
    suite = Suite.check("def check(c):\n for n in (1, 2): assert c(n) == 2 * n", "f")
    verdict = await sandbox.grade("def f(x):\n    import os\n    return 2 * x if x == 1 else os._exit(0)", suite)
    assert outcomes(verdict) == ["error"]


@pytest.mark.slow
async def test_cpu_time_is_limited(tier):
    async with Pool(tier, limits=Limits(cpu_s=1, test_s=20, wall_s=20)) as pool:
        verdict = await pool.grade("def f(x):\n    while True: pass", ASSERTS)
    assert outcomes(verdict) == ["timeout", "timeout"]
    assert details(verdict)[0] == "used more than 1 s of CPU time"
    assert verdict.usage.wall_s < 10


async def test_threads_and_exit_handlers_of_a_right_program_do_not_hold_up_its_verdict(sandbox):
    code = (
        "import atexit, threading, time\natexit.register(time.sleep, 60)\n"
        "threading.Thread(target=time.sleep, args=(60,)).start()\n" + DOUBLE
    )
    verdict = await sandbox.grade(code, ASSERTS)
    assert verdict.passed
    assert verdict.usage.wall_s < 5


async def test_output_is_cut_to_its_limit(sandbox):
    code = "import sys\nprint('a' * (8 << 20))\nprint('b' * (8 << 20), file=sys.stderr)\n" + DOUBLE
    verdict = await sandbox.grade(code, ASSERTS)
    assert verdict.passed
    assert verdict.output == "a" * (64 << 10)
    ran = await sandbox.run(code)
    assert (ran.stdout, ran.stderr) == ("a" * (64 << 10), "b" * (64 << 10))


async def test_all_that_a_program_wrote_before_its_end_is_taken_in(tier):
    code = "import fcntl, os\nfcntl.fcntl(1, fcntl.F_SETPIPE_SZ, 1 << 20)\nos.write(1, b'x' * 900_000)"
    async with Pool(tier, workers=1, limits=Limits(output_kib=1024)) as pool:
        await pool.run("")
        task = asyncio.create_task(pool.run(code))
        await asyncio.sleep(0.02)
        time.sleep(0.3)  # noqa: ASYNC251 - the loop is busy, so that all is still in the pipe when the program has ended
        assert len((await task).stdout) == 900_000


async def test_output_that_is_no_text_is_shown_as_well_as_it_can_be(sandbox):
    ran = await sandbox.run("import sys\nsys.stdout.buffer.write(b'\\xff\\xfeok')")
    assert ran.stdout == "��ok"


async def test_standard_input_is_empty_for_tested_programs_also_by_its_descriptor(sandbox):
    code = (
        "import os, sys\nassert sys.stdin.read() == ''\nos.lseek(0, 0, 0)\nassert os.read(0, 100) == b''\n"
        "assert open(0, closefd=False).read() == ''\n" + DOUBLE
    )
    assert (await sandbox.grade(code, ASSERTS)).passed


@pytest.mark.parametrize(
    ("method", "outcome", "detail"),
    [
        ("def __eq__(self, other): return True", "fail", "expected 1, got <solution.X object>"),
        ("def __eq__(self, other): raise KeyError('eq')", "fail", "got <solution.X object>"),
        ("def __repr__(self): raise KeyError('repr')", "fail", "expected 1, got <X: its repr raised KeyError>"),
        ("def __repr__(self): return 3", "fail", "got <X: its repr raised TypeError>"),
        ("def __repr__(self): return 'x' * (1 << 22)", "fail", "expected 1, got xxx"),
        ("def __repr__(self): return '\\ud800'", "fail", "expected 1, got ?"),
        ("def __repr__(self):\n        while True: pass", "timeout", "took longer than 0.3 s"),
        ("pass", "fail", "expected 1, got <solution.X object>"),
    ],
)
async def test_values_with_hostile_methods_are_compared_and_shown(quick, method, outcome, detail):
    code = f"class X:\n    {method}\ndef f(x): return X()"
    verdict = await quick.grade(code, Suite.asserts(["assert f(0) == 1"], "f"))
    assert outcomes(verdict) == [outcome]
    assert detail in verdict.tests[0].detail
    assert len(verdict.tests[0].detail) < 700


@pytest.mark.parametrize("noise", ["b'not json\\n'", "b'[' * 60_000", "b'\\xff\\xff\\xff\\xff'", "bytes(64)"])
async def test_noise_on_the_channel_ends_the_test_and_is_no_pass(sandbox, noise):
    code = (
        "import os\ndef f(x):\n    if x == 1:\n        for fd in range(3, 16):\n"
        f"            try: os.write(fd, {noise})\n            except OSError: pass\n    return 2 * x\n"
    )
    verdict = await sandbox.grade(code, ASSERTS)
    assert outcomes(verdict) == ["error", "pass"]


# --- what a program finds and leaves ---------------------------------------------------------------------


async def test_secrets_of_the_environment_do_not_arrive(tier, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    monkeypatch.setenv("PYTHONSTARTUP", "/etc/secret")
    async with Pool(tier, workers=1) as pool:
        ran = await pool.run("import os\nprint(sorted(os.environ))")
        verdict = await pool.grade(DOUBLE, Suite.command("env; exit 1"))
    assert set(json.loads(ran.stdout.replace("'", '"'))) - {"LC_CTYPE", "PWD"} == {
        "HOME", "LANG", "MPLBACKEND", "MPLCONFIGDIR", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "PATH",
        "PYTHONHASHSEED", "TMPDIR", "TZ",
    }  # fmt: skip
    assert "sk-secret" not in verdict.output
    assert "PATH=" in verdict.output


async def test_files_are_written_to_a_folder_that_is_empty_for_the_next_run(sandbox):
    code = (
        "import os, tempfile\nprint(os.listdir())\nopen('a.txt', 'w').write('x')\nos.makedirs('locked/deep')\n"
        "open('locked/deep/b', 'w').write('x')\nos.symlink('/', 'root')\nos.mkfifo('fifo')\n"
        "os.chmod('locked/deep', 0)\nos.chmod('locked', 0)\n"
        "assert tempfile.gettempdir() == os.path.expanduser('~') == os.getcwd()\nprint(os.getcwd())\n" + DOUBLE
    )
    for _ in range(2):
        verdict = await sandbox.grade(code, ASSERTS)
        assert verdict.passed
        assert verdict.output == "[]\n/workspace\n"


async def test_files_are_limited_in_size(tier):
    async with Pool(tier, limits=Limits(file_mib=1)) as pool:
        verdict = await pool.grade("open('big', 'wb').write(bytes(2 << 20))\n" + DOUBLE, ASSERTS)
    assert outcomes(verdict) == ["error", "error"]
    assert "File too large" in verdict.tests[0].detail


async def test_all_files_together_are_limited(tier):
    code = (
        "import time\nfor n in range(40):\n    with open(f'{n}', 'wb') as file: file.write(b'x' * (1 << 20))\n"
        "time.sleep(3)\n" + DOUBLE
    )
    async with Pool(tier, limits=Limits(disk_mib=20)) as pool:
        verdict = await pool.grade(code, ASSERTS)
        assert (await pool.grade(DOUBLE, ASSERTS)).passed
    assert not verdict.passed
    said = {"No space left on device", "the program used more than 20 MiB of disk"}
    assert any(text in verdict.tests[0].detail for text in said)


async def test_sets_and_random_numbers_are_the_same_in_every_run(sandbox):
    code = "import random\nprint(list({'a', 'b', 'c', 'd', 'e', 'f', 'g'}), random.random())\n" + DOUBLE
    first, second = [await sandbox.grade(code, ASSERTS) for _ in range(2)]
    assert first.output == second.output
    assert first.tests == second.tests


async def test_a_program_does_not_see_the_packages_of_its_caller_by_working_directory(tier, tmp_path, monkeypatch):
    (tmp_path / "planted.py").write_text("raise SystemExit('planted')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    async with Pool(tier, workers=1) as pool:
        verdict = await pool.grade("import planted\n" + DOUBLE, ASSERTS)
    assert "No module named 'planted'" in verdict.tests[0].detail


async def test_a_program_is_compiled_without_future_features(sandbox):
    suite = Suite.asserts(["assert f.__annotations__ == {'x': int}"], "f")
    assert (await sandbox.grade("def f(x: int): return x", suite)).passed


async def test_programs_may_use_threads(sandbox):
    code = (
        "from concurrent.futures import ThreadPoolExecutor\n"
        "def f(x):\n    with ThreadPoolExecutor(4) as pool:\n        return sum(pool.map(lambda n: n, [x, x]))\n"
    )
    assert (await sandbox.grade(code, ASSERTS)).passed


async def test_only_the_profile_lib_lets_programs_start_processes(tier):
    code = (
        "import subprocess\n"
        "def f(x):\n    return 2 * int(subprocess.run(['echo', str(x)], capture_output=True).stdout)\n"
    )
    async with Pool(tier, workers=1, profile="lib") as pool:
        assert (await pool.grade(code, ASSERTS)).passed
    async with Pool(tier, workers=1) as pool:
        assert (await pool.grade(code, ASSERTS)).passed is (tier == "process")


async def test_the_profile_lib_has_a_network_of_its_own_in_a_jail():
    code = (
        "import socket\ndef f(x):\n    server = socket.create_server(('127.0.0.1', 0))\n"
        "    with socket.create_connection(server.getsockname()) as client:\n"
        "        client.send(bytes([2 * x]))\n        return server.accept()[0].recv(1)[0]\n"
    )
    async with Pool(offered("jail"), workers=1, profile="lib") as pool:
        assert (await pool.grade(code, ASSERTS)).passed


async def test_memory_of_child_processes_counts_in_the_profile_lib(tier):
    code = (
        "import os, time\nfor _ in range(4):\n    if os.fork() == 0:\n        x = bytearray(b'x') * (60 << 20)\n"
        "        time.sleep(3)\n        os._exit(0)\ntime.sleep(3)\n" + DOUBLE
    )
    async with Pool(tier, workers=1, profile="lib", limits=Limits(memory_mib=100)) as pool:
        verdict = await pool.grade(code, ASSERTS)
    assert not verdict.passed
    assert verdict.tests[0].detail == "the program used more than 100 MiB of memory"


async def test_modules_may_be_loaded_before_any_program(tier):
    async with Pool(tier, workers=1, preimport=["csv"]) as pool:
        assert (await pool.run("import sys; print('csv' in sys.modules)")).stdout == "True\n"
        verdict = await pool.grade("import sys\ndef f(x): return 2 * x * ('csv' in sys.modules)", ASSERTS)
    assert verdict.passed


async def test_a_module_that_cannot_be_loaded_is_a_sandbox_error(tier):
    async with Pool(tier, workers=1, preimport=["no_such_module"]) as pool:
        with pytest.raises(SandboxError, match=r"cannot be started: .*No module named 'no_such_module'"):
            await pool.grade(DOUBLE, ASSERTS)


# --- infrastructure failures are never a score -----------------------------------------------------------


async def test_a_command_that_is_missing_is_a_sandbox_error(sandbox):
    with pytest.raises(
        SandboxError, match=r"cannot start the check 'no-such-tool --check': .*(not found|Permission denied)"
    ):
        await sandbox.grade(DOUBLE, Suite.command("no-such-tool --check"))


async def test_a_folder_that_is_missing_is_a_sandbox_error(sandbox):
    with pytest.raises(SandboxError, match="cannot copy the check's folder '/nonexistent'"):
        await sandbox.grade(DOUBLE, Suite.command("true", "/nonexistent"))


async def test_a_folder_that_is_too_large_is_a_sandbox_error(tier, tmp_path):
    (tmp_path / "data").write_bytes(bytes(3 << 20))
    async with Pool(tier, workers=1, limits=Limits(disk_mib=2)) as pool:
        with pytest.raises(SandboxError, match="is 3 MiB; the sandbox holds 2 MiB"):
            await pool.grade(DOUBLE, Suite.command("true", str(tmp_path)))


async def test_an_answer_that_cannot_be_written_is_a_sandbox_error(sandbox, tmp_path):
    (tmp_path / "solution.py").mkdir()
    with pytest.raises(SandboxError, match=r"cannot write 'solution\.py' into the sandbox's folder"):
        await sandbox.grade(DOUBLE, Suite.command("true", str(tmp_path)))
