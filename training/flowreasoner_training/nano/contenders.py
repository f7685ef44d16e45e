"""Who is compared: fixed workflows, and FlowReasoner with one meta-agent or another (§5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flowreasoner.comparison import Contender
from flowreasoner.designers import FixedWorkflow

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flowreasoner.comparison import ModelFor, Outcome
    from flowreasoner.designers import FlowReasoner
    from flowreasoner.workflow import Workflow

__all__ = ["TITLES", "baselines", "best_candidate", "candidates", "trained"]

TITLES = {
    "worker": "(a) worker alone, one call",
    "fixed": "(b) best fixed workflow, run once",
    "worker-repeated": "(a') worker alone, as many runs as FlowReasoner",
    "fixed-repeated": "(b') best fixed workflow, as many runs as FlowReasoner",
    "sft": "(c) FlowReasoner, SFT",
    "grpo": "(d) FlowReasoner, SFT + GRPO with a reward per round",
    "outcome": "(e) FlowReasoner, SFT + GRPO with one reward",
}
"""What the contenders are, in the order in which they are shown."""


def candidates(catalogue: Mapping[str, Workflow]) -> list[Contender]:
    """Returns a contender per workflow of a catalogue, each of which is run once; the best becomes (b)."""
    return [
        Contender(f"candidate/{name}", FixedWorkflow(workflow), run_again=False) for name, workflow in catalogue.items()
    ]


def baselines(plain: Workflow, best: Workflow, like: FlowReasoner) -> list[Contender]:
    """Returns the contenders without a meta-agent.

    Args:
        plain: One call of the worker.
        best: The best fixed workflow.
        like: Has the rounds, evaluations and early stop for the ones that get as many runs.
    """

    def repeated(workflow: Workflow) -> FixedWorkflow:
        return FixedWorkflow(workflow, like.rounds, like.evaluations, like.early_stop)

    return [
        Contender("worker", FixedWorkflow(plain)),
        Contender("fixed", FixedWorkflow(best)),
        Contender("worker-repeated", repeated(plain)),
        Contender("fixed-repeated", repeated(best)),
    ]


def trained(name: str, checkpoints: Mapping[str, ModelFor], designer: FlowReasoner) -> list[Contender]:
    """Returns FlowReasoner with each checkpoint of a meta-agent.

    Args:
        name: Name of the contender.
        checkpoints: Meta-agents by label, one per training seed; those in the same place of two contenders'
            checkpoints are compared with one another.
        designer: Rounds, evaluations and early stop.
    """
    return [Contender(name, designer, model, label) for label, model in checkpoints.items()]


def best_candidate(outcomes: Sequence[Outcome]) -> str:
    """Returns the name of the contender that passes most; of equals the one with the fewest calls, then the first."""
    totals: dict[str, list[float]] = {}
    for outcome in outcomes:
        total = totals.setdefault(outcome.contender, [0.0, 0.0, 0.0])
        total[0] -= outcome.passed
        total[1] -= outcome.hidden
        total[2] += outcome.calls
    return min(totals, key=lambda name: totals[name])
