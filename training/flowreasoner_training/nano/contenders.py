"""Who is compared: fixed workflows, and FlowReasoner with one meta-agent or another (§5)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from flowreasoner.budget import Spending
from flowreasoner.designers import Design, Designer, FlowReasoner, Round, grade_with_suite, select_best
from flowreasoner.errors import NoAnswer
from flowreasoner.models import ChatModel
from flowreasoner.query import Query
from flowreasoner.workflow import Workflow

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flowreasoner.designers import Workbench
    from flowreasoner.designers.base import StopReason

__all__ = ["TITLES", "Contender", "FixedWorkflow", "ModelSource", "baselines", "candidates", "trained"]

ModelSource = Callable[[Query, int], ChatModel]
"""Gives the model for a query and a seed; mostly always the same one."""

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


@dataclass(frozen=True)
class FixedWorkflow:
    """A designer that has one workflow for every query.

    Attributes:
        workflow: The workflow.
        rounds: Times that it is evaluated, with draws of their own.
        evaluations: Runs per round. With both at 1 the workflow is simply run.
        early_stop: Stop at the first perfect round.
    """

    workflow: Workflow
    rounds: int = 1
    evaluations: int = 1
    early_stop: bool = True
    name: str = "fixed"

    async def design(self, query: Query, bench: Workbench) -> Design:
        """Runs the workflow; see `flowreasoner.designers.Designer.design`."""
        rounds: list[Round] = []
        stopped: StopReason = "rounds"
        for number in range(1, self.rounds + 1):
            feedback = await bench.evaluate(self.workflow, query, self.evaluations, number)
            workflow = self.workflow
            item = Round(number, "", "", workflow, workflow.source, workflow.prompt_source, feedback, (), Spending())
            bench.journal.keep(item)
            rounds.append(item)
            if feedback.perfect and self.early_stop:
                stopped = "perfect"
                break
        best = select_best(rounds)
        if best is None:
            raise NoAnswer(f"the workflow gave no answer: {rounds[-1].feedback.complaint or 'nothing'}")
        design = Design(query, tuple(rounds), best, "", bench.worker.name, bench.simulated_models, stopped)
        if query.hidden is None:
            return design
        grade = await grade_with_suite(design.answer, query.hidden, bench.sandbox)
        return replace(design, hidden_score=grade.score, hidden_passed=grade.score >= 1.0)


@dataclass(frozen=True)
class Contender:
    """One that tries every query.

    Attributes:
        name: Short name, e.g. ``grpo``.
        designer: Turns a query into a workflow.
        meta_agent: The meta-agent, where the designer uses one.
        checkpoint: Which training seed it stands for.
        run_again: Whether the chosen workflow is run once more, on its own.
    """

    name: str
    designer: Designer
    meta_agent: ModelSource | None = None
    checkpoint: str = ""
    run_again: bool = True


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


def trained(name: str, checkpoints: Mapping[str, ModelSource], designer: FlowReasoner) -> list[Contender]:
    """Returns FlowReasoner with each checkpoint of a meta-agent.

    Args:
        name: Name of the contender.
        checkpoints: Meta-agents by label, one per training seed; those in the same place of two contenders'
            checkpoints are compared with one another.
        designer: Rounds, evaluations and early stop.
    """
    return [Contender(name, designer, model, label) for label, model in checkpoints.items()]
