"""A designer that asks a generator of its own for one workflow per query (ScoreFlow at inference)."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from flowreasoner.budget import Spending
from flowreasoner.designers.base import Design
from flowreasoner.designers.conclusion import conclude
from flowreasoner.designers.proposal import Proposal, check_proposal, evaluate_proposal
from flowreasoner.designers.reply import read_proposal
from flowreasoner.designers.written_tests import with_written_tests
from flowreasoner.events import DesignStarted, RoundEnded, RoundStarted, WorkflowProposed
from flowreasoner.models import Message
from flowreasoner_training.baselines.scoreflow.sampling import ask, request_messages

if TYPE_CHECKING:
    from flowreasoner.designers import Workbench
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
        began = time.perf_counter()
        query = await with_written_tests(query, bench)
        bench = replace(bench, meta_agent=self.generator)  # results and events name who really designed
        asked = (bench.meta_agent.name, bench.worker.name, 1, self.evaluations)
        bench.emit(DesignStarted(query, bench.journal.run, *asked, 0))
        bench.emit(RoundStarted(1))
        proposal = await self._propose(query, bench)
        made = await evaluate_proposal(proposal, 1, query, bench, self.evaluations)
        bench.journal.keep(made)
        bench.emit(RoundEnded(made))
        return await conclude(query, [made], "perfect" if made.feedback.perfect else "rounds", bench, began=began)

    async def _propose(self, query: Query, bench: Workbench) -> Proposal:
        """Returns the first valid proposal, or the last of all tries."""
        messages, spent = request_messages(query, bench), Spending()
        for attempt in range(self.tries):
            completion = await ask(self.generator, messages, f"{bench.seed}/r1/m{attempt}", bench)
            spent += completion.spending
            proposed = read_proposal(completion)
            report = check_proposal(proposed, bench.operators)
            bench.emit(WorkflowProposed(1, attempt, proposed.modification, report.workflow, report.diagnostics))
            if report.ok or attempt + 1 == self.tries:
                turns = (Message("assistant", completion.text),)
                return Proposal(proposed, report, turns, (proposed.reasoning,), spent)
        raise AssertionError("unreachable")
