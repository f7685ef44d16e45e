"""One attempt of a contender at a query, measured (§5)."""

from __future__ import annotations

import time
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from flowreasoner.budget import Budget, Meter
from flowreasoner.comparison.outcomes import Outcome
from flowreasoner.designers import NoJournal, Workbench, grade_with_suite, select_best
from flowreasoner.designers.conclusion import judge
from flowreasoner.errors import BudgetExceeded, NoAnswer, QueryError, RequestRefused
from flowreasoner.operators import BUILTIN
from flowreasoner.reward import Reward, RewardContext
from flowreasoner.workflow import complexity

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flowreasoner.budget import Spending
    from flowreasoner.comparison.contender import Contender, ModelFor
    from flowreasoner.designers import Design, Round
    from flowreasoner.operators import Operator
    from flowreasoner.query import Query
    from flowreasoner.sandbox import Sandbox, Suite
    from flowreasoner.store import Store

__all__ = ["Arena", "Place", "attempt"]

Place = AbstractAsyncContextManager[Any]
"""What an attempt holds while it may ask models, e.g. an `asyncio.Semaphore`."""


@dataclass(frozen=True)
class Arena:
    """What is the same for all contenders.

    Attributes:
        worker: Runs operators.
        sandbox: Runs code.
        budget: Limits of each run of a workflow.
        reward: The reward of a round; it only measures here.
        operators: Operators that workflows may use, by class name.
        meter: Counts what all attempts together spend, against a budget of their own.
        store: Keeps the rounds of each attempt, and the design that came of it; nothing is kept unless given.
    """

    worker: ModelFor
    sandbox: Sandbox
    budget: Budget = field(default_factory=Budget)
    reward: Reward = field(default_factory=Reward)
    operators: Mapping[str, Operator] = field(default_factory=lambda: BUILTIN)
    meter: Meter = field(default_factory=lambda: Meter(Budget.unlimited()))
    store: Store | None = None


async def attempt(contender: Contender, query: Query, seed: int, arena: Arena, place: Place | None = None) -> Outcome:
    """Lets a contender try a query once.

    The contender never sees the hidden tests; they judge what it came to. A design that ends without an answer is an
    outcome like any other, with nothing passed.

    Args:
        contender: Who tries.
        query: The query, with feedback and hidden tests.
        seed: Seed of all draws.
        arena: What is the same for all.
        place: Entered while models may be asked, and left before the hidden tests judge.

    Raises:
        QueryError: If the query has no hidden tests.
        ModelError: If a model cannot be used.
        SandboxError: If the sandbox fails.
        BudgetExceeded: If what all attempts may spend together is spent.
        StoreError: If the attempt cannot be written down.
    """
    hidden = query.hidden
    if hidden is None:
        raise QueryError(f"query {query.id!r} has no hidden tests to score answers by; divide its tests")
    async with place or nullcontext():
        tried = await _try(contender, replace(query, hidden=None), seed, arena)
    try:
        design = None if tried.design is None else await judge(tried.design, hidden, arena.sandbox)
        once = await _share(tried.again, hidden, arena.sandbox) if contender.run_again else None
    except BaseException:
        tried.journal.end("interrupted")
        raise
    tried.journal.end("failed" if design is None else "finished", design)
    score = 0.0 if design is None else design.score
    return Outcome(
        contender.name,
        contender.checkpoint,
        query.id,
        query.metadata.get("depth"),
        seed,
        passed=float(score >= 1),
        hidden=score,
        once=None if once is None else float(once >= 1),
        error=tried.error,
        model_calls=tried.spent.model_calls,
        usd=tried.spent.usd,
        unpriced_calls=tried.spent.unpriced_calls,
        leaky=query.leaky,
        seconds=tried.seconds,
        run=tried.journal.run,
        **_measures(tried.journal.made, arena),
    )


@dataclass(frozen=True)
class _Tried:
    """A design that nobody has judged yet, or why there is none; and what one further run of its workflow answered."""

    design: Design | None
    error: str
    again: str
    spent: Spending
    seconds: float
    journal: _Rounds


async def _try(contender: Contender, query: Query, seed: int, arena: Arena) -> _Tried:
    """Does all of an attempt for which models are asked."""
    began = time.perf_counter()
    worker = arena.worker(query, seed)
    meta_agent = worker if contender.meta_agent is None else contender.meta_agent(query, seed)
    meter = Meter(Budget.unlimited(), arena.meter)
    journal = _Rounds() if arena.store is None else _StoredRounds(arena.store, contender, query, seed)
    bench = Workbench(meta_agent, worker, arena.sandbox, arena.operators, arena.budget, meter, seed, journal)
    try:
        design, error = await _design(contender, query, bench)
        spent, seconds = meter.spent, time.perf_counter() - began
        again = await _again(design, query, bench) if contender.run_again else ""
        arena.meter.check()  # what ends early for want of money says nothing of its designer
    except BaseException:
        journal.end("interrupted")
        raise
    return _Tried(design, error, again, spent, seconds, journal)


async def _design(contender: Contender, query: Query, bench: Workbench) -> tuple[Design | None, str]:
    """Returns the design, or why there is none."""
    try:
        return await contender.designer.design(query, bench), ""
    except (NoAnswer, BudgetExceeded, RequestRefused) as failure:
        return None, str(failure)


class _Rounds(NoJournal):
    """Remembers the rounds of a design, also of one that ends without an answer."""

    def __init__(self) -> None:
        self.made: list[Round] = []

    def keep(self, finished: Round) -> None:
        """Remembers a round."""
        self.made.append(finished)

    def end(self, status: Any, design: Design | None = None) -> None:
        """Does nothing."""


class _StoredRounds(_Rounds):
    """Writes them down as well, as a run of its own."""

    def __init__(self, store: Store, contender: Contender, query: Query, seed: int) -> None:
        super().__init__()
        self._store = store
        settings = {"designer": contender.name, "query": query.id, "seed": seed, "tests": query.policy}
        self.run = store.start_run(f"{contender.name} on {query.id}", settings)

    def keep(self, finished: Round) -> None:
        """Remembers a round, and writes it down."""
        super().keep(finished)
        self._store.keep_round(self.run, finished.number, finished.to_json())

    def end(self, status: Any, design: Design | None = None) -> None:
        """Writes down how the attempt ended."""
        self._store.end_run(self.run, status, None if design is None else design.to_json())


async def _again(design: Design | None, query: Query, bench: Workbench) -> str:
    """Runs the chosen workflow once with draws of no round; returns its answer, or nothing."""
    if design is None:
        return ""
    try:
        best = (await bench.evaluate(design.workflow, query, 1, 0)).best
    except (BudgetExceeded, RequestRefused):
        return ""
    return "" if best is None else best.answer or ""


async def _share(answer: str, hidden: Suite, sandbox: Sandbox) -> float:
    """Returns the share of the hidden tests that an answer passes; nothing passes none."""
    return (await grade_with_suite(answer, hidden, sandbox)).score if answer else 0.0


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
        "run_asks": None,
        "complexity": None,
    }
    best = select_best(list(rounds))
    if best is not None and best.workflow is not None:
        spent, runs = best.feedback.spent, len(best.feedback.evaluations)
        measures["run_calls"] = spent.calls / runs
        measures["run_asks"] = spent.model_calls / runs
        measures["complexity"] = complexity(best.workflow.program).raw
        measures["operators"] = tuple(site.operator for site in best.workflow.program.sites)
    return measures
