"""One attempt of a contender at a query, measured (§5)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from flowreasoner.budget import Budget
from flowreasoner.designers import NoJournal, Workbench, grade_with_suite, select_best
from flowreasoner.errors import BudgetExceeded, NoAnswer, QueryError, RequestRefused
from flowreasoner.reward import Reward, RewardContext
from flowreasoner.workflow import complexity
from flowreasoner_training.nano.outcomes import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flowreasoner.designers import Round
    from flowreasoner.query import Query
    from flowreasoner.sandbox import Sandbox
    from flowreasoner.workflow import Workflow
    from flowreasoner_training.nano.contenders import Contender, ModelSource

__all__ = ["Arena", "attempt"]


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
    hidden, once, error = 0.0, 0.0 if contender.run_again else None, ""
    try:
        design = await contender.designer.design(query, bench)
        hidden = design.hidden_score or 0.0
        if contender.run_again:
            once = await _once(design.workflow, query, bench)
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
        once=once,
        error=error,
        **_measures(rounds.made, arena),
    )


async def _once(workflow: Workflow, query: Query, bench: Workbench) -> float:
    """Runs a workflow once with draws of no round, and returns 1 if the answer passes all hidden tests, else 0."""
    best = (await bench.evaluate(workflow, query, 1, 0)).best
    if best is None or best.answer is None or query.hidden is None:
        return 0.0
    return float((await grade_with_suite(best.answer, query.hidden, bench.sandbox)).score >= 1)


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
