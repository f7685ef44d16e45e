"""The host's handle on the judge of a worker, a process that serves one run, or many where nothing can come of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flowreasoner.errors import SandboxError
from flowreasoner.sandbox.jails.channel import Channel, socket_pair
from flowreasoner.sandbox.jails.jail import Jail
from flowreasoner.sandbox.stateless import stateless

if TYPE_CHECKING:
    import socket
    from collections.abc import Sequence

    from flowreasoner.sandbox.base import Limits
    from flowreasoner.sandbox.jails.jail import Ending
    from flowreasoner.sandbox.suite import Suite

__all__ = ["BACKSTOP", "Judge", "suite_job"]

BACKSTOP = 20
"""How many times its limit a run's jail lets it go on: the host keeps the time, as a jail alone cannot tell waiting for
the other jail from idling."""


class Judge:
    """Runs the tests of one suite after another.

    A process that has run a stateless suite waits for the next one, which costs a message in place of a
    fork. Any other suite gets a process of its own.

    Args:
        tier: ``jail``, ``landlock`` or ``process``.
        limits: What each run may use.
        preimport: Modules that are loaded before any run.
    """

    def __init__(self, tier: str, limits: Limits, preimport: Sequence[str]) -> None:
        self._jail, self._limits = Jail(tier, limits, preimport), limits
        self._waiting: Channel | None = None
        self._used: Channel | None = None

    async def ready(self, suite: Suite | None = None) -> None:
        """Makes the judge fit for a run.

        Args:
            suite: The tests to be run; any that are stateless if it is not given.

        Raises:
            SandboxError: If it cannot be started.
        """
        waits = self._waiting is not None and self._jail.runs and not self._waiting.hung_up()
        stays = suite is None or stateless(suite)
        if not (waits and stays):
            self._dismiss()
            await self._jail.ready()
        if stays and not waits:
            self._waiting, theirs = socket_pair()
            with theirs:
                await self._jail.begin({"mode": "judges", "wall_s": None}, {"channel": theirs.fileno()})

    async def begin(self, suite: Suite, program: socket.socket) -> Channel:
        """Starts to run the suite that the judge was made ready for.

        Args:
            suite: The tests.
            program: The judge's end of the connection to the program.

        Returns:
            Connection on which the judge reports.

        Raises:
            SandboxError: If it has ended.
        """
        job = {**suite_job(suite), "mode": "judge", "test_s": self._limits.test_s}
        self._used, self._waiting = self._waiting, None
        if self._used is not None:
            try:
                await self._used.send(job, [program.fileno()])
            except OSError as error:
                raise SandboxError("a judge of the sandbox has ended before its run, which has no verdict") from error
            return self._used
        self._used, theirs = socket_pair()
        with theirs:
            job["wall_s"] = BACKSTOP * self._limits.wall_s
            await self._jail.begin(job, {"channel": theirs.fileno(), "second": program.fileno()})
        return self._used

    def release(self, suite: Suite, *, fit: bool) -> bool:
        """Ends a run, and the process with it, unless that may wait for another suite.

        Args:
            suite: The tests.
            fit: Whether the process says that it can go on.

        Returns:
            Whether the process stays; if not, `ended` tells when it has ended.
        """
        if fit and stateless(suite):  # any other may say what it likes
            self._waiting, self._used = self._used, None
            return True
        self._dismiss()
        return False

    def _dismiss(self) -> None:
        for channel in (self._waiting, self._used):
            if channel is not None:
                channel.close()
        self._waiting = self._used = None
        self._jail.end()

    async def ended(self, within: float | None = None) -> Ending:
        """Waits for the end of the process; see `Jail.ended`."""
        return await self._jail.ended(within)

    async def starved_s(self) -> float:
        """Seconds for which the process wanted a core and got none, earlier runs of the same process included."""
        return await self._jail.starved_s()

    def close(self) -> None:
        """Ends all processes."""
        self._dismiss()
        self._jail.close()


def suite_job(suite: Suite) -> dict[str, Any]:
    """Returns what a judge needs of a suite."""
    return {
        "format": suite.format,
        "entry_point": suite.entry_point,
        "setup": suite.setup,
        "body": suite.body,
        "programs": [case.id if suite.format == "unittest" else case.program for case in suite.cases],
    }
