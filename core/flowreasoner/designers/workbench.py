"""What a designer works with: models, sandbox, budget, journal; and the evaluation of a workflow (§4.3)."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

from flowreasoner.budget import Budget, Meter, Spending
from flowreasoner.designers.grading import grade_answer
from flowreasoner.engine import Call, run_workflow
from flowreasoner.errors import ModelError, ModelRefused, OperatorError, RequestRefused, SandboxError
from flowreasoner.events import CallEnded, EvaluationEnded
from flowreasoner.feedback import Evaluation, Feedback
from flowreasoner.models.base import ChatRequest
from flowreasoner.operators import BUILTIN
from flowreasoner.operators.toolkit import ModelToolkit
from flowreasoner.text import well_formed

if TYPE_CHECKING:
    from flowreasoner.designers.base import Round
    from flowreasoner.events import Event, Observer
    from flowreasoner.models import ChatModel, Completion, Message
    from flowreasoner.operators import Operator
    from flowreasoner.query import Query
    from flowreasoner.sandbox import Sandbox
    from flowreasoner.workflow import Workflow

__all__ = ["Journal", "NoJournal", "Workbench"]


class Journal(Protocol):
    """Where finished rounds are written down, and read from on resume."""

    @property
    def run(self) -> str:
        """Id of the run, or empty."""
        ...

    def finished(self) -> list[dict[str, Any]]:
        """Returns the rounds that were finished before, as JSON."""
        ...

    def keep(self, finished: Round) -> None:
        """Writes a finished round down."""
        ...


class NoJournal:
    """Keeps nothing."""

    run = ""

    def finished(self) -> list[dict[str, Any]]:
        """Returns nothing."""
        return []

    def keep(self, finished: Round) -> None:
        """Does nothing."""


@dataclass
class Workbench:
    """What a designer works with.

    Attributes:
        meta_agent: Designs workflows.
        worker: Runs operators.
        sandbox: Runs code.
        operators: Operators that workflows may use, by class name.
        budget: Limits of each run of a workflow.
        meter: Counts what the whole design spends, against its own budget.
        seed: Seed of all draws.
        journal: Where rounds are kept.
        observers: Called with each event.
    """

    meta_agent: ChatModel
    worker: ChatModel
    sandbox: Sandbox
    operators: Mapping[str, Operator] = field(default_factory=lambda: BUILTIN)
    budget: Budget = field(default_factory=Budget)
    meter: Meter = field(default_factory=lambda: Meter(Budget.unlimited()))
    seed: int = 0
    journal: Journal = field(default_factory=NoJournal)
    observers: tuple[Observer, ...] = ()
    _worker_answered: bool = field(default=False, init=False, repr=False)

    @property
    def simulated_models(self) -> tuple[str, ...]:
        """Which of the models are simulated: ``meta_agent``, ``worker``."""
        return tuple(role for role in ("meta_agent", "worker") if getattr(self, role).simulated)

    def emit(self, event: Event) -> None:
        """Reports an event to all observers."""
        for observer in self.observers:
            observer(event)

    async def ask_meta_agent(self, messages: Sequence[Message], draw: str) -> Completion:
        """Asks the meta-agent, and charges the whole design's budget for it; models try again by themselves.

        Args:
            messages: The conversation.
            draw: Tells this request from others with the same messages.

        Raises:
            ModelError: If the meta-agent cannot be used; what it cost is charged all the same.
            BudgetExceeded: If the whole design's budget ran out.
        """
        request = ChatRequest(tuple(messages), draw, "meta-agent", self.meter.permit)
        request.permit()
        try:
            completion = await self.meta_agent.complete(request)
        except ModelError as error:
            if error.spent is not None:
                self.meter.charge(error.spent)
            raise
        self.meter.charge(completion.spending)
        return completion

    async def evaluate(
        self, workflow: Workflow, query: Query, evaluations: int, number: int, draws: str | None = None
    ) -> Feedback:
        """Runs a workflow several times on the query, at the same time, and grades each answer.

        Args:
            workflow: What to run.
            query: What to run it on.
            evaluations: How many runs; the paper has 3.
            number: Number of the round, for draws and events.
            draws: Seed of the draws; the bench's own unless given.

        Returns:
            The feedback. Runs that failed for reasons that are not the workflow's are left out and named.

        Raises:
            ModelRefused: If a model refuses for good.
            RequestRefused: If the worker refuses a request before it has answered any.
            ModelError: If no run could be made because of the models.
            SandboxError: If none could be made because of the sandbox.
            BudgetExceeded: If the whole design's budget ran out during the runs.
        """
        seed = str(self.seed) if draws is None else draws
        runs = [self._evaluate_once(workflow, query, number, index, seed) for index in range(1, evaluations + 1)]
        outcomes = await _all(runs)
        self.meter.check()
        graded, broken = [], []
        for outcome in outcomes:
            if isinstance(outcome, Evaluation):
                graded.append(outcome)
            elif isinstance(outcome, ModelError | SandboxError) and not isinstance(outcome, ModelRefused):
                broken.append(outcome)
            else:
                raise outcome
        if not graded:
            raise broken[0]
        return Feedback(tuple(graded), workflow.diagnostics, tuple(dict.fromkeys(map(str, broken))))

    async def _evaluate_once(self, workflow: Workflow, query: Query, number: int, index: int, seed: str) -> Evaluation:
        meter = Meter(self.budget, self.meter)
        draw = f"{seed}/r{number}/e{index}"

        async def perform(operator: Operator, inputs: dict[str, Any], call: Call) -> dict[str, Any]:
            def charge(spending: Spending) -> None:
                self._worker_answered = True
                call.spending += spending
                meter.charge(spending)

            label = f"{draw}/{call.path}"
            source = random.Random(label)  # noqa: S311 - reproducible on purpose
            toolkit = ModelToolkit(
                self.worker, self.sandbox, query.feedback, query.entry_point, label, source, charge, meter.permit
            )
            try:
                return await operator(toolkit, inputs)
            except RequestRefused as error:
                if not self._worker_answered:
                    raise
                raise OperatorError(str(error)) from None  # the worker works; this request was at fault
            finally:
                self.emit(CallEnded(number, index, call))

        arguments = {"problem": query.problem, "entry_point": query.entry_point, "test_cases": query.test_cases()}
        result = await run_workflow(
            workflow, arguments, perform, meter=meter, operators=self.operators, seed=_number(draw)
        )
        evaluation = Evaluation(
            None,
            0.0,
            error="" if result.error is None else str(result.error),
            spent=result.spent,
            seconds=result.seconds,
            trace=result.trace.to_json(),
            tier=self.sandbox.tier,
        )
        if result.answer is not None:
            grade = await grade_answer(well_formed(result.answer), query, self.sandbox)
            evaluation = replace(evaluation, answer=grade.answer, score=grade.score, tests=grade.tests, note=grade.note)
        self.emit(EvaluationEnded(number, index, evaluation))
        return evaluation


async def _all(runs: list[Any]) -> list[Any]:
    """Runs coroutines together; a cancellation of the whole cancels each and waits for it."""
    tasks = [asyncio.ensure_future(run) for run in runs]
    try:
        return await asyncio.gather(*tasks, return_exceptions=True)
    except asyncio.CancelledError:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise


def _number(text: str) -> int:
    return random.Random(text).getrandbits(48)  # noqa: S311 - a seed made from a label
