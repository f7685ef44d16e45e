"""The host's handle on a jail: one warm process that runs one job at a time."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flowreasoner.errors import SandboxError
from flowreasoner.sandbox.inside.wire import WireError
from flowreasoner.sandbox.jails import bubblewrap
from flowreasoner.sandbox.jails.channel import content
from flowreasoner.sandbox.jails.launch import WarmProcess

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flowreasoner.sandbox.base import Limits
    from flowreasoner.sandbox.jails.channel import Channel

__all__ = ["Ending", "Jail"]

_START_S = 120.0
_END_S = 30.0


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ended.

    Attributes:
        exit_code: Exit code, negative for a signal.
        killed: Why the jail ended it: ``time``, ``memory``, ``disk``, ``asked``, or an empty text.
        cpu_s: CPU seconds used.
        failed: Why the run could not be set up, empty if it could.
    """

    exit_code: int
    killed: str
    cpu_s: float
    failed: str


class Jail:
    """A warm process in a tier's confinement; started when first needed, and again when it has ended.

    Args:
        tier: ``jail``, ``landlock`` or ``process``.
        limits: What each run may use.
        preimport: Modules that are loaded before any run.
    """

    def __init__(self, tier: str, limits: Limits, preimport: Sequence[str]) -> None:
        self._tier, self._limits, self._preimport = tier, limits, preimport
        self._warm: WarmProcess | None = None
        self._finalizer: weakref.finalize[..., Jail] | None = None
        self._owner = 0
        self._run = 0
        self._running = False
        self._came_early: dict[str, Any] = {}
        self.folder = bubblewrap.FOLDER
        self.landlock_abi = 0

    @property
    def runs(self) -> bool:
        """Whether a run that this process began is under way."""
        return self._running and self._owner == os.getpid()

    async def ready(self) -> None:
        """Makes the jail fit for a run: starts it, or waits for the end of a run that was given up.

        Raises:
            SandboxError: If it cannot be started.
        """
        if self._owner != os.getpid():
            self.close()  # a copy in a forked process needs a jail of its own
        if self._running:
            with contextlib.suppress(SandboxError):
                await self.ended()
        if self._running or self._warm is None or not self._warm.works:
            self.close()
            await self._start()

    async def begin(self, job: Mapping[str, Any], given: Mapping[str, int]) -> None:
        """Starts a run.

        Args:
            job: What to do: ``mode``, ``helpers`` and ``wall_s`` are the jail's to know, the rest the run's alone.
            given: Descriptors for the run, by the place that they take in it.

        Raises:
            SandboxError: If the jail has ended.
        """
        self._run += 1
        self._running, self._came_early = True, {}
        names = ["job", *given]
        message = {"mode": job["mode"], "helpers": False, "wall_s": self._limits.wall_s, "run": self._run}
        message |= {name: job[name] for name in ("helpers", "wall_s") if name in job}
        with content(json.dumps(job).encode()) as body:
            try:
                await self._connection.send({**message, "given": names}, [body.fileno(), *given.values()])
            except OSError as error:
                raise self._broken("ended before a run") from error

    def end(self) -> None:
        """Ends the run that is under way, if one is; `ended` tells when that has happened."""
        if self.runs and self._warm is not None:
            self._warm.control.post({"kill": self._run})

    async def ended(self, within: float | None = None) -> Ending:
        """Waits for the end of the run.

        Args:
            within: Seconds to wait; without it, as long as any run that was told to end may take.

        Raises:
            SandboxError: If the jail itself has ended, or does not answer.
            TimeoutError: If the run goes on after `within`.
        """
        message, self._came_early = self._came_early, {}
        try:
            async with asyncio.timeout(_END_S if within is None else within):
                while message.get("ended") != self._run:
                    message = await self._receive()
        except TimeoutError:
            if within is not None:
                raise
            raise self._broken("does not answer") from None
        self._running = False
        if message["spoiled"]:
            self.close()  # what the run left cannot be cleared up there, so the next run gets a new jail
        failed = "" if message["entered"] else message["failed"] or "it was killed at once"
        return Ending(message["exit"], message["killed"], message["cpu_s"], failed)

    async def starved_s(self) -> float:
        """Seconds for which the run wanted a core and got none; 0 where the kernel does not count them."""
        self._connection.post({"usage": self._run})
        async with asyncio.timeout(_END_S):
            message = await self._receive()
        if "ended" in message:
            self._came_early = message
        return float(message.get("starved_s", 0.0))

    async def _receive(self) -> dict[str, Any]:
        try:
            message = await self._connection.receive()
        except (EOFError, OSError, WireError) as error:
            raise self._broken("ended during a run") from error
        return message if isinstance(message, dict) else {}

    @property
    def _connection(self) -> Channel:
        if self._warm is None:
            raise SandboxError(f"a process of the sandbox (tier {self._tier}) has ended; the run has no verdict")
        return self._warm.control

    def _broken(self, how: str) -> SandboxError:
        self.close()
        return SandboxError(f"a process of the sandbox (tier {self._tier}) {how}; the run has no verdict")

    async def _start(self) -> None:
        try:
            self._warm = WarmProcess(self._tier, self._limits, self._preimport)
            self._finalizer = weakref.finalize(self, self._warm.end)
            async with asyncio.timeout(_START_S):
                hello = await self._warm.control.receive()
        except (OSError, EOFError, WireError, subprocess.SubprocessError) as error:
            why = (self._warm and self._warm.last_words()) or str(error)
            self.close()
            raise SandboxError(f"the sandbox (tier {self._tier}) cannot be started: {why}") from error
        except BaseException:
            self.close()
            raise
        self._owner, self.folder, self.landlock_abi = os.getpid(), self._warm.folder, int(hello["landlock"])

    def close(self) -> None:
        """Ends the warm process, and with it every process of its runs."""
        if self._finalizer is not None:
            self._finalizer()
        self._warm, self._finalizer, self._running = None, None, False
