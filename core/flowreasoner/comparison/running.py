"""Lets contenders try queries under equal conditions, as many at a time as is wanted (§5)."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any, Protocol

from flowreasoner.comparison.attempt import attempt
from flowreasoner.errors import ModelError, ModelRefused, QueryError

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence

    from flowreasoner.comparison.attempt import Arena
    from flowreasoner.comparison.contender import Contender
    from flowreasoner.comparison.outcomes import Key, Outcome, OutcomeFile
    from flowreasoner.query import Query

__all__ = ["Progress", "run"]

_MOST_IN_A_ROW = 8  # failures of a model, after its own tries, that look like more than bad luck


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
        concurrency: Attempts that may ask models at the same time; besides, as many are judged.
        progress: Told about each finished attempt.

    Returns:
        The outcomes, contender by contender.

    Raises:
        QueryError: If two queries have the same id, or one has no hidden tests.
        ModelError: If a model cannot be used; where only some attempts failed, after all others are finished.
            Whatever the error, finished attempts are kept.
        SandboxError: If the sandbox fails.
        BudgetExceeded: If what all attempts may spend together is spent.
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
    done, failures = len(jobs) - len(open_jobs), _Failures()
    place = asyncio.Semaphore(max(1, concurrency))

    async def work() -> None:
        nonlocal done
        for contender, query, seed in queue:
            try:
                outcome = await attempt(contender, query, seed, arena, place)
            except ModelRefused:
                raise
            except ModelError as error:
                failures.add(error)
                continue
            failures.in_a_row = 0
            file.keep(outcome)
            done += 1
            if progress is not None:
                progress(outcome, done, len(jobs))

    # While the hidden tests judge what one attempt came to, its place is another's: models need not wait for tests.
    await _together([work() for _ in range(2 * max(1, concurrency))])
    failures.tell(len(jobs))
    finished = file.finished()
    return [finished[_key(contender, query, seed)] for contender in contenders for query in queries for seed in seeds]


class _Failures:
    """Attempts that a model's failure kept from being made: a few leave the others going, many in a row do not."""

    def __init__(self) -> None:
        self.count = self.in_a_row = 0
        self.last: ModelError | None = None

    def add(self, error: ModelError) -> None:
        """Counts a failure, and raises it where it is one too many in a row."""
        self.count, self.in_a_row, self.last = self.count + 1, self.in_a_row + 1, error
        if self.in_a_row >= _MOST_IN_A_ROW:
            raise error

    def tell(self, total: int) -> None:
        """Raises an error that says what is missing, if anything is."""
        if self.last is not None:
            raise ModelError(
                f"{self.count} of {total} attempts could not be made, the last one as {self.last}; what is finished is "
                "kept, and the same again makes the others"
            )


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
