"""The sandbox that runs programs in jails: a few warm workers, as many as there are cores."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from typing import TYPE_CHECKING, get_args

from flowreasoner.errors import IsolationUnavailable
from flowreasoner.sandbox.base import Limits
from flowreasoner.sandbox.jails.worker import Profile, Worker
from flowreasoner.sandbox.selfcheck import refuse_if_open
from flowreasoner.sandbox.tiers import missing

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Sequence
    from types import TracebackType
    from typing import Self

    from flowreasoner.sandbox.suite import Suite
    from flowreasoner.sandbox.verdict import RunOutput, Verdict

__all__ = ["Pool"]


class Pool:
    """Runs programs in a tier's jails, several at a time.

    The callers are the queue: a call returns when its run is over, and waits for its turn until then, so
    that nothing piles up. Cancelling a call ends the run that it started. Workers start when they are
    first needed and stay warm; one that breaks is replaced, and the run that it had raises. Several event
    loops may use a pool in turn, but not at the same time.

    Args:
        tier: ``jail``, ``landlock``, or ``process``, which is no isolation.
        limits: What each run may use.
        profile: ``pure``: threads, but no processes and no sockets. ``lib``: also child processes, and in
            tier ``jail`` connections inside the jail, for libraries that need them.
        workers: Runs at the same time; the number of cores unless given.
        preimport: Modules that programs find loaded already, e.g. ``["numpy", "pandas"]``.

    Raises:
        IsolationUnavailable: If the tier cannot be had on this machine.
    """

    def __init__(
        self,
        tier: str = "jail",
        *,
        limits: Limits | None = None,
        profile: Profile = "pure",
        workers: int | None = None,
        preimport: Sequence[str] = (),
    ) -> None:
        why = missing(tier)
        if why:
            raise IsolationUnavailable(f"the sandbox tier {tier!r} is not available here: {why}")
        if profile not in get_args(Profile):
            raise ValueError(f"there is no profile {profile!r}; there are {', '.join(get_args(Profile))}")
        if isinstance(preimport, str):
            raise TypeError(f"give the modules to import before as a list: [{preimport!r}]")
        if workers is not None and workers < 1:
            raise ValueError(f"a pool needs at least one worker, not {workers}")
        self.tier = tier
        self.limits = limits or Limits()
        self._workers = [Worker(tier, self.limits, profile, preimport) for _ in range(workers or _cores())]
        self._free = list(self._workers)
        self._turns: tuple[asyncio.AbstractEventLoop, asyncio.Semaphore] | None = None
        self._checked = False

    @property
    def isolated(self) -> bool:
        """Whether the tier is a boundary for hostile programs."""
        return self.tier != "process"

    @property
    def workers(self) -> int:
        """How many runs there can be at the same time."""
        return len(self._workers)

    @property
    def landlock_abi(self) -> int:
        """Version of the Landlock that binds programs; 0 if none does, or nothing has run yet."""
        return max(worker.landlock_abi for worker in self._workers)

    async def start(self) -> None:
        """Starts every worker now instead of with its first run.

        Raises:
            SandboxError: If a worker cannot be started.
        """
        await asyncio.gather(*(worker.ready() for worker in self._workers))

    async def grade(self, code: str, suite: Suite) -> Verdict:
        """Runs `suite` against `code`; see `flowreasoner.sandbox.Sandbox.grade`."""
        if not isinstance(code, str):
            raise TypeError(f"a program is text, not {type(code).__name__}")
        async with self._worker() as worker:
            return await worker.grade(code, suite)

    async def grade_all(self, jobs: Iterable[tuple[str, Suite]], ahead: int | None = None) -> AsyncIterator[Verdict]:
        """Grades many programs and yields the verdicts in the order of the jobs.

        Args:
            jobs: Programs and suites; only so many are taken ahead of what the caller has consumed.
            ahead: How many; twice the number of workers unless given.

        Raises:
            SandboxError: If the sandbox fails; the verdicts before are yielded first.
        """
        waiting: list[asyncio.Task[Verdict]] = []
        most = ahead or 2 * self.workers
        try:
            for code, suite in jobs:
                waiting.append(asyncio.create_task(self.grade(code, suite)))
                if len(waiting) >= most:
                    yield await waiting[0]
                    del waiting[0]
            while waiting:
                yield await waiting[0]
                del waiting[0]
        finally:
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)

    async def run(self, code: str, stdin: str = "") -> RunOutput:
        """Runs `code` as a script; see `flowreasoner.sandbox.Sandbox.run`."""
        async with self._worker() as worker:
            return await worker.run(code, stdin)

    async def aclose(self) -> None:
        """Ends all processes; the next run would start new ones."""
        for worker in self._workers:
            worker.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    @contextlib.asynccontextmanager
    async def _worker(self) -> AsyncIterator[Worker]:
        async with self._turn():
            if not self._free:
                raise RuntimeError("this pool is in use by another event loop; make one pool for each")
            worker = self._free.pop()  # the one that was used last is the warmest
            try:
                if not self._checked and self.isolated:
                    await refuse_if_open(self.tier, worker)
                    self._checked = True
                yield worker
            finally:
                self._free.append(worker)

    def _turn(self) -> asyncio.Semaphore:
        """The semaphore of the running loop, since one pool may serve several `asyncio.run` in turn."""
        loop = asyncio.get_running_loop()
        if self._turns is None or self._turns[0] is not loop:
            self._turns = loop, asyncio.Semaphore(len(self._workers))
        return self._turns[1]


def _cores() -> int:
    """Returns how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
