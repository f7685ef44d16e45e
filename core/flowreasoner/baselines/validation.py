"""Scores workflows on the queries that a task-level method searches with, many at the same time."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field, replace
from functools import partial
from statistics import fmean
from typing import TYPE_CHECKING, Any

from flowreasoner.designers import Round
from flowreasoner.errors import QueryError, RequestRefused
from flowreasoner.feedback import Evaluation, Feedback
from flowreasoner.models.base import Message

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flowreasoner.baselines.journal import FittingJournal
    from flowreasoner.designers import Workbench
    from flowreasoner.query import Query
    from flowreasoner.workflow import Workflow

__all__ = ["Validated", "Validator", "check_queries"]


def check_queries(queries: Sequence[Query]) -> None:
    """Refuses queries that workflows cannot be scored on.

    Raises:
        QueryError: If there are none, two have the same id, or one has neither feedback tests nor a metric.
    """
    if not queries:
        raise QueryError("there are no queries to fit on")
    twice = [name for name, count in Counter(query.id for query in queries).items() if count > 1]
    if twice:
        raise QueryError(f"two queries have the id {twice[0]!r}, by which results are told apart; give each its own")
    for query in queries:
        if query.feedback is None and query.metric is None:
            raise QueryError(f"query {query.id!r} has neither feedback tests nor a metric to score workflows by")


@dataclass(frozen=True)
class Validated:
    """A workflow, and how it did on the validation queries.

    Attributes:
        workflow: The workflow.
        modification: What it is or changes, in the words of who designed it.
        reply: The reply that it was read from.
        feedback: What evaluating it showed, by query id.
    """

    workflow: Workflow
    modification: str
    reply: str
    feedback: Mapping[str, Feedback] = field(repr=False)

    @property
    def scores(self) -> tuple[float, ...]:
        """Mean score on each query."""
        return tuple(item.score for item in self.feedback.values())

    @property
    def score(self) -> float:
        """Mean score over the queries."""
        return fmean(self.scores)

    def as_round(self, query: Query) -> Round:
        """Returns it as a round of a design for one of the queries, as meta-agents of FlowReasoner read it."""
        texts = (self.modification, self.workflow, self.workflow.source, self.workflow.prompt_source)
        return Round(0, "", *texts, self.feedback[query.id], (Message("assistant", self.reply),))


class Validator:
    """Evaluates workflows on a set of queries; what the journal holds is not evaluated again.

    Args:
        queries: Only their feedback tests, or their metrics, are used.
        bench: Worker, sandbox and budgets.
        journal: Of the fitting.
        runs: Evaluations on each query.
        concurrency: Queries that are evaluated at the same time.
    """

    def __init__(
        self, queries: Sequence[Query], bench: Workbench, journal: FittingJournal, *, runs: int, concurrency: int
    ) -> None:
        self.queries, self._bench, self._journal = queries, bench, journal
        self._runs, self._concurrency = runs, concurrency
        self._worker_works = False

    async def __call__(
        self, workflow: Workflow, key: str, number: int, queries: Sequence[Query] | None = None
    ) -> dict[str, Feedback]:
        """Evaluates a workflow.

        Args:
            workflow: What to run.
            key: Tells this validation from others, for the journal and for draws.
            number: Of the round, for events.
            queries: Which of the queries; all unless given.

        Returns:
            The feedback by query id, without the traces of runs.

        Raises:
            RequestRefused: If the worker refuses a request before it has answered any.
            ModelError: If a query could not be evaluated because of the worker.
            SandboxError: If one could not be because of the sandbox.
            BudgetExceeded: If the budget of the fitting ran out.
            StoreError: If a result cannot be written down.
        """
        queries = self.queries if queries is None else queries
        queue, found = iter(queries), dict[str, Feedback]()

        async def work() -> None:
            for query in queue:
                evaluate = partial(self._evaluate, workflow, query, key, number)
                found[query.id] = Feedback.from_json(await self._journal.once(f"{key}/query {query.id}", evaluate))

        tasks = [asyncio.ensure_future(work()) for _ in range(self._concurrency)]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:  # where one failed, the others are not paid for
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        self._worker_works = self._worker_works or any(item.spent.model_calls for item in found.values())
        return {query.id: found[query.id] for query in queries}

    async def _evaluate(self, workflow: Workflow, query: Query, key: str, number: int) -> dict[str, Any]:
        draws = f"{self._bench.seed}/{key}"
        try:
            feedback = await self._bench.evaluate(workflow, query, self._runs, number, draws)
        except RequestRefused as error:
            if not self._worker_works:
                raise
            feedback = Feedback(
                (Evaluation(None, 0.0, error=str(error)),)
            )  # the worker works: the workflow is at fault
        return replace(feedback, evaluations=tuple(replace(item, trace={}) for item in feedback.evaluations)).to_json()
