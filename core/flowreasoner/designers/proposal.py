"""From a meta-agent's reply to a round: the reply is checked, and a workflow that passes is evaluated (§4.3)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from flowreasoner.budget import Spending
from flowreasoner.designers.base import Round
from flowreasoner.feedback import Feedback
from flowreasoner.workflow import Diagnostic, check

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flowreasoner.designers.reply import Proposed
    from flowreasoner.designers.workbench import Workbench
    from flowreasoner.models.base import Message
    from flowreasoner.operators import Operator
    from flowreasoner.query import Query
    from flowreasoner.workflow import Report

__all__ = ["Proposal", "check_proposal", "evaluate_proposal"]


@dataclass(frozen=True)
class Proposal:
    """What asking for one workflow gave.

    Attributes:
        proposed: The last reply, taken apart.
        report: What the checker said of it.
        turns: All messages: replies, and diagnostics between them.
        thoughts: The reasoning of each reply.
        spent: What the replies cost.
    """

    proposed: Proposed
    report: Report
    turns: Sequence[Message]
    thoughts: Sequence[str] = ()
    spent: Spending = field(default_factory=Spending)


def check_proposal(proposed: Proposed, operators: Mapping[str, Operator]) -> Report:
    """Checks a proposal; a reply without a workflow is refused like any other."""
    report = check(proposed.graph, proposed.prompt, operators)
    if proposed.graph:
        return report
    missing = Diagnostic(0, 0, "no-graph", "error", "the reply contains no workflow", "put it into <graph>...</graph>")
    return replace(report, workflow=None, diagnostics=(missing,))


async def evaluate_proposal(
    proposal: Proposal, number: int, query: Query, bench: Workbench, evaluations: int, draws: str | None = None
) -> Round:
    """Finishes a round: runs the proposed workflow on the query; one that was refused scores 0.

    Args:
        proposal: The checked proposal.
        number: Number of the round, 1-based.
        query: What the workflow is run on.
        bench: Worker, sandbox and budget.
        evaluations: Runs of the workflow; the paper has 3.
        draws: Seed of the worker's draws; the bench's own unless given.

    Raises:
        ModelError: If no run could be made because of the worker; `Workbench.evaluate` names the other reasons.
    """
    workflow = proposal.report.workflow
    if workflow is None:
        feedback = Feedback(diagnostics=proposal.report.diagnostics)
    else:
        feedback = await bench.evaluate(workflow, query, evaluations, number, draws)
    return Round(
        number,
        "\n\n".join(filter(None, proposal.thoughts)),
        proposal.proposed.modification,
        workflow,
        proposal.proposed.graph,
        proposal.proposed.prompt,
        feedback,
        tuple(proposal.turns),
        proposal.spent,
    )
