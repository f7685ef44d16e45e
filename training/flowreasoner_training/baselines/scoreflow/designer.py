"""A designer that asks a generator of its own for one workflow per query (ScoreFlow at inference)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from flowreasoner.baselines.one_round import design_in_one_round
from flowreasoner.budget import Spending
from flowreasoner.designers.proposal import Proposal, check_proposal
from flowreasoner.designers.reply import read_proposal
from flowreasoner.events import WorkflowProposed
from flowreasoner.models import Message
from flowreasoner_training.baselines.scoreflow.sampling import request_messages

if TYPE_CHECKING:
    from flowreasoner.designers import Design, Workbench
    from flowreasoner.models import ChatModel
    from flowreasoner.query import Query

__all__ = ["GeneratorDesigner"]


@dataclass(frozen=True)
class GeneratorDesigner:
    """Asks its generator for a workflow, anew while it is refused, and runs it.

    Attributes:
        generator: Takes the place of the bench's meta-agent.
        tries: Replies at most until one holds a valid workflow.
        evaluations: Runs of the workflow; its answer is the best of them.
        name: What it is called.
    """

    generator: ChatModel
    tries: int = 501
    evaluations: int = 1
    name: str = "scoreflow"

    async def design(self, query: Query, bench: Workbench) -> Design:
        """Designs a workflow for a query; see `flowreasoner.designers.Designer.design`."""
        bench = replace(bench, meta_agent=self.generator)  # results and events name who really designed
        return await design_in_one_round(query, bench, lambda asked: self._propose(asked, bench), self.evaluations)

    async def _propose(self, query: Query, bench: Workbench) -> Proposal:
        """Returns the first valid proposal, or the last of all tries."""
        messages, spent = request_messages(query, bench), Spending()
        for attempt in range(self.tries):
            completion = await bench.ask_meta_agent(messages, f"{bench.seed}/r1/m{attempt}")
            spent += completion.spending
            proposed = read_proposal(completion)
            report = check_proposal(proposed, bench.operators)
            bench.emit(WorkflowProposed(1, attempt, proposed.modification, report.workflow, report.diagnostics))
            if report.ok or attempt + 1 == self.tries:
                turns = (Message("assistant", completion.text),)
                return Proposal(proposed, report, turns, (proposed.reasoning,), spent)
        raise AssertionError("unreachable")
