"""One run of a program in one jail against tests in another: only plain data passes between the two."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import time
from typing import TYPE_CHECKING, Any

from flowreasoner.errors import SandboxError
from flowreasoner.sandbox.events import Events
from flowreasoner.sandbox.inside.wire import WireError
from flowreasoner.sandbox.jails.judge import BACKSTOP

if TYPE_CHECKING:
    from flowreasoner.sandbox.base import Limits
    from flowreasoner.sandbox.jails.channel import Channel, Output
    from flowreasoner.sandbox.jails.jail import Ending, Jail
    from flowreasoner.sandbox.jails.judge import Judge
    from flowreasoner.sandbox.suite import Suite
    from flowreasoner.sandbox.verdict import Outcome, Status

__all__ = ["SeparatedRun", "explain"]

_SOON_S = 0.5
_LEAST_EXTRA_S = 0.02


class SeparatedRun:
    """Runs a suite's tests in the judge's jail and answers what the judge asks about the program's.

    Args:
        guest: Jail of the program.
        judge: Judge, made ready for the suite.
        limits: What the run may use.
        helpers: Whether the program may start processes.

    Attributes:
        events: What the judge has reported.
        status: How the run ended.
        ending: The same, in words, if the tests did not come to their end.
        cpu_s: CPU seconds used by program and tests.
    """

    def __init__(self, guest: Jail, judge: Judge, limits: Limits, *, helpers: bool) -> None:
        self._guest, self._judge, self._limits, self._helpers = guest, judge, limits, helpers
        self._job: dict[str, Any] = {}
        self._output: Output
        self._starts = 0
        self._lives = False
        self._excused_s = 0.0
        self.status: Status = "ok"
        self.ending = ""
        self.cpu_s = 0.0

    async def run(self, code: str, suite: Suite, output: Output) -> Events:
        """Runs the suite and returns what was reported.

        Args:
            code: The program.
            suite: The tests.
            output: Where the program prints to.

        Raises:
            SandboxError: If a jail fails.
        """
        events, self._output = Events(len(suite)), output
        self._job = {
            "mode": "calls",
            "code": code,
            "test_s": self._limits.test_s,
            "helpers": self._helpers,
            "wall_s": BACKSTOP * self._limits.wall_s,
        }
        output.listen()
        ending = None
        try:
            with await self._start(output) as program:
                channel = await self._judge.begin(suite, program)
            if await self._listen(channel, events):
                ending = await self._own_end_of_judge()
        finally:
            self._guest.end()
            stays = self._judge.release(suite, fit=events.fit)
        if self._lives:
            self.cpu_s += (await self._guest.ended()).cpu_s
        if stays:
            self.cpu_s += events.cpu_s
        else:
            self._judge_ended(events, ending or await self._judge.ended())
        return events

    async def _start(self, output: Output) -> socket.socket:
        """Starts the program and returns the judge's end of the connection to it."""
        judges, guests = socket.socketpair()
        with guests:
            try:
                given = {"channel": guests.fileno(), "stdout": output.fileno(), "stderr": output.fileno()}
                await self._guest.begin(self._job, given)
            except BaseException:
                judges.close()
                raise
        self._starts += 1
        self._lives = True
        return judges

    async def _listen(self, channel: Channel, events: Events) -> bool:
        """Takes in what the judge says until it is done or the run is out of time, or returns that it has ended."""
        began, allowed = time.monotonic(), self._limits.wall_s
        while not events.done:
            try:
                async with asyncio.timeout(began + allowed - time.monotonic()):
                    message = await channel.receive()
            except TimeoutError:
                asked = time.monotonic()  # the answers may take long to come, on a machine that starves the jails
                starved = (await self._guest.starved_s() if self._lives else 0.0) + await self._judge.starved_s()
                if began + self._limits.wall_s + starved - asked > _LEAST_EXTRA_S:
                    allowed = self._limits.wall_s + starved
                    continue
                self.status = "timeout"
                self.ending = f"the run was stopped at its time limit of {self._limits.wall_s:g} s"
                return False
            except (EOFError, OSError, WireError):
                return True
            if not isinstance(message, dict):
                return True
            for event in message.get("events") or ():
                events.add(event)
            if "ask" in message:
                with contextlib.suppress(OSError):
                    await self._reply(channel, message["ask"])
        return False

    async def _reply(self, channel: Channel, asked: object) -> None:
        """Tells the judge what became of the program, or gives it a fresh start of it."""
        if asked == "fresh":
            if self._starts > self._limits.restarts:
                await channel.send({"detail": f"the program has ended, or was ended, {self._starts} times"})
                return
            await self._end_guest()  # it may live, where the judge has hung up on it
            await self._guest.ready()  # and what it left may have cost the jail
            with await self._start(self._output) as program:
                await channel.send({}, [program.fileno()])
            return
        if asked == "late":
            starved = await self._guest.starved_s() if self._lives else 0.0
            if starved - self._excused_s > _LEAST_EXTRA_S:
                extra, self._excused_s = starved - self._excused_s, starved
                await channel.send({"more": extra})
                return
            await self._end_guest()
            outcome, detail = "timeout", f"took longer than {self._limits.test_s:g} s"
        else:
            outcome, detail = await self._lost()
        await channel.send({"outcome": outcome, "detail": detail})

    async def _lost(self) -> tuple[Outcome, str]:
        """Returns how a program that hung up has ended."""
        ending = None
        if self._lives:
            with contextlib.suppress(TimeoutError):
                ending = await self._guest.ended(_SOON_S)
                self._lives = False
                self.cpu_s += ending.cpu_s
        if ending is None:
            await self._end_guest()
            return "error", "the program closed the connection to its tests"
        outcome, detail = explain(ending, self._limits, helpers=self._helpers)
        if outcome == "error":
            self.status = "died"
        return outcome, detail

    async def _end_guest(self) -> None:
        if self._lives:
            self._guest.end()
            self.cpu_s += (await self._guest.ended()).cpu_s
            self._lives = False

    async def _own_end_of_judge(self) -> Ending | None:
        """Returns how the judge ended by itself, which it must not be mistaken for having been told to."""
        with contextlib.suppress(TimeoutError):
            return await self._judge.ended(_SOON_S)
        return None

    def _judge_ended(self, events: Events, ending: Ending) -> None:
        self.cpu_s += ending.cpu_s
        if events.done or self.status == "timeout":
            return
        outcome, detail = explain(ending, self._limits, helpers=False)
        if not events.ready:
            raise SandboxError(f"the tests could not be started: {detail}")
        self.status = "timeout" if outcome == "timeout" else "died"
        self.ending = detail.replace("the program", "the tests")


def explain(ending: Ending, limits: Limits, *, helpers: bool) -> tuple[Outcome, str]:
    """Returns the outcome and the words for a run that did not come to its own good end.

    Args:
        ending: How it ended.
        limits: What it was allowed.
        helpers: Whether it could start processes, and so end itself in any way.

    Raises:
        SandboxError: If the end was none of its doing.
    """
    if ending.failed:
        raise SandboxError(f"a run of the sandbox could not be set up: {ending.failed}")
    if ending.killed in {"memory", "disk"}:
        most = limits.memory_mib if ending.killed == "memory" else limits.disk_mib
        return "error", f"the program used more than {most} MiB of {ending.killed}"
    if ending.killed == "files":
        return "error", "the program made too many files"
    if ending.killed == "time":
        return "timeout", f"the run was stopped at its time limit of {limits.wall_s:g} s"
    if ending.killed == "asked":
        return "error", "the program ended the run"
    code = ending.exit_code
    if code == -signal.SIGPROF:
        return "timeout", f"took longer than {limits.test_s:g} s"
    if code == -signal.SIGXCPU or (code == -signal.SIGKILL and ending.cpu_s >= 0.9 * limits.cpu_s):
        return "timeout", f"used more than {limits.cpu_s} s of CPU time"
    if code == -signal.SIGKILL and not helpers:
        raise SandboxError("a run was killed from outside: by somebody, or by the kernel for want of memory")
    if code >= 0:
        return "error", f"the program ended the run with exit code {code}"
    try:
        return "error", f"the program ended the run with signal {signal.Signals(-code).name}"
    except ValueError:  # a real-time signal has no name
        return "error", f"the program ended the run with signal {-code}"
