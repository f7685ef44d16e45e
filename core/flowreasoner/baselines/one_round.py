"""Designs of one round, by methods that make a workflow once for a query and see no feedback on it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from flowreasoner.designers.conclusion import conclude
from flowreasoner.designers.proposal import Proposal, evaluate_proposal
from flowreasoner.designers.reply import Proposed
from flowreasoner.designers.written_tests import with_written_tests
from flowreasoner.events import DesignStarted, RoundEnded, RoundStarted, WorkflowProposed
from flowreasoner.workflow import check
from flowreasoner.workflow.printer import print_prompts

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from flowreasoner.designers import Design, Workbench
    from flowreasoner.designers.base import StopReason
    from flowreasoner.query import Query

__all__ = ["design_in_one_round", "proposal_of"]


async def design_in_one_round(
    query: Query, bench: Workbench, propose: Callable[[Query], Awaitable[Proposal]], evaluations: int
) -> Design:
    """Lets a workflow be proposed for a query, evaluates it, and concludes.

    Args:
        query: What is asked.
        bench: Models, sandbox and budgets.
        propose: Makes the workflow, and reports it; it is given the query with the tests that are used.
        evaluations: Runs of the workflow.

    Raises:
        ModelError: If a model cannot be used.
        SandboxError: If the sandbox fails.
        BudgetExceeded: If the budget ends before there is an answer.
        NoAnswer: If the workflow gives none.
    """
    began = time.perf_counter()
    query = await with_written_tests(query, bench)
    names = (bench.meta_agent.name, bench.worker.name)
    bench.emit(DesignStarted(query, bench.journal.run, *names, 1, evaluations, 0))
    bench.emit(RoundStarted(1))
    proposal = await propose(query)
    finished = await evaluate_proposal(proposal, 1, query, bench, evaluations)
    bench.journal.keep(finished)
    bench.emit(RoundEnded(finished))
    stopped: StopReason = "perfect" if finished.feedback.perfect else "rounds"
    return await conclude(query, [finished], stopped, bench, began=began)


def proposal_of(told: str, graph: str, prompts: Mapping[str, str], bench: Workbench) -> Proposal:
    """Returns a workflow that a method put together by itself as a proposal, checked and reported.

    Args:
        told: What it is, in a sentence.
        graph: The class Workflow, as source.
        prompts: Its prompts by name.
        bench: Operators and observers.
    """
    report = check(graph, prompts, bench.operators)
    bench.emit(WorkflowProposed(1, 0, told, report.workflow, report.diagnostics))
    return Proposal(Proposed("", told, graph, print_prompts(prompts)), report, ())
