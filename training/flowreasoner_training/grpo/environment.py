"""What a policy acts in: one query, for which it designs a workflow per round and is told how it ran (§4.2).

The environment knows messages and rewards, no tokens and no trainer, so that any trainer can use it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flowreasoner.budget import Spending
from flowreasoner.designers.conversation import conversation, feedback_message, task_message
from flowreasoner.designers.proposal import Proposal, check_proposal, evaluate_proposal
from flowreasoner.designers.reply import read_proposal
from flowreasoner.models import Completion, Message
from flowreasoner.reward import Reward, RewardContext

if TYPE_CHECKING:
    from flowreasoner.designers import Round, Workbench
    from flowreasoner.query import Query

__all__ = ["DesignEnvironment", "Step"]


@dataclass(frozen=True)
class Step:
    """What one reply of the policy led to.

    Attributes:
        round: The finished round.
        reward: The round's reward r_j.
        terms: The reward's weighted terms; None for one that could not be scored.
        feedback: The message that the policy is shown next.
    """

    round: Round
    reward: float
    terms: Mapping[str, float | None]
    feedback: str

    @property
    def valid(self) -> bool:
        """Whether the reply held a workflow that passes the checker."""
        return self.round.workflow is not None


@dataclass
class DesignEnvironment:
    """One trajectory's surroundings.

    A reply is a whole round: there are no corrections in place as at inference, so that each reward belongs to
    what the policy wrote in that one reply.

    Attributes:
        query: What is asked; only its feedback tests are used.
        bench: Worker, sandbox and budget of each run.
        reward: The reward of a round.
        evaluations: Runs per workflow.
        draws: Seed of the worker's draws.
        rounds: Finished rounds.
    """

    query: Query
    bench: Workbench
    reward: Reward = field(default_factory=Reward)
    evaluations: int = 3
    draws: str = ""
    rounds: list[Round] = field(default_factory=list)

    @property
    def messages(self) -> tuple[Message, ...]:
        """The conversation that asks for the first workflow."""
        task = task_message(self.query, self.bench.operators.values(), self.bench.budget.calls)
        return conversation(task, [])

    async def step(self, reply: str, spent: Spending | None = None) -> Step:
        """Takes the policy's reply: checks its workflow, runs it, and rewards the round.

        Args:
            reply: What the policy wrote, thoughts included.
            spent: What writing it cost.

        Raises:
            ModelError: If the worker cannot be used; what a workflow does wrong is scored instead.
            SandboxError: If the sandbox itself fails.
            QueryError: If the query has neither tests nor a metric.
        """
        proposed = read_proposal(Completion(reply))
        proposal = Proposal(
            proposed,
            check_proposal(proposed, self.bench.operators),
            (Message("assistant", reply),),
            (proposed.reasoning,),
            spent or Spending(),
        )
        number = len(self.rounds) + 1
        finished = await evaluate_proposal(proposal, number, self.query, self.bench, self.evaluations, self.draws)
        context = RewardContext(tuple(self.rounds), self.bench.budget)
        self.rounds.append(finished)
        terms = self.reward.scores(finished, context)
        return Step(finished, self.reward.total(finished, context), terms, feedback_message(finished))
