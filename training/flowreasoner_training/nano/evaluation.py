"""Lets contenders try held-out queries under equal conditions and writes down what each attempt came to (§5)."""

from __future__ import annotations

import asyncio
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from flowreasoner.budget import Budget
from flowreasoner.designers import NoJournal, Workbench, grade_with_suite, select_best
from flowreasoner.errors import BudgetExceeded, NoAnswer, QueryError, RequestRefused
from flowreasoner.reward import Reward, RewardContext
from flowreasoner.workflow import complexity
from flowreasoner_plugins.cli.wording import clock
from flowreasoner_training.nano.outcomes import Outcome

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence

    from flowreasoner.designers import Round
    from flowreasoner.query import Query
    from flowreasoner.sandbox import Sandbox
    from flowreasoner_training.nano.contenders import Contender, ModelSource
    from flowreasoner_training.nano.outcomes import Key, OutcomeFile

__all__ = ["Arena", "PrintedProgress", "Progress", "attempt", "best_candidate", "run"]


@dataclass(frozen=True)
class Arena:
    """What is the same for all contenders.

    Attributes:
        worker: Runs operators.
        sandbox: Runs code.
        budget: Limits of each run of a workflow.
        reward: The reward of a round; it only measures here.
    """

    worker: ModelSource
    sandbox: Sandbox
    budget: Budget = field(default_factory=Budget)
    reward: Reward = field(default_factory=Reward)


class Progress(Protocol):
    """Told about each finished attempt."""

    def __call__(self, outcome: Outcome, done: int, total: int) -> None:
        """Takes in an outcome: `done` of `total` attempts are finished, resumed ones included."""
        ...


class _Rounds(NoJournal):
    """Remembers the rounds of a design, also of one that ends without an answer."""

    def __init__(self) -> None:
        self.made: list[Round] = []

    def keep(self, finished: Round) -> None:
        """Remembers a round."""
        self.made.append(finished)


async def attempt(contender: Contender, query: Query, seed: int, arena: Arena) -> Outcome:
    """Lets a contender try a query once.

    A design that ends without an answer is an outcome like any other, with nothing passed.

    Args:
        contender: Who tries.
        query: The query, with feedback and hidden tests.
        seed: Seed of all draws.
        arena: What is the same for all.

    Raises:
        QueryError: If the query has no hidden tests.
        ModelError: If a model cannot be used.
        SandboxError: If the sandbox fails.
    """
    if query.hidden is None:
        raise QueryError(f"query {query.id!r} has no hidden tests to score answers by; divide its tests")
    rounds = _Rounds()
    worker = arena.worker(query, seed)
    meta_agent = worker if contender.meta_agent is None else contender.meta_agent(query, seed)
    bench = Workbench(meta_agent, worker, arena.sandbox, budget=arena.budget, seed=seed, journal=rounds)
    hidden, once, error = 0.0, 0.0, ""
    try:
        design = await contender.designer.design(query, bench)
        hidden = design.hidden_score or 0.0
        again = (await bench.evaluate(design.workflow, query, 1, 0)).best
        if again is not None and again.answer is not None:
            once = (await grade_with_suite(again.answer, query.hidden, arena.sandbox)).score
    except (NoAnswer, BudgetExceeded, RequestRefused) as failure:
        error = str(failure)
    return Outcome(
        contender.name,
        contender.checkpoint,
        query.id,
        query.metadata.get("depth"),
        seed,
        passed=float(hidden >= 1),
        hidden=hidden,
        once=float(once >= 1),
        error=error,
        **_measures(rounds.made, arena),
    )


def _measures(rounds: Sequence[Round], arena: Arena) -> dict[str, Any]:
    """Returns what the rounds say: score, rewards and costs, and the shape of the best workflow."""
    rewards = [
        arena.reward.total(item, RewardContext(rounds[:number], arena.budget)) for number, item in enumerate(rounds)
    ]
    measures: dict[str, Any] = {
        "feedback": max((item.score for item in rounds), default=0.0),
        "reward": sum(rewards) / len(rewards) if rewards else 0.0,
        "rewards": tuple(rewards),
        "rounds": len(rounds),
        "calls": sum(item.feedback.spent.calls for item in rounds),
        "worker_tokens": sum(item.feedback.spent.tokens for item in rounds),
        "meta_tokens": sum(item.spent.tokens for item in rounds),
        "run_calls": None,
        "complexity": None,
    }
    best = select_best(list(rounds))
    if best is not None and best.workflow is not None:
        measures["run_calls"] = best.feedback.spent.calls / len(best.feedback.evaluations)
        measures["complexity"] = complexity(best.workflow.program).raw
        measures["operators"] = tuple(site.operator for site in best.workflow.program.sites)
    return measures


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
        ModelError: If a model cannot be used. Whatever the error, finished attempts are kept.
        SandboxError: If the sandbox fails.
        StoreError: If an outcome cannot be written.
    """
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
        shares = ", ".join(f"{name} {sum(values) / len(values):.2f}" for name, values in sorted(self._passed.items()))
        left = (now - self._start) / self._made * (total - done)
        sys.stderr.write(f"{self._what}: {done} of {total} attempts, passed: {shares}; about {clock(left)} left\n")
        sys.stderr.flush()
