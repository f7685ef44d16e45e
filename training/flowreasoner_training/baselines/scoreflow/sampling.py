"""The generator writes workflows for training queries, and each is scored (``generate.py`` and ``evaluate.py``)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flowreasoner.designers.conversation import conversation, task_message
from flowreasoner.designers.proposal import check_proposal
from flowreasoner.designers.reply import read_proposal
from flowreasoner.errors import RequestRefused
from flowreasoner_training.grpo.background import together

if TYPE_CHECKING:
    from collections.abc import Callable

    from flowreasoner.designers import Workbench
    from flowreasoner.models import Completion, Message
    from flowreasoner.query import Query

__all__ = ["Candidate", "Sampler", "request_messages"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A reply of the generator, and what its workflow scored.

    Attributes:
        reply: All that the generator wrote.
        score: Mean score of the evaluations; 0 where the reply holds no valid workflow.
        valid: Whether it holds one.
    """

    reply: str
    score: float
    valid: bool


def request_messages(query: Query, bench: Workbench) -> tuple[Message, ...]:
    """Returns the conversation that asks for a query's workflow: the first round of the product's own."""
    return conversation(task_message(query, bench.operators.values(), bench.budget.calls), [])


@dataclass
class Sampler:
    """Makes the scored candidates of one query.

    All candidates of a query are asked for at once, and those of one query at a time: a batch of the generator's is
    then always the same, and so is its rounding, whatever was finished before or goes on meanwhile.

    Attributes:
        bench: Its meta-agent is the generator.
        workflows: Candidates per query.
        evaluations: Runs per candidate.
        tell: Called with lines of progress.
    """

    bench: Workbench
    workflows: int
    evaluations: int
    tell: Callable[[str], None]

    def __post_init__(self) -> None:
        self._turn = asyncio.Lock()

    async def sample(self, query: Query, label: str) -> list[Candidate]:
        """Has the generator write its workflows for a query, and scores them.

        Args:
            query: Only its feedback tests are used.
            label: Begins the names of all draws.

        Raises:
            ModelError: If generator or worker cannot be used; what a reply or workflow does wrong is scored instead.
            SandboxError: If the sandbox fails.
            BudgetExceeded: If the whole budget is used up.
        """
        messages = request_messages(query, self.bench)
        draws = [f"{self.bench.seed}/{label}/c{number}" for number in range(self.workflows)]
        try:
            async with self._turn:
                replies = await together([self.bench.ask_meta_agent(messages, draw) for draw in draws])
        except RequestRefused as error:  # e.g. a problem that is too long for the generator
            self.tell(f"query {query.id}: {error}")
            return [Candidate("", 0.0, valid=False)] * self.workflows
        return await together([self._score(query, *made) for made in zip(replies, draws, strict=True)])

    async def _score(self, query: Query, completion: Completion, draw: str) -> Candidate:
        workflow = check_proposal(read_proposal(completion), self.bench.operators).workflow
        if workflow is None:
            return Candidate(completion.text, 0.0, valid=False)
        feedback = await self.bench.evaluate(workflow, query, self.evaluations, 1, draw)
        return Candidate(completion.text, feedback.score, valid=True)
