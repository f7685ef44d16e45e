"""The simplest tier: a fresh interpreter per run, with limits. It is no isolation, and says so.

What it does: own process group (killed as a whole), resource limits, wall-clock limit, empty environment,
a temporary folder of its own, bounded output, results on a separate pipe. What it does not: keep a hostile
program from reading files, opening connections, or forging a verdict from inside its own process.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shlex
import shutil
import signal
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flowreasoner.errors import SandboxError
from flowreasoner.sandbox.base import Limits
from flowreasoner.sandbox.verdict import RunOutput, TestResult, Usage, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from flowreasoner.sandbox.suite import Suite
    from flowreasoner.sandbox.verdict import Outcome, Status

__all__ = ["ProcessSandbox"]

_HARNESS = Path(__file__).with_name("harness.py")
# `-I` would do the same but also ignore PYTHONHASHSEED, without which verdicts vary with set order.
_PYTHON = (sys.executable, "-s", "-P", "-B")
_LONGEST_LINE = 1 << 16
_WORST: tuple[Outcome, ...] = ("timeout", "error", "fail", "skipped", "pass")


@dataclass
class _Ended:
    """How a child process ended, and what it printed."""

    exit_code: int | None
    timed_out: bool
    stdout: str
    stderr: str
    wall_s: float


@dataclass
class _Events:
    """The harness's events, folded into one state per test."""

    outcomes: dict[int, tuple[Outcome, str]] = field(default_factory=dict)
    running: int | None = None
    load_error: str = ""
    stopped: str = ""
    done: bool = False
    cpu_s: float | None = None

    def add(self, line: bytes) -> None:
        """Takes in one line; a line that is no event of ours is ignored."""
        try:
            event: dict[str, Any] = json.loads(line)
            site, outcome = event.get("site"), event.get("outcome")
        except (ValueError, AttributeError):
            return
        if isinstance(site, int) and outcome == "started":
            self.running = site
        elif isinstance(site, int) and outcome in _WORST:
            self.running = None
            known = self.outcomes.get(site)
            if known is None or _WORST.index(outcome) < _WORST.index(known[0]):
                self.outcomes[site] = (outcome, str(event.get("detail", "")))
        else:
            self.load_error = str(event.get("load_error", self.load_error))
            self.stopped = str(event.get("stopped", self.stopped))
            self.done = self.done or bool(event.get("done"))
            cpu = event.get("cpu_s")
            self.cpu_s = float(cpu) if isinstance(cpu, int | float) else self.cpu_s


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
        self._slots = asyncio.Semaphore(concurrency or os.cpu_count() or 1)

    async def grade(self, code: str, suite: Suite) -> Verdict:
        """Runs `suite` against `code`; see `flowreasoner.sandbox.Sandbox.grade`."""
        async with self._slots:
            match suite.format:
                case "io":
                    return await self._grade_io(code, suite)
                case "command":
                    return await self._grade_command(code, suite)
            return await self._grade_python(code, suite)

    async def run(self, code: str, stdin: str = "") -> RunOutput:
        """Runs `code` as a script; see `flowreasoner.sandbox.Sandbox.run`."""
        async with self._slots:
            return await self._run(code, stdin)

    async def aclose(self) -> None:
        """Does nothing: no process outlives its run."""

    async def _run(self, code: str, stdin: str) -> RunOutput:
        with _workspace() as folder:
            (folder / "main.py").write_text(code, encoding="utf-8", errors="replace")
            limited = f"import resource as r\nfor k,v in {self._rlimits()!r}.items(): r.setrlimit(getattr(r,k),(v,v))\n"
            start = limited + "del r,k,v\nimport runpy; runpy.run_path('main.py', run_name='__main__')"
            ended = await self._spawn([*_PYTHON, "-c", start], folder, stdin.encode())
        status = "timeout" if ended.timed_out else "ok" if ended.exit_code == 0 else "failed"
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
        pipe = _ResultPipe()
        try:
            with _workspace() as folder:
                payload = json.dumps(job | {"results_fd": pipe.write_fd}).encode()
                collecting = asyncio.create_task(pipe.collect())
                try:
                    ended = await self._spawn([*_PYTHON, str(_HARNESS)], folder, payload, results=pipe)
                    events = await asyncio.wait_for(collecting, timeout=1.0)
                finally:
                    collecting.cancel()
        except TimeoutError as error:
            raise SandboxError(
                "the results of a run did not arrive: a process that left its group holds them"
            ) from error
        finally:
            pipe.close()
        return self._verdict(suite, events, ended)

    def _verdict(self, suite: Suite, events: _Events, ended: _Ended) -> Verdict:
        status: Status = "timeout" if ended.timed_out else "ok" if events.done or events.load_error else "died"
        tests = []
        for number, case in enumerate(suite.cases):
            if events.load_error:
                outcome, detail = "error", events.load_error
            elif number in events.outcomes:
                outcome, detail = events.outcomes[number]
            elif number == events.running:
                outcome, detail = (
                    ("timeout", "stopped at the time limit") if ended.timed_out else ("error", _died(ended))
                )
            else:
                outcome, detail = "not_reached", events.stopped or ("" if events.done else _died(ended))
            tests.append(TestResult(case.id, outcome, case.source, detail))
        usage = Usage(ended.wall_s, events.cpu_s)
        output = ended.stdout + ended.stderr
        return Verdict(tuple(tests), status, self.tier, "in_process", output, usage)

    async def _grade_io(self, code: str, suite: Suite) -> Verdict:
        tests, start, timed_out = [], time.perf_counter(), False
        for case in suite.cases:
            ran = await self._run(code, case.program)
            timed_out |= ran.status == "timeout"
            if ran.status == "timeout":
                result = TestResult(case.id, "timeout", case.source, "stopped at the time limit")
            elif not ran.ok:
                result = TestResult(
                    case.id, "error", case.source, (ran.stderr.strip().splitlines() or ["failed"])[-1][:300]
                )
            elif _lines(ran.stdout) == _lines(case.expected):
                result = TestResult(case.id, "pass", case.source)
            else:
                result = TestResult(
                    case.id, "fail", case.source, f"expected {case.expected!r:.300}, got {ran.stdout!r:.300}"
                )
            tests.append(result)
        usage = Usage(time.perf_counter() - start)
        return Verdict(tuple(tests), "timeout" if timed_out else "ok", self.tier, "separated", "", usage)

    async def _grade_command(self, code: str, suite: Suite) -> Verdict:
        with _workspace(suite.directory) as folder:
            (folder / suite.answer_file).write_text(code, encoding="utf-8", errors="replace")
            # The command is the user's own and needs their tools, so unlike candidates it keeps PATH.
            environment = {"PATH": os.environ.get("PATH", os.defpath)}
            ended = await self._spawn(shlex.split(suite.body), folder, b"", environment=environment)
        printed = (ended.stdout + ended.stderr).strip()
        if ended.timed_out:
            outcome, detail = "timeout", f"stopped after {self.limits.wall_s:g} s"
        else:
            outcome = "pass" if ended.exit_code == 0 else "fail"
            detail = "" if ended.exit_code == 0 else f"exit code {ended.exit_code}\n{printed[-2000:]}"
        test = TestResult("command", outcome, suite.body, detail)
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

    async def _spawn(
        self,
        command: Sequence[str],
        folder: Path,
        stdin: bytes,
        *,
        results: _ResultPipe | None = None,
        environment: dict[str, str] | None = None,
    ) -> _Ended:
        """Runs a child to its end or to the time limit, then kills what is left of its group."""
        base = {"PYTHONHASHSEED": "0", "HOME": str(folder), "TMPDIR": str(folder), "LANG": "C.UTF-8"}
        start = time.perf_counter()
        try:
            child = await asyncio.create_subprocess_exec(
                *command,
                cwd=folder,
                env=base | (environment or {}),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                pass_fds=(results.write_fd,) if results else (),
                start_new_session=True,
            )
        except (OSError, ValueError, IndexError) as error:
            raise SandboxError(f"cannot start {command[0] if command else 'an empty command'!r}: {error}") from error
        if results:
            results.close(results.write_fd)
        keep = self.limits.output_kib << 10
        assert child.stdin is not None and child.stdout is not None and child.stderr is not None  # noqa: S101, PT018 - asked for above
        streams = asyncio.gather(_drain(child.stdout, keep), _drain(child.stderr, keep), _feed(child.stdin, stdin))
        timed_out = False
        try:
            async with asyncio.timeout(self.limits.wall_s):
                await child.wait()
        except TimeoutError:
            timed_out = True
        finally:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(child.pid, signal.SIGKILL)
            await child.wait()
            # A grandchild that left the group may hold the pipes open; what it prints is not waited for.
            done, _ = await asyncio.wait([streams], timeout=1.0)
            if not done:
                streams.cancel()
        stdout, stderr, _ = streams.result() if done else ("", "", None)
        return _Ended(child.returncode, timed_out, stdout, stderr, time.perf_counter() - start)


@contextlib.contextmanager
def _workspace(template: str = "") -> Iterator[Path]:
    """A temporary folder, filled with a copy of `template` where given, gone afterwards."""
    try:
        folder = Path(tempfile.mkdtemp(prefix="flowreasoner-"))
    except OSError as error:
        raise SandboxError(f"cannot make a temporary folder: {error}") from error
    try:
        if template:
            try:
                shutil.copytree(template, folder, dirs_exist_ok=True)
            except OSError as error:
                raise SandboxError(f"cannot copy the check's folder {template!r}: {error}") from error
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class _ResultPipe:
    """The pipe on which the harness reports; each end is closed once, whatever happens."""

    def __init__(self) -> None:
        try:
            self.read_fd, self.write_fd = os.pipe()
        except OSError as error:
            raise SandboxError(f"cannot make a pipe: {error}") from error
        self._open = {self.read_fd, self.write_fd}

    def close(self, *fds: int) -> None:
        for fd in fds or tuple(self._open):
            if fd in self._open:
                self._open.discard(fd)
                os.close(fd)

    async def collect(self) -> _Events:
        """Reads events until every holder of the writing end is gone."""
        events, reader = _Events(), asyncio.StreamReader(limit=_LONGEST_LINE)
        self._open.discard(self.read_fd)  # from here on the transport owns it
        stream = os.fdopen(self.read_fd, "rb", buffering=0)
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), stream
        )
        try:
            while True:
                try:
                    line = await reader.readline()
                except ValueError:  # a line over the limit: not one of ours
                    continue
                if not line:
                    return events
                events.add(line)
        finally:
            transport.close()


async def _drain(stream: asyncio.StreamReader, keep: int) -> str:
    """Reads a stream to its end and returns its first `keep` bytes as text."""
    kept = bytearray()
    while chunk := await stream.read(1 << 16):
        kept += chunk[: keep - len(kept)]
    return kept.decode("utf-8", errors="replace")


async def _feed(stream: asyncio.StreamWriter, data: bytes) -> None:
    """Writes all input; a child that does not read it is no error."""
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        stream.write(data)
        await stream.drain()
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        stream.close()
        await stream.wait_closed()


def _lines(text: str) -> list[str]:
    """Output as it is compared: without trailing space on lines, and without trailing empty lines."""
    return [line.rstrip() for line in text.rstrip().splitlines()]


def _died(ended: _Ended) -> str:
    if ended.timed_out:
        return "the run was stopped at its time limit before this test"
    code = ended.exit_code or 0
    how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
    return f"the program ended the run with {how}"
