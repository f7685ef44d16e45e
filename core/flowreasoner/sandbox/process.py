"""The simplest tier: a fresh interpreter per run, with limits. It is no isolation, and says so.

What it does: own process group (killed as a whole), resource limits, wall-clock limit, empty environment,
a temporary folder of its own, bounded output, results on a separate pipe. What it does not: keep a hostile
program from reading files, opening connections, leaving its group, or forging a verdict from inside its own
process.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from flowreasoner.errors import SandboxError
from flowreasoner.sandbox.base import Limits
from flowreasoner.sandbox.child import place, run_child, workspace
from flowreasoner.sandbox.events import Events
from flowreasoner.sandbox.verdict import RunOutput, TestResult, Usage, Verdict

if TYPE_CHECKING:
    from flowreasoner.sandbox.child import Ended
    from flowreasoner.sandbox.suite import Case, Suite
    from flowreasoner.sandbox.verdict import Outcome, Status

__all__ = ["ProcessSandbox"]

# `-I` would do the same but also ignore PYTHONHASHSEED, without which verdicts vary with set order.
_PYTHON = (sys.executable, "-s", "-P", "-B")
_NOT_STARTED = {126, 127}  # the shell's exit codes for a command that cannot be run, and for one that is not there
_HARNESS = str(Path(__file__).with_name("harness.py"))


class ProcessSandbox:
    """Tier ``process``: a fresh interpreter per candidate. No isolation.

    Args:
        limits: What one run may use.
        concurrency: Runs at the same time; the number of cores unless given.
    """

    tier = "process"
    isolated = False

    def __init__(self, limits: Limits | None = None, concurrency: int | None = None) -> None:
        self.limits = limits or Limits()
        self._concurrency = concurrency or os.cpu_count() or 1
        self._slots: tuple[asyncio.AbstractEventLoop, asyncio.Semaphore] | None = None

    async def grade(self, code: str, suite: Suite) -> Verdict:
        """Runs `suite` against `code`; see `flowreasoner.sandbox.Sandbox.grade`."""
        async with self._slot():
            match suite.format:
                case "io":
                    return await self._grade_io(code, suite)
                case "command":
                    return await self._grade_command(code, suite)
            return await self._grade_python(code, suite)

    async def run(self, code: str, stdin: str = "") -> RunOutput:
        """Runs `code` as a script; see `flowreasoner.sandbox.Sandbox.run`."""
        async with self._slot():
            return await self._run(code, stdin, self.limits.wall_s, self._keep)

    async def aclose(self) -> None:
        """Does nothing: no process outlives its run."""

    def _slot(self) -> asyncio.Semaphore:
        """The semaphore of the running loop, since one sandbox may serve several `asyncio.run` in turn."""
        loop = asyncio.get_running_loop()
        if self._slots is None or self._slots[0] is not loop:
            self._slots = loop, asyncio.Semaphore(self._concurrency)
        return self._slots[1]

    @property
    def _keep(self) -> int:
        return self.limits.output_kib << 10

    async def _run(self, code: str, stdin: str, wall_s: float, keep: int) -> RunOutput:
        command = [*_PYTHON, _HARNESS, "script", json.dumps(self._rlimits()), "main.py"]
        with workspace() as folder:
            place(folder, "main.py", code)
            given = stdin.encode("utf-8", errors="replace")
            ended = await run_child(command, folder, given, wall_s=wall_s, keep=keep)
        status: Literal["ok", "failed", "timeout"] = "ok" if ended.exit_code == 0 else "failed"
        status = "timeout" if ended.timed_out else status
        return RunOutput(status, ended.stdout, ended.stderr, self.tier, ended.exit_code)

    async def _grade_python(self, code: str, suite: Suite) -> Verdict:
        job = {
            "format": suite.format,
            "code": code,
            "entry_point": suite.entry_point,
            "setup": suite.setup,
            "body": suite.body,
            "programs": [case.id if suite.format == "unittest" else case.program for case in suite.cases],
            "limits": self._rlimits(),
            "test_seconds": self.limits.test_s,
        }
        events = Events(len(suite))
        command = [*_PYTHON, _HARNESS, "tests"]
        with workspace() as folder:
            ended = await run_child(
                command,
                folder,
                json.dumps(job).encode(),
                wall_s=self.limits.wall_s,
                keep=self._keep,
                results=events.feed,
            )
        if not events.ready:
            raise SandboxError(f"the tests could not be started: {self._ending(ended)}: {ended.stderr.strip()[-500:]}")
        status: Status = "timeout" if ended.timed_out else "died"
        status = "ok" if events.done or events.load_error else status
        tests = events.results(suite, timed_out=ended.timed_out, ending=self._ending(ended))
        usage = Usage(ended.wall_s, events.cpu_s)
        return Verdict(tests, status, self.tier, "in_process", self._printed(ended), usage)

    def _printed(self, ended: Ended) -> str:
        return (ended.stdout + ended.stderr)[: self._keep]

    def _ending(self, ended: Ended) -> str:
        """Returns how a run ended that did not come to its own end."""
        if ended.timed_out:
            return f"the run was stopped at its time limit of {self.limits.wall_s:g} s"
        if ended.exit_code >= 0:
            return f"the program ended the run with exit code {ended.exit_code}"
        try:
            return f"the program ended the run with signal {signal.Signals(-ended.exit_code).name}"
        except ValueError:  # a real-time signal has no name
            return f"the program ended the run with signal {-ended.exit_code}"

    async def _grade_io(self, code: str, suite: Suite) -> Verdict:
        began = time.perf_counter()
        tests = [await self._grade_pair(code, case) for case in suite.cases]
        status: Status = "timeout" if any(test.outcome == "timeout" for test in tests) else "ok"
        usage = Usage(time.perf_counter() - began)
        return Verdict(tuple(tests), status, self.tier, "separated", "", usage)

    async def _grade_pair(self, code: str, case: Case) -> TestResult:
        wall_s = min(self.limits.test_s, self.limits.wall_s)
        ran = await self._run(code, case.program, wall_s, self._keep + len(case.expected.encode()))
        outcome: Outcome = "pass"
        detail = ""
        if ran.status == "timeout":
            outcome, detail = "timeout", f"took longer than {wall_s:g} s"
        elif not ran.ok:
            outcome, detail = "error", (ran.stderr.strip().splitlines() or [f"exit code {ran.exit_code}"])[-1][:300]
        elif _lines(ran.stdout) != _lines(case.expected):
            outcome, detail = "fail", f"expected {case.expected!r:.300}, got {ran.stdout!r:.300}"
        return TestResult(case.id, outcome, case.source, detail)

    async def _grade_command(self, code: str, suite: Suite) -> Verdict:
        with workspace(suite.directory) as folder:
            place(folder, suite.answer_file, code)
            # The command is the user's own and needs their tools, so unlike candidates it keeps PATH.
            environment = {"PATH": os.environ.get("PATH", os.defpath), "PYTHONPATH": str(folder)}
            command = ["/bin/sh", "-c", suite.body]
            ended = await run_child(
                command, folder, wall_s=self.limits.wall_s, keep=self._keep, environment=environment
            )
        if ended.exit_code in _NOT_STARTED:
            raise SandboxError(f"cannot start the check {suite.body!r}: {ended.stderr.strip()[-300:]}")
        printed = self._printed(ended).strip()
        outcome: Outcome = "pass"
        detail = ""
        if ended.timed_out:
            outcome, detail = "timeout", self._ending(ended)
        elif ended.exit_code != 0:
            outcome, detail = "fail", f"exit code {ended.exit_code}\n{printed[-2000:]}"
        test = TestResult(suite.cases[0].id, outcome, suite.body, detail)
        status: Status = "timeout" if ended.timed_out else "ok"
        return Verdict((test,), status, self.tier, "command", printed, Usage(ended.wall_s))

    def _rlimits(self) -> dict[str, int]:
        limits = self.limits
        return {
            "RLIMIT_CPU": limits.cpu_s,
            "RLIMIT_AS": limits.memory_mib << 20,
            "RLIMIT_FSIZE": limits.file_mib << 20,
            "RLIMIT_NOFILE": limits.open_files,
            "RLIMIT_CORE": 0,
        }


def _lines(text: str) -> list[str]:
    """Output as it is compared: without trailing space on lines, and without trailing empty lines."""
    return [line.rstrip() for line in text.rstrip().splitlines()]
