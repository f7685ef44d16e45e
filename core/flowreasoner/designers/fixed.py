"""One workflow for every query: what a designer has to beat, and how baselines by hand are run."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flowreasoner.budget import Spending
from flowreasoner.designers.base import Design, Round
from flowreasoner.designers.conclusion import conclude
from flowreasoner.designers.written_tests import with_written_tests
from flowreasoner.events import DesignStarted, RoundEnded, RoundStarted

if TYPE_CHECKING:
    from flowreasoner.designers.base import StopReason
    from flowreasoner.designers.workbench import Workbench
    from flowreasoner.query import Query
    from flowreasoner.workflow import Workflow

__all__ = ["FixedWorkflow"]


@dataclass(frozen=True)
class FixedWorkflow:
    """A designer that has one workflow for every query, and needs no meta-agent.

    Attributes:
        workflow: The workflow.
        rounds: Times that it is evaluated, with draws of their own.
        evaluations: Runs per round. With both at 1 the workflow is simply run.
        early_stop: Stop at the first perfect round.
        name: What it is called.
    """

    workflow: Workflow
    rounds: int = 1
    evaluations: int = 1
    early_stop: bool = True
    name: str = "fixed"

    async def design(self, query: Query, bench: Workbench) -> Design:
        """Runs the workflow; see `flowreasoner.designers.Designer.design`."""
        began = time.perf_counter()
        query = await with_written_tests(query, bench)
        asked = (bench.meta_agent.name, bench.worker.name, self.rounds, self.evaluations)
        bench.emit(DesignStarted(query, bench.journal.run, *asked, 0))
        workflow, rounds = self.workflow, list[Round]()
        stopped: StopReason = "rounds"
        for number in range(1, self.rounds + 1):
            bench.emit(RoundStarted(number))
            feedback = await bench.evaluate(workflow, query, self.evaluations, number)
            texts = (f"{self.name}, as it is", workflow, workflow.source, workflow.prompt_source)
            item = Round(number, "", *texts, feedback, (), Spending())
            rounds.append(item)
            bench.journal.keep(item)
            bench.emit(RoundEnded(item))
            if feedback.perfect and self.early_stop:
                stopped = "perfect"
                break
        return await conclude(query, rounds, stopped, bench, began=began)
