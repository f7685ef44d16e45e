"""Says how an evaluation goes on, in a line every few seconds."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from flowreasoner.text import shorten
from flowreasoner_plugins.cli.wording import clock

if TYPE_CHECKING:
    from flowreasoner.comparison import Outcome

__all__ = ["PrintedProgress"]

_SHOWN, _WIDEST = 8, 32


class PrintedProgress:
    """Prints a line on standard error every few seconds: how far it is, who passes how much, and the time left.

    Args:
        what: What goes on, e.g. ``test``.
        every_s: Seconds between lines.
    """

    def __init__(self, what: str, every_s: float = 10.0) -> None:
        self._what, self._every_s = what, every_s
        self._start = self._last = time.monotonic()
        self._made = 0
        self._passed: dict[str, list[float]] = {}

    def __call__(self, outcome: Outcome, done: int, total: int) -> None:
        """Takes in an outcome."""
        self._made += 1
        self._passed.setdefault(outcome.contender, []).append(outcome.passed)
        now = time.monotonic()
        if now - self._last < self._every_s and done < total:
            return
        self._last = now
        shares = sorted(((sum(own) / len(own), name) for name, own in self._passed.items()), reverse=True)[:_SHOWN]
        passed = ", ".join(f"{shorten(name, _WIDEST)} {share:.2f}" for share, name in shares)
        left = (now - self._start) / self._made * (total - done)
        sys.stderr.write(f"{self._what}: {done} of {total} attempts, passed: {passed}; about {clock(left)} left\n")
        sys.stderr.flush()
