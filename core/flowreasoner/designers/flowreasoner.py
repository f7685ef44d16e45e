"""FlowReasoner itself: a meta-agent that reasons from execution feedback, round by round (§4.3, Eq. 1 and 5)."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flowreasoner.budget import Spending
from flowreasoner.designers import instructions
from flowreasoner.designers.base import Design, Round, select_best
from flowreasoner.designers.conclusion import conclude
from flowreasoner.designers.conversation import conversation, task_message, within
from flowreasoner.designers.proposal import Proposal, check_proposal, evaluate_proposal
from flowreasoner.designers.reply import read_proposal
from flowreasoner.designers.written_tests import with_written_tests
from flowreasoner.errors import BudgetExceeded, QueryError
from flowreasoner.events import DesignStarted, RoundEnded, RoundStarted, WorkflowProposed
from flowreasoner.models.base import Message
from flowreasoner.workflow import check

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from flowreasoner.designers.base import StopReason
    from flowreasoner.designers.reply import Proposed
    from flowreasoner.designers.workbench import Workbench
    from flowreasoner.query import Query
    from flowreasoner.workflow import Report

__all__ = ["FlowReasoner"]


@dataclass(frozen=True)
class FlowReasoner:
    """The paper's query-level meta-agent at inference.

    Attributes:
        rounds: Designs per query (§5: 10).
        evaluations: Runs per design (Appendix A: 3).
        repairs: Times that a refused workflow may be corrected within its round.
        early_stop: Stop at the first perfect round.
        context_tokens: Size of the conversation above which old rounds are shortened.
    """

    rounds: int = 10
    evaluations: int = 3
    repairs: int = 2
    early_stop: bool = True
    context_tokens: int = 100_000
    name: str = "flowreasoner"

    def __post_init__(self) -> None:
        for field in ("rounds", "evaluations"):
            value = getattr(self, field)
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise QueryError(f"{field} must be a whole number of at least 1, got {value!r}")
        if self.repairs < 0:
            raise QueryError(f"repairs cannot be negative, got {self.repairs}")

    async def design(self, query: Query, bench: Workbench) -> Design:
        """Designs a workflow for a query; see `flowreasoner.designers.Designer.design`."""
        began = time.perf_counter()
        query = await with_written_tests(query, bench)
        task = task_message(query, bench.operators.values(), bench.budget.calls)
        rounds = [self._reread(record, bench) for record in bench.journal.finished()][: self.rounds]
        for item in rounds:
            with contextlib.suppress(BudgetExceeded):  # the next round will find out, and the best so far is returned
                bench.meter.charge(item.cost)
        bench.emit(
            DesignStarted(
                query,
                bench.journal.run,
                bench.meta_agent.name,
                bench.worker.name,
                self.rounds,
                self.evaluations,
                len(rounds),
            )
        )
        stopped = await self._run_rounds(query, bench, task, rounds)
        return await conclude(query, rounds, stopped, bench, began=began)

    async def _run_rounds(self, query: Query, bench: Workbench, task: str, rounds: list[Round]) -> StopReason:
        """Adds rounds until one is perfect, all are made, or the budget ends."""
        while not (self.early_stop and rounds and rounds[-1].feedback.perfect):
            if len(rounds) >= self.rounds:
                return "rounds"
            try:
                finished = await self._round(query, bench, task, rounds)
            except BudgetExceeded:
                if select_best(rounds) is None:
                    raise
                return "budget"
            rounds.append(finished)
            bench.journal.keep(finished)
            bench.emit(RoundEnded(finished))
        return "perfect"

    async def _round(self, query: Query, bench: Workbench, task: str, rounds: list[Round]) -> Round:
        number = len(rounds) + 1
        bench.emit(RoundStarted(number))
        fits = within(self.context_tokens, bench.meta_agent)
        proposal = await self._propose(number, conversation(task, rounds, fits), fits, bench)
        return await evaluate_proposal(proposal, number, query, bench, self.evaluations)

    async def _propose(
        self,
        number: int,
        messages: tuple[Message, ...],
        fits: Callable[[Sequence[Message]], bool],
        bench: Workbench,
    ) -> Proposal:
        """Asks for a workflow; one that is refused may be corrected up to `repairs` times, while there is room."""
        turns: list[Message] = []
        thoughts: list[str] = []
        spent = Spending()
        for attempt in range(self.repairs + 1):
            completion = await bench.ask_meta_agent((*messages, *turns), f"{bench.seed}/r{number}/m{attempt}")
            spent += completion.spending
            proposed = read_proposal(completion)
            report = check_proposal(proposed, bench.operators)
            thoughts.append(proposed.reasoning)
            turns.append(Message("assistant", completion.text))
            bench.emit(WorkflowProposed(number, attempt, proposed.modification, report.workflow, report.diagnostics))
            question = Message("user", _correction(proposed, report))
            if report.ok or attempt == self.repairs or not fits((*messages, *turns, question)):
                return Proposal(proposed, report, turns, thoughts, spent)
            turns.append(question)
        raise AssertionError("unreachable")

    def _reread(self, record: dict[str, object], bench: Workbench) -> Round:
        """Rebuilds a stored round; its workflow is checked again, as it was then."""
        graph, prompt = str(record["graph"]), str(record["prompt"])
        workflow = check(graph, prompt, bench.operators).workflow if graph else None
        return Round.from_json(record, workflow)


def _correction(proposed: Proposed, report: Report) -> str:
    if not proposed.graph:
        return instructions.UNREADABLE
    return instructions.REPAIR.format(
        diagnostics="\n".join(f"- {item.severity}: {item}" for item in report.diagnostics)
    )
