"""One worker of the pool: a jail for programs and a jail for their judge, and how each test format uses them."""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from typing import TYPE_CHECKING, Any, Literal

from flowreasoner.errors import SandboxError
from flowreasoner.sandbox.events import readable
from flowreasoner.sandbox.jails import bubblewrap
from flowreasoner.sandbox.jails.channel import Output
from flowreasoner.sandbox.jails.command import NOT_STARTED, pack, probe
from flowreasoner.sandbox.jails.in_process import InProcessRun
from flowreasoner.sandbox.jails.jail import Jail
from flowreasoner.sandbox.jails.judge import Judge
from flowreasoner.sandbox.jails.separated import SeparatedRun, explain
from flowreasoner.sandbox.verdict import RunOutput, TestResult, Usage, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flowreasoner.sandbox.base import Limits
    from flowreasoner.sandbox.jails.jail import Ending
    from flowreasoner.sandbox.suite import Case, Suite
    from flowreasoner.sandbox.verdict import Outcome, Status

__all__ = ["Profile", "Worker"]

Profile = Literal["pure", "lib"]

GUEST_MODULES = """ast bisect collections copy dataclasses datetime decimal enum fractions functools hashlib heapq
itertools json math operator random re string types typing""".split()
JUDGE_MODULES = "collections copy datetime decimal fractions functools itertools json math random re string".split()


class Worker:
    """Runs one thing at a time in a tier's jails.

    Args:
        tier: ``jail``, ``landlock`` or ``process``.
        limits: What each run may use.
        profile: ``pure``, or ``lib`` for programs that need processes, and loopback connections in a jail.
        preimport: Modules beyond the usual ones that programs find loaded.
    """

    def __init__(self, tier: str, limits: Limits, profile: Profile, preimport: Sequence[str]) -> None:
        self._tier, self._limits, self._helpers = tier, limits, profile == "lib"
        self._guest = Jail(tier, limits, [*GUEST_MODULES, *preimport])
        self._judge = Judge(tier, limits, JUDGE_MODULES)

    @property
    def landlock_abi(self) -> int:
        """Version of the Landlock that binds programs, 0 if none does or nothing was started yet."""
        return self._guest.landlock_abi

    async def ready(self, suite: Suite | None = None) -> None:
        """Starts what is not running, and makes it fit for a suite that is judged apart from the program.

        Raises:
            SandboxError: If it cannot be started.
        """
        await asyncio.gather(self._guest.ready(), self._judge.ready(suite))

    def close(self) -> None:
        """Ends all processes."""
        self._guest.close()
        self._judge.close()

    async def grade(self, code: str, suite: Suite) -> Verdict:
        """Runs a suite; see `flowreasoner.sandbox.Sandbox.grade`."""
        match suite.format:
            case "io":
                return await self._grade_io(code, suite)
            case "command":
                return await self._grade_command(code, suite)
            case "unittest" if not suite.separable:
                return await self._grade_in_process(code, suite)
        return await self._grade_separated(code, suite)

    async def _grade_separated(self, code: str, suite: Suite) -> Verdict:
        began = time.perf_counter()
        await self.ready(suite)
        run = SeparatedRun(self._guest, self._judge, self._limits, helpers=self._helpers)
        with Output(self._keep) as output:
            events = await run.run(code, suite, output)
            printed = self._shown(output)
        timed_out = run.status == "timeout"
        tests = events.results(suite, timed_out=timed_out, ending=run.ending)
        return Verdict(tests, run.status, self._tier, "separated", printed, self._usage(began, run.cpu_s))

    async def _grade_in_process(self, code: str, suite: Suite) -> Verdict:
        began = time.perf_counter()
        await self._guest.ready()
        run = InProcessRun(self._guest, self._limits, helpers=self._helpers)
        with Output(self._keep) as output:
            tests = await run.run(code, suite, output)
            printed = self._shown(output)
        return Verdict(tests, run.status, self._tier, "in_process", printed, self._usage(began, run.cpu_s))

    async def run(self, code: str, stdin: str = "") -> RunOutput:
        """Runs a program as a script; see `flowreasoner.sandbox.Sandbox.run`."""
        return (await self._run(code, stdin, self._limits.wall_s, self._keep))[0]

    async def _run(self, code: str, stdin: str, seconds: float, keep: int) -> tuple[RunOutput, Ending]:
        await self._guest.ready()
        with Output(keep) as stdout, Output(keep) as stderr, tempfile.TemporaryFile() as given:
            given.write(stdin.encode("utf-8", errors="replace"))
            given.seek(0)
            job = {"mode": "script", "code": code, "cpu_s": seconds, "wall_s": seconds, "helpers": self._helpers}
            ending = await self._script(job, {"stdin": given.fileno()}, stdout, stderr)
            status: Literal["ok", "failed", "timeout"] = "ok" if ending.exit_code == 0 else "failed"
            if status == "failed" and explain(ending, self._limits, helpers=self._helpers)[0] == "timeout":
                status = "timeout"
            printed, errors = self._shown(stdout), self._shown(stderr)
            return RunOutput(status, printed, errors, self._tier, ending.exit_code), ending

    async def _script(self, job: Mapping[str, Any], given: Mapping[str, int], stdout: Output, stderr: Output) -> Ending:
        """Runs a job that only prints and ends."""
        stdout.listen()
        if stderr is not stdout:
            stderr.listen()
        try:
            await self._guest.begin(job, {**given, "stdout": stdout.fileno(), "stderr": stderr.fileno()})
            return await self._guest.ended(float("inf"))  # the jail keeps the time
        finally:
            self._guest.end()

    async def _grade_io(self, code: str, suite: Suite) -> Verdict:
        began = time.perf_counter()
        graded = [await self._grade_pair(code, case) for case in suite.cases]
        tests = tuple(test for test, _ in graded)
        status: Status = "timeout" if any(test.outcome == "timeout" for test in tests) else "ok"
        usage = self._usage(began, sum(cpu_s for _, cpu_s in graded))
        return Verdict(tests, status, self._tier, "separated", "", usage)

    async def _grade_pair(self, code: str, case: Case) -> tuple[TestResult, float]:
        seconds = min(self._limits.test_s, self._limits.wall_s)
        ran, ending = await self._run(code, case.program, seconds, self._keep + len(case.expected.encode()))
        outcome: Outcome = "pass"
        detail = ""
        if ran.status == "timeout":
            outcome, detail = "timeout", f"took longer than {seconds:g} s"
        elif not ran.ok:
            outcome, detail = "error", (ran.stderr.strip().splitlines() or [f"exit code {ran.exit_code}"])[-1][:300]
        elif not case.expects(ran.stdout):
            outcome, detail = "fail", f"expected {case.expected!r:.300}, got {ran.stdout!r:.300}"
        return TestResult(case.id, outcome, case.source, readable(detail)), ending.cpu_s

    async def _grade_command(self, code: str, suite: Suite) -> Verdict:
        began = time.perf_counter()
        ending, printed = await self._command(suite.body, suite, code.encode("utf-8", errors="replace"))
        status: Status = "ok"
        outcome: Outcome = "pass"
        detail = ""
        if ending.exit_code in NOT_STARTED and not await self._can_start(suite):
            seen = "" if self._tier == "process" else f"; tier {self._tier} has the system's programs only"
            raise SandboxError(f"cannot start the check {suite.body!r}: {printed[-300:]}{seen}")
        if ending.exit_code < 0:
            outcome, detail = explain(ending, self._limits, helpers=True)
            status = "timeout" if outcome == "timeout" else "ok"
        elif ending.exit_code > 0:
            outcome, detail = "fail", f"exit code {ending.exit_code}\n{printed[-2000:]}"
        test = TestResult(suite.cases[0].id, outcome, suite.body, detail)
        return Verdict((test,), status, self._tier, "command", printed, self._usage(began, ending.cpu_s))

    async def _can_start(self, suite: Suite) -> bool:
        """Tells whether the check's command can be started at all; an empty file takes the answer's place."""
        asked = probe(suite.body)
        return not asked or (await self._command(asked, suite, b""))[0].exit_code <= 0

    async def _command(self, command: str, suite: Suite, answer: bytes) -> tuple[Ending, str]:
        """Runs a command in the check's folder, and returns how it ended and what it printed."""
        await self._guest.ready()
        folder = self._guest.folder
        path = os.pathsep.join(dict.fromkeys([*os.get_exec_path(), "/usr/bin", "/bin"]))
        # The command is the user's own and needs their tools, so unlike programs it is told where they are.
        environment = bubblewrap.environment(folder) | {"PATH": path, "PYTHONPATH": folder}
        job = {"mode": "command", "command": command, "environment": environment, "helpers": True}
        with Output(self._keep) as output, tempfile.TemporaryFile() as files:
            pack(files, suite, answer, self._limits.disk_mib)
            ending = await self._script(job, {"second": files.fileno()}, output, output)
            return ending, self._shown(output).strip()

    @property
    def _keep(self) -> int:
        return self._limits.output_kib << 10

    def _shown(self, output: Output) -> str:
        """Returns what was printed, with the working folder under a name that is the same in every run."""
        return output.text().replace(self._guest.folder, bubblewrap.FOLDER)

    @staticmethod
    def _usage(began: float, cpu_s: float) -> Usage:
        return Usage(time.perf_counter() - began, cpu_s)
