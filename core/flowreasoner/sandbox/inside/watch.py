"""Watches one run from the warm process: until it ends, is out of time, or takes too much."""

from __future__ import annotations

import contextlib
import math
import os
import select
import signal
import time
from typing import TYPE_CHECKING

from . import wire

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator
    from typing import Any

__all__ = ["Watch"]

_LOOK_S = 0.1  # how often a run is looked at that could take more than its limits on single processes say
_LONGEST_WAIT = 20  # a run that the machine starves is given up at so many times its limit


class Watch:
    """Waits for the end of a child, or ends it.

    Time is the child's own: what it computes and what it sleeps, but not what it waits for a core that
    others use, so that a busy machine changes no verdict.

    Args:
        child: Its number.
        job: What it runs.
        limits: What it may use.
        holds_too_much: Says what there is too much of in the folders of the run, if anything.
    """

    def __init__(
        self, child: int, job: dict[str, Any], limits: dict[str, Any], holds_too_much: Callable[[], str]
    ) -> None:
        self._child, self._run, self._wall_s = child, job["run"], job["wall_s"]
        self._limits, self._holds_too_much = limits, holds_too_much
        self._helpers = job["helpers"]
        self._began = time.monotonic()

    def until_end(self, control: socket.socket) -> str:
        """Waits, and returns why the child was killed, or an empty text.

        Raises:
            EOFError: If the host has hung up.
        """
        killed = ""
        with _ending(self._child) as watched:
            while not killed:
                waited_for = [*watched, control.fileno()]
                ready = select.select(waited_for, [], [], self._patience(watched))[0]
                if watched and watched[0] in ready:
                    return ""
                if ready:
                    killed = self._heed(control)
                elif not watched and os.waitid(os.P_PID, self._child, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                    return ""
                elif self._left_s() <= 0:
                    killed = "time"
                else:
                    killed = self._excess()
        self.kill()
        return killed

    def _patience(self, watched: list[int]) -> float | None:
        """Seconds until the child has to be looked at, None if it says itself when it ends and may live on."""
        left_s = self._left_s()
        return None if watched and left_s == math.inf else max(0.0, min(left_s, _LOOK_S))

    def _left_s(self) -> float:
        """Seconds that are left to the run, infinitely many for one that the host watches."""
        if self._wall_s is None:
            return math.inf
        passed_s = time.monotonic() - self._began
        own_s = passed_s - self._starved_s()
        return 0.0 if passed_s > _LONGEST_WAIT * self._wall_s else self._wall_s - own_s

    def _heed(self, control: socket.socket) -> str:
        """Does what the host says during a run."""
        message, descriptors = wire.receive_with_descriptors(control)
        for descriptor in descriptors:
            os.close(descriptor)
        if message.get("kill") == self._run:
            return "asked"
        if message.get("usage") == self._run:
            wire.send(control, {"starved_s": self._starved_s()})
        return ""

    def _starved_s(self) -> float:
        """Seconds for which the child wanted a core and got none, as the kernel counts them."""
        try:
            with open(f"/proc/{self._child}/schedstat", encoding="ascii") as file:
                starved_s = int(file.read().split()[1]) / 1e9
        except (OSError, ValueError, IndexError):
            return 0.0
        # A run with processes of its own can starve itself.
        return min(starved_s, self._limits["wall_s"]) if self._helpers else starved_s

    def _excess(self) -> str:
        """Tells what a run takes together that no limit on a single process or file holds."""
        held = self._holds_too_much()
        if held:
            return held
        if self._helpers and _memory_of(_descendants()) > self._limits["memory_mib"] << 20:
            return "memory"
        return ""

    def kill(self) -> None:
        """Ends the child; its number is its own until it is waited for."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._child, signal.SIGKILL)


@contextlib.contextmanager
def _ending(child: int) -> Iterator[list[int]]:
    """What becomes readable when the child ends; nothing where the system has no such thing."""
    try:
        watched = os.pidfd_open(child)
    except (AttributeError, OSError):
        yield []
        return
    try:
        yield [watched]
    finally:
        os.close(watched)


def _descendants() -> list[int]:
    """Processes below this one: those of the run, and those whose parents have ended, which became ours."""
    found = [os.getpid()]
    for number in found:
        with contextlib.suppress(OSError):
            for task in os.listdir(f"/proc/{number}/task"):
                with open(f"/proc/{number}/task/{task}/children", encoding="ascii") as file:
                    found += [int(text) for text in file.read().split()]
    return found[1:]


def _memory_of(processes: list[int]) -> int:
    total = 0
    for number in processes:
        with contextlib.suppress(OSError), open(f"/proc/{number}/statm", encoding="ascii") as file:
            resident, shared = map(int, file.read().split()[1:3])
            total += (resident - shared) * os.sysconf("SC_PAGE_SIZE")
    return total
