"""Scripts in the interpreter: one session, fresh for each run, with standard input and the parts of `sys` it lacks."""

from __future__ import annotations

import io
import time
from typing import TYPE_CHECKING, Literal

import pydantic_monty as monty

from flowreasoner.sandbox.events import readable
from flowreasoner.sandbox.interpreted.code import SCRIPT_SIDE, adapted, explained
from flowreasoner.sandbox.interpreted.guard import Guard
from flowreasoner.sandbox.interpreted.session import TIER, Lost, Printed, Session, said
from flowreasoner.sandbox.verdict import RunOutput, TestResult, Usage, Verdict

if TYPE_CHECKING:
    from flowreasoner.sandbox.base import Limits
    from flowreasoner.sandbox.interpreted.session import Leash, Pools
    from flowreasoner.sandbox.suite import Case, Suite
    from flowreasoner.sandbox.verdict import Outcome, Status

__all__ = ["grade_io", "run_script"]


def run_script(pools: Pools, limits: Limits, leash: Leash, code: str, stdin: str) -> RunOutput:
    """Runs a program as a script; see `flowreasoner.sandbox.Sandbox.run`."""
    return _script(pools, limits, leash, code, stdin, limits.wall_s, Printed(limits.output_kib << 10))


def _script(
    pools: Pools, limits: Limits, leash: Leash, code: str, stdin: str, seconds: float, printed: Printed
) -> RunOutput:
    lines = io.StringIO(stdin.encode("utf-8", errors="replace").decode()).readlines()[::-1]
    status: Literal["ok", "failed", "timeout"] = "ok"
    exit_code: int | None = 0
    guard = Guard()
    with Session(pools.programs, leash, limits, printed, turn_s=seconds, feed_s=seconds) as session:
        try:
            session.feed(guard.side(SCRIPT_SIDE), seconds, __lines__=lines)
            session.feed(guard.load(), seconds, __program__=adapted(code, script=True))
        except Lost as lost:
            status, exit_code = ("timeout" if lost.outcome == "timeout" else "failed"), None
            printed("stderr", lost.detail)
        except monty.MontyError as error:
            exit_code, words = _exit(error)
            status = "failed" if exit_code else "ok"
            printed("stderr", words)
    return RunOutput(status, printed.text("stdout"), printed.text("stderr"), TIER, exit_code)


def _exit(error: monty.MontyError) -> tuple[int, str]:
    """Returns the exit code of a script that raised, and what it says on standard error."""
    raised = error.exception()
    if not isinstance(raised, SystemExit):
        return 1, explained(said(error)) + "\n"
    code = str(raised) or "0"
    if code == "None":
        return 0, ""
    return (int(code) & 0xFF, "") if code.removeprefix("-").isdecimal() else (1, code + "\n")


def grade_io(pools: Pools, limits: Limits, leash: Leash, code: str, suite: Suite) -> Verdict:
    """Grades a program with pairs of standard input and expected output; see `flowreasoner.sandbox.Sandbox.grade`."""
    began = time.monotonic()
    tests = tuple(_grade_pair(pools, limits, leash, code, case) for case in suite.cases)
    status: Status = "timeout" if any(test.outcome == "timeout" for test in tests) else "ok"
    return Verdict(tests, status, TIER, "separated", "", Usage(time.monotonic() - began))


def _grade_pair(pools: Pools, limits: Limits, leash: Leash, code: str, case: Case) -> TestResult:
    seconds = min(limits.test_s, limits.wall_s)
    printed = Printed((limits.output_kib << 10) + len(case.expected.encode("utf-8", errors="replace")))
    ran = _script(pools, limits, leash, code, case.program, seconds, printed)
    outcome: Outcome = "pass"
    detail = ""
    if ran.status == "timeout":
        outcome, detail = "timeout", f"took longer than {seconds:g} s"
    elif not ran.ok:
        outcome, detail = "error", (ran.stderr.strip().splitlines() or [f"exit code {ran.exit_code}"])[-1]
    elif not case.expects(ran.stdout):
        outcome, detail = "fail", f"expected {case.expected!r:.300}, got {ran.stdout!r:.300}"
    return TestResult(case.id, outcome, case.source, readable(detail))
