"""Fits methods before a cell's queries are tried: once for each seed, and only once whatever interrupts it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from flowreasoner.budget import Budget, Meter
from flowreasoner.comparison import Contender
from flowreasoner.designers import Workbench

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from flowreasoner.comparison import Arena, ModelFor
    from flowreasoner.feedback import Feedback
    from flowreasoner.query import Query
    from flowreasoner.workflow import Workflow
    from flowreasoner_plugins.bench.contenders import Unfitted
    from flowreasoner_plugins.bench.plan import Cell

__all__ = ["fit"]


async def fit(
    unfitted: Unfitted, cell: Cell, seed: int, arena: Arena, folder: Path, tell: Callable[[str], None]
) -> tuple[Contender, dict[str, Any]]:
    """Fits a method for a cell with one seed; what the folder holds of it is not done again.

    Args:
        unfitted: The method.
        cell: Its training queries are used, and its worker.
        seed: Of the fitting.
        arena: What is the same for all contenders; its meter is charged.
        folder: Of this fitting.
        tell: Called with lines of progress.

    Returns:
        The contender, whose checkpoint is named after the seed; and what fitting it cost and came to, as JSON.

    Raises:
        BudgetExceeded: If the budget ended before the fitting did, whatever there is of it by then.
        FlowReasonerError: If models, sandbox or folder cannot be used; what is finished is kept.
    """
    first = cell.training[0]
    bench = _FittingBench(
        unfitted.meta_agent(first, seed),
        arena.worker(first, seed),
        arena.sandbox,
        arena.operators,
        arena.budget,
        Meter(Budget.unlimited(), arena.meter),
        seed,
        worker_for=arena.worker,
    )
    fitted = await unfitted.method.fit(cell.training, bench, folder, tell)
    arena.meter.check()  # what ends early for want of money says nothing of the method
    checkpoint = f"seed-{seed}@{_mark(unfitted, cell)}"
    contender = Contender(unfitted.name, fitted.designer, unfitted.meta_agent, checkpoint, run_again=False)
    spent = fitted.spent
    told = {
        "seed": seed,
        "checkpoint": checkpoint,
        "model_calls": spent.model_calls,
        "tokens": spent.tokens,
        "usd": spent.usd,
        "unpriced_calls": spent.unpriced_calls,
        "seconds": fitted.seconds,
        "facts": dict(fitted.facts),
    }
    return contender, told


def _mark(unfitted: Unfitted, cell: Cell) -> str:
    parts = [unfitted.mark, [query.digest() for query in cell.training]]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:8]


@dataclass
class _FittingBench(Workbench):
    """A bench for many queries: a worker that knows its query, such as a simulated one, is another for each."""

    worker_for: ModelFor = field(kw_only=True)

    async def evaluate(
        self, workflow: Workflow, query: Query, evaluations: int, number: int, draws: str | None = None
    ) -> Feedback:
        """Evaluates a workflow; see `flowreasoner.designers.Workbench.evaluate`."""
        worker = self.worker_for(query, self.seed)
        if worker is self.worker:
            return await super().evaluate(workflow, query, evaluations, number, draws)
        own = replace(self, worker=worker, worker_for=lambda *_: worker)
        return await own.evaluate(workflow, query, evaluations, number, draws)
