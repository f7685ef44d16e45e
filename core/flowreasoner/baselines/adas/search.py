"""Meta Agent Search: propose from the archive, reflect twice, debug, evaluate, and let the archive grow (ADAS)."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from flowreasoner.baselines.adas.archive import Entry, best_of, fitness_of
from flowreasoner.baselines.adas.seeds import SEEDS
from flowreasoner.baselines.adas.wording import REFLEXIONS, Asking, Attempt, Conversation, Published
from flowreasoner.baselines.fitting import Fitted
from flowreasoner.baselines.journal import FittingJournal, fitting_settings
from flowreasoner.baselines.meta_agent import MetaAgent, Wording, as_reply, check_wording
from flowreasoner.baselines.validation import Validated, Validator, check_queries
from flowreasoner.designers import FixedWorkflow
from flowreasoner.errors import BudgetExceeded, QueryError
from flowreasoner.feedback import Feedback
from flowreasoner.text import shorten

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from flowreasoner.baselines.meta_agent import Reply
    from flowreasoner.designers import Workbench
    from flowreasoner.query import Query
    from flowreasoner.workflow import Workflow

__all__ = ["ADAS"]


@dataclass(frozen=True)
class ADAS:
    """Meta Agent Search (Hu et al. 2024; github.com/ShengranHu/ADAS), which invents one workflow for a whole task.

    As published: the archive's first agents, 30 generations, the whole archive with bootstrap intervals as fitness in
    each request, two reflexions, debugging of what fails or scores nothing at all, one evaluation per problem.

    What departs: agents are workflows of this project's language, which are checked and interpreted, not Python that is
    executed. Each of the three corrections is evaluated, where the published code gives the last one the fitness of
    the one before. The example in a request is a problem that the fittest workflow does not solve. A score is the share
    of tests that pass. The result is the fittest on the validation queries, by the median, then the mean; published are
    the test scores of the whole archive.

    Attributes:
        generations: Workflows that are invented, at most.
        debug: Corrections of a workflow that is refused or scores nothing.
        evaluations: Of each workflow on each query.
        wording: ``conversation`` shows archive and reflexions as rounds of FlowReasoner's conversation on one of the
            queries, for meta-agents that understand nothing else.
        task: The kind of problems, in a word; for the published wording.
        seeds: What the archive begins with, by name.
        concurrency: Queries that are evaluated at the same time.
        name: What the method is called.
    """

    generations: int = 30
    debug: int = 3
    evaluations: int = 1
    wording: Wording = "published"
    task: str = "programming"
    seeds: Mapping[str, Workflow] = field(default_factory=lambda: SEEDS)
    concurrency: int = 16
    name: str = "adas"

    def __post_init__(self) -> None:
        for name, least in (("generations", 1), ("debug", 0), ("evaluations", 1), ("concurrency", 1)):
            if getattr(self, name) < least:
                raise QueryError(f"{name} must be at least {least}, got {getattr(self, name)}")
        check_wording(self.wording)
        if not self.seeds:
            raise QueryError("the archive needs a workflow to begin with; name one in seeds")

    async def fit(
        self, queries: Sequence[Query], bench: Workbench, folder: Path, tell: Callable[[str], None] = lambda _: None
    ) -> Fitted:
        """Searches a workflow; see `flowreasoner.baselines.Fittable.fit`."""
        check_queries(queries)
        with FittingJournal(folder, fitting_settings(self, queries, bench), bench) as journal:
            search = _Search(self, queries, bench, journal, tell)
            stopped = await search.run()
        best = best_of(search.archive)
        facts = {
            "generations": search.generations,
            "failed_generations": search.generations - sum(entry.generation > 0 for entry in search.archive),
            "best": best.validated.modification,
            "best_generation": best.generation,
            "fitness": str(best.fitness),
            "validation_score": best.validated.score,
            "stopped": stopped,
        }
        return Fitted(FixedWorkflow(best.validated.workflow, name=self.name), journal.spent, journal.seconds, facts)


class _Search:
    """One search: the archive so far, and what makes it grow."""

    def __init__(
        self,
        method: ADAS,
        queries: Sequence[Query],
        bench: Workbench,
        journal: FittingJournal,
        tell: Callable[[str], None],
    ) -> None:
        self._method, self._queries, self._bench, self._tell = method, queries, bench, tell
        self._meta_agent = MetaAgent(bench, journal)
        self._validate = Validator(queries, bench, journal, runs=method.evaluations, concurrency=method.concurrency)
        self.archive: list[Entry] = []
        self.generations = 0

    async def run(self) -> Literal["generations", "budget"]:
        """Lets the archive grow until all generations are made, or the budget ends.

        Raises:
            BudgetExceeded: If it ends before the first workflow is scored.
        """
        try:
            for number, (name, workflow) in enumerate(self._method.seeds.items(), 1):
                feedback = await self._validate(workflow, f"adas/seed {number}", 0)
                self._enter(Validated(workflow, name, as_reply(name, workflow), feedback), 0)
            for number in range(1, self._method.generations + 1):
                found = await self._invent(number)
                self.generations += 1
                if found is None:
                    self._tell(f"generation {number}: no workflow that could be used")
                else:
                    self._enter(found, number)
        except BudgetExceeded:
            if not self.archive:
                raise
            return "budget"
        return "generations"

    def _enter(self, found: Validated, generation: int) -> None:
        entry = Entry(found, fitness_of(found.scores, seed=self._bench.seed), generation)
        self.archive.append(entry)
        self._tell(f"generation {generation}: {entry.fitness}: {shorten(found.modification, 80)!r}")

    async def _invent(self, number: int) -> Validated | None:
        """Makes the workflow of a generation: the first one after the reflexions that scores anything.

        Returns:
            The workflow; if none scores, the last one that ran; None if all were refused.
        """
        key = f"adas/generation {number}"
        query = self._draw_query(key)
        asking = self._asking(query)
        attempts: list[Attempt] = []
        worthless = None
        for turn in range(1, REFLEXIONS + 1 + self._method.debug + 1):
            step, reflected = f"{key}/reply {turn}", turn > REFLEXIONS
            reply = await self._meta_agent.ask(step, asking.messages(self.archive, attempts))
            feedback = await self._look(reply, query, step, number) if asking.looks and not reflected else Feedback()
            if reflected or feedback.perfect:
                found = await self._score(reply, step, number)
                if found is not None and found.score > 0:
                    return found
                worthless = found or worthless
                feedback = found.feedback[query.id] if found else Feedback(diagnostics=reply.report.diagnostics)
            attempts.append(Attempt(reply, feedback))
        return worthless

    def _draw_query(self, key: str) -> Query:
        """Draws what a generation has before its eyes: a query that the fittest workflow does not solve, if any."""
        feedback = best_of(self.archive).validated.feedback
        unsolved = [query for query in self._queries if feedback[query.id].score < 1]
        roll = random.Random(f"{self._bench.seed}/{key}")  # noqa: S311 - reproducible on purpose
        return roll.choice(unsolved or self._queries)

    def _asking(self, query: Query) -> Asking:
        if self._method.wording == "conversation":
            return Conversation(query, self._bench)
        return Published(query, self._bench, self._method.task)

    async def _score(self, reply: Reply, step: str, number: int) -> Validated | None:
        workflow = reply.report.workflow
        if workflow is None:
            return None
        feedback = await self._validate(workflow, step, number)
        return Validated(workflow, reply.proposed.modification, reply.text, feedback)

    async def _look(self, reply: Reply, query: Query, step: str, number: int) -> Feedback:
        """Evaluates a workflow on the generation's query alone."""
        workflow = reply.report.workflow
        if workflow is None:
            return Feedback(diagnostics=reply.report.diagnostics)
        return (await self._validate(workflow, step, number, [query]))[query.id]
