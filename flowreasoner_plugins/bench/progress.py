"""Says how a comparison goes on: a line every few seconds, or a table that grows."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from flowreasoner.text import shorten
from flowreasoner_plugins.cli.wording import clock, price

if TYPE_CHECKING:
    from rich.table import Table

    from flowreasoner.comparison import Outcome

__all__ = ["LiveProgress", "PrintedProgress"]

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

    def __enter__(self) -> PrintedProgress:
        return self

    def __exit__(self, *_: object) -> None:
        return None

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


class LiveProgress:
    """A table on the terminal that grows with the outcomes, a line for each designer.

    Args:
        what: What goes on, e.g. the benchmark's name.
    """

    def __init__(self, what: str) -> None:
        from rich.console import Console
        from rich.live import Live

        self._what, self._start, self._made, self._done, self._total = what, time.monotonic(), 0, 0, 0
        self._own: dict[str, list[Outcome]] = {}
        self.live = Live(console=Console(stderr=True), get_renderable=self.table, refresh_per_second=4, transient=True)

    def __enter__(self) -> LiveProgress:
        self.live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.live.stop()

    def __call__(self, outcome: Outcome, done: int, total: int) -> None:
        """Takes in an outcome; the display refreshes itself."""
        self._made, self._done, self._total = self._made + 1, done, total
        self._own.setdefault(outcome.contender, []).append(outcome)

    def table(self) -> Table:
        """Returns the table as it is now."""
        from rich.table import Table

        left = ""
        if self._made:
            seconds = (time.monotonic() - self._start) / self._made * (self._total - self._done)
            left = f", about {clock(seconds)} left"
        table = Table(title=f"{self._what}: {self._done} of {self._total or '?'} attempts{left}")
        for number, name in enumerate(("designer", "tried", "pass@1", "calls", "tokens", "USD", "time")):
            table.add_column(name, justify="right" if number else "left")
        for name, own in self._own.items():
            tokens = sum(item.worker_tokens + item.meta_tokens for item in own) / len(own)
            table.add_row(
                name,
                str(len(own)),
                f"{sum(item.passed for item in own) / len(own):.1%}",
                f"{sum(item.model_calls for item in own) / len(own):.1f}",
                f"{tokens:,.0f}",
                price(sum(item.usd for item in own) / len(own), sum(item.unpriced_calls for item in own)),
                clock(sum(item.seconds for item in own) / len(own)),
                style="red" if own[0].leaky else None,
            )
        return table
