"""Lets contenders try held-out queries under equal conditions, as many at a time as is wanted (§5)."""

from __future__ import annotations

import asyncio
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING, Any, Protocol

from flowreasoner.errors import QueryError
from flowreasoner.text import shorten
from flowreasoner_plugins.cli.wording import clock
from flowreasoner_training.nano.attempt import attempt

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence

    from flowreasoner.query import Query
    from flowreasoner_training.nano.attempt import Arena
    from flowreasoner_training.nano.contenders import Contender
    from flowreasoner_training.nano.outcomes import Key, Outcome, OutcomeFile

__all__ = ["PrintedProgress", "Progress", "best_candidate", "run"]


class Progress(Protocol):
    """Told about each finished attempt."""

    def __call__(self, outcome: Outcome, done: int, total: int) -> None:
        """Takes in an outcome: `done` of `total` attempts are finished, resumed ones included."""
        ...


async def run(
    contenders: Sequence[Contender],
    queries: Sequence[Query],
    seeds: Sequence[int],
    arena: Arena,
    file: OutcomeFile,
    *,
    concurrency: int = 16,
    progress: Progress | None = None,
) -> list[Outcome]:
    """Lets every contender try every query with every seed; what the file holds is not repeated.

    Args:
        contenders: Who tries; a name and a checkpoint occur once.
        queries: Distinct queries with hidden tests.
        seeds: Seeds of the attempts.
        arena: What is the same for all.
        file: Where outcomes are kept.
        concurrency: Attempts at the same time.
        progress: Told about each finished attempt.

    Returns:
        The outcomes, contender by contender.

    Raises:
        QueryError: If two queries have the same id, or one has no hidden tests.
        ModelError: If a model cannot be used. Whatever the error, finished attempts are kept.
        SandboxError: If the sandbox fails.
        StoreError: If an outcome cannot be written.
    """
    twice = [name for name, count in Counter(query.id for query in queries).items() if count > 1]
    if twice:
        raise QueryError(f"two queries have the id {twice[0]!r}, by which outcomes are told apart; give each its own")
    finished = file.finished()
    # All contenders meet a query one after the other, so that a part of the work already compares like with like.
    jobs = [(contender, query, seed) for seed in seeds for query in queries for contender in contenders]
    open_jobs = [job for job in jobs if _key(*job) not in finished]
    queue = iter(open_jobs)
    done = len(jobs) - len(open_jobs)

    async def work() -> None:
        nonlocal done
        for contender, query, seed in queue:
            outcome = await attempt(contender, query, seed, arena)
            file.keep(outcome)
            done += 1
            if progress is not None:
                progress(outcome, done, len(jobs))

    await _together([work() for _ in range(max(1, concurrency))])
    finished = file.finished()
    return [finished[_key(contender, query, seed)] for contender in contenders for query in queries for seed in seeds]


def best_candidate(outcomes: Sequence[Outcome]) -> str:
    """Returns the name of the contender that passes most; of equals the one with the fewest calls, then the first."""
    totals: dict[str, list[float]] = {}
    for outcome in outcomes:
        total = totals.setdefault(outcome.contender, [0.0, 0.0, 0.0])
        total[0] -= outcome.passed
        total[1] -= outcome.hidden
        total[2] += outcome.calls
    return min(totals, key=lambda name: totals[name])


def _key(contender: Contender, query: Query, seed: int) -> Key:
    return contender.name, contender.checkpoint, query.id, seed


async def _together(works: list[Coroutine[Any, Any, None]]) -> None:
    """Runs coroutines together; the first error ends them all, and none is left running."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


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
