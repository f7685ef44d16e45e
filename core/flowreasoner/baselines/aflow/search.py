"""AFlow's search: choose a round, change it, evaluate it, remember what came of it."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from flowreasoner.baselines.aflow.experience import Experience
from flowreasoner.baselines.aflow.prompts import expansion_prompt
from flowreasoner.baselines.aflow.selection import Node, converged, select_parent
from flowreasoner.baselines.fitting import Fitted
from flowreasoner.baselines.history import history
from flowreasoner.baselines.journal import FittingJournal, fitting_settings
from flowreasoner.baselines.meta_agent import MetaAgent, Wording, as_reply, check_wording
from flowreasoner.baselines.validation import Validated, Validator, check_queries
from flowreasoner.designers import FixedWorkflow
from flowreasoner.designers.conversation import language_message
from flowreasoner.designers.manual import AFLOW_SEED
from flowreasoner.errors import BudgetExceeded, QueryError
from flowreasoner.models.base import Message
from flowreasoner.text import shorten

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from flowreasoner.designers import Workbench
    from flowreasoner.query import Query
    from flowreasoner.workflow import Workflow

__all__ = ["AFlow"]

_LOGGED = 3


@dataclass(frozen=True)
class AFlow:
    """AFlow (Zhang et al. 2024; github.com/FoundationAgents/AFlow), a search for one workflow for a whole task.

    As published: the candidates and probabilities of selection, one change per round under the experience with the
    parent and three failing samples, five validations, convergence, and a start from the plainest workflow.

    What departs: a change that worked is told from one that did not, where the published prompt prohibits both. After a
    reply with no valid workflow, or with a change that was tried before, another is asked for a few times, not forever.
    Costs are counted for each run, not read off a counter that concurrent runs share. A score is this project's, the
    share of tests that pass, not all or nothing.

    Attributes:
        sample: Rounds that a parent is chosen from, the first included.
        max_rounds: Changes that are tried, at most.
        validation_rounds: Evaluations of each workflow on each query.
        attempts: Replies that are asked for per round, until one can be used.
        wording: ``conversation`` shows the parent and its changes as rounds of FlowReasoner's conversation on one of
            the queries, for meta-agents that understand nothing else.
        task: The kind of problems, in a word; for the published wording.
        start: The workflow of the first round.
        concurrency: Queries that are evaluated at the same time.
        name: What the method is called.
    """

    sample: int = 4
    max_rounds: int = 20
    validation_rounds: int = 5
    attempts: int = 5
    wording: Wording = "published"
    task: str = "programming"
    start: Workflow = field(default_factory=lambda: AFLOW_SEED.workflow)
    concurrency: int = 16
    name: str = "aflow"

    def __post_init__(self) -> None:
        for name in ("sample", "max_rounds", "validation_rounds", "attempts", "concurrency"):
            if getattr(self, name) < 1:
                raise QueryError(f"{name} must be at least 1, got {getattr(self, name)}")
        check_wording(self.wording)

    async def fit(
        self, queries: Sequence[Query], bench: Workbench, folder: Path, tell: Callable[[str], None] = lambda _: None
    ) -> Fitted:
        """Searches a workflow; see `flowreasoner.baselines.Fittable.fit`."""
        check_queries(queries)
        with FittingJournal(folder, fitting_settings(self, queries, bench), bench) as journal:
            search = _Search(self, queries, bench, journal, tell)
            stopped = await search.run()
        best = max(search.nodes, key=lambda node: node.score)  # of equals the first
        facts = {
            "rounds": search.rounds,
            "failed_rounds": search.rounds - len(search.nodes),
            "scores": {str(node.number): node.score for node in search.nodes},
            "best_round": best.number,
            "validation_score": best.score,
            "stopped": stopped,
        }
        return Fitted(FixedWorkflow(best.validated.workflow, name=self.name), journal.spent, journal.seconds, facts)


class _Search:
    """One search: the rounds so far, and what makes more of them."""

    def __init__(
        self,
        method: AFlow,
        queries: Sequence[Query],
        bench: Workbench,
        journal: FittingJournal,
        tell: Callable[[str], None],
    ) -> None:
        self._method, self._queries, self._bench, self._tell = method, queries, bench, tell
        self._meta_agent = MetaAgent(bench, journal)
        self._validate = Validator(
            queries, bench, journal, runs=method.validation_rounds, concurrency=method.concurrency
        )
        tests = all(query.feedback is not None for query in queries)
        self._language = language_message(bench.operators.values(), bench.budget.calls, tests=tests)
        self.nodes: list[Node] = []
        self.rounds = 0

    async def run(self) -> Literal["converged", "rounds", "budget"]:
        """Makes rounds until they converge, all are made, or the budget ends.

        Raises:
            BudgetExceeded: If it ends before the first round is scored.
        """
        self._end_round(await self._first_round())
        for number in range(2, self._method.max_rounds + 2):
            try:
                self._end_round(await self._expand(number))
            except BudgetExceeded:
                return "budget"
            if converged([node.score for node in self.nodes]):
                return "converged"
        return "rounds"

    def _end_round(self, node: Node | None) -> None:
        self.rounds += 1
        if node is None:
            self._tell(f"round {self.rounds}: no reply that could be used")
            return
        self.nodes.append(node)
        made_from = f", from round {node.parent.number}" if node.parent else ""
        self._tell(f"round {node.number}: {node.score:.4f}{made_from}: {shorten(node.validated.modification, 80)!r}")

    async def _first_round(self) -> Node:
        modification, start = "Start with this.", self._method.start
        feedback = await self._validate(start, "aflow/round 1", 1)
        return Node(1, Validated(start, modification, as_reply(modification, start), feedback))

    async def _expand(self, number: int) -> Node | None:
        """Makes a round from another; None if no reply can be used."""
        for attempt in range(1, self._method.attempts + 1):
            key = f"aflow/round {number}/attempt {attempt}"
            roll = random.Random(f"{self._bench.seed}/{key}")  # noqa: S311 - reproducible on purpose
            parent = select_parent(self.nodes, self._method.sample, roll)
            experience = Experience.of(parent, self.nodes)
            reply = await self._meta_agent.ask(key, self._messages(experience, roll))
            workflow, modification = reply.report.workflow, reply.proposed.modification
            if workflow is not None and not experience.knows(modification):
                feedback = await self._validate(workflow, f"aflow/round {number}", number)
                return Node(number, Validated(workflow, modification, reply.text, feedback), parent)
        return None

    def _messages(self, experience: Experience, roll: random.Random) -> tuple[Message, ...]:
        found = experience.parent.validated.feedback
        failing = [query for query in self._queries if found[query.id].score < 1]
        if self._method.wording == "conversation":
            query = roll.choice(failing or self._queries)
            shown = (*experience.children, experience.parent)  # the last round is the one to work on
            return history(query, [node.validated.as_round(query) for node in shown], self._bench)
        logged = roll.sample(failing, min(_LOGGED, len(failing)))
        failures = [(query, found[query.id]) for query in logged]
        return (Message("user", expansion_prompt(experience, failures, self._method.task, self._language)),)
