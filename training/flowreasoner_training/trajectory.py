"""Trajectories: design runs as training data (§4.1), with all that the meta-agent read, wrote and earned.

A trajectory holds feedback on feedback tests only. Hidden tests are in it as one number, the final score.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flowreasoner.budget import Spending
from flowreasoner.designers import instructions
from flowreasoner.designers.conversation import task_message
from flowreasoner.designers.reply import read_proposal
from flowreasoner.errors import TrainingError
from flowreasoner.models.base import Completion
from flowreasoner.reward import RewardContext
from flowreasoner_training.files import write_atomically

if TYPE_CHECKING:
    from pydantic import TypeAdapter

    from flowreasoner.budget import Budget
    from flowreasoner.designers import Design, Round
    from flowreasoner.operators import Operator
    from flowreasoner.reward import Reward

__all__ = ["Trajectory", "TrajectoryRound", "read_trajectories", "write_trajectories"]


@dataclass(frozen=True)
class TrajectoryRound:
    """One round of a trajectory.

    Attributes:
        number: 1-based.
        reply: What the meta-agent wrote, exactly. Where a refused workflow was corrected within the round, this is
            the last reply: the round is learned as if it had been right at once.
        thoughts: What it thought outside of the reply, in the provider's own field; over all corrections.
        reasoning: All its thoughts of the round, from the field and from the replies.
        modification: What it changed, in its own words.
        workflow: Canonical source; of a refused workflow, the text as it was written.
        prompts: The workflow's prompts by name.
        feedback: The user message that followed, or would have: what evaluating the workflow showed.
        score: Mean score of the evaluations on the feedback tests, in [0, 1].
        valid: Whether the workflow could run.
        corrections: Refused replies before the last one.
        terms: Reward terms by name, each in [0, 1]; None where one could not be scored.
        reward: Their weighted sum, r_j.
        cost: What the meta-agent and the evaluations cost.
    """

    number: int
    reply: str
    thoughts: str
    reasoning: str
    modification: str
    workflow: str
    prompts: dict[str, str]
    feedback: str
    score: float
    valid: bool
    corrections: int
    terms: dict[str, float | None]
    reward: float
    cost: Spending

    @property
    def text(self) -> str:
        """The reply with its thoughts, as the assistant's turn of a conversation."""
        return f"<think>\n{self.thoughts}\n</think>\n\n{self.reply}" if self.thoughts else self.reply

    @classmethod
    def from_round(cls, item: Round, terms: Mapping[str, float | None], reward: float) -> TrajectoryRound:
        """Takes over a finished round with its reward."""
        replies = [turn.content for turn in item.turns if turn.role == "assistant"]
        message = instructions.NEXT.format(
            number=item.number, feedback=item.feedback.render(), following=item.number + 1
        )
        return cls(
            number=item.number,
            reply=replies[-1],
            thoughts=_outside(item.reasoning, replies),
            reasoning=item.reasoning,
            modification=item.modification,
            workflow=item.graph if item.workflow is None else item.workflow.source,
            prompts={} if item.workflow is None else dict(item.workflow.prompts),
            feedback=message,
            score=item.score,
            valid=item.workflow is not None,
            corrections=len(replies) - 1,
            terms=dict(terms),
            reward=reward,
            cost=repeatable(item.cost),
        )


@dataclass(frozen=True)
class Trajectory:
    """A design run as training data.

    Attributes:
        id: Benchmark, query and number of the repetition.
        query: Id of the query.
        benchmark: Name of the benchmark.
        instruction: The system message, I.
        task: The first user message: query, feedback tests, operators and rules.
        rounds: The rounds, in order.
        best_round: Number of the chosen round (Eq. 5).
        score: Mean score of the best round on the feedback tests, in [0, 1].
        hidden_score: Share of the hidden tests that the final answer passes; None without hidden tests.
        stopped: Why no further round was made.
        tests: Where the feedback tests came from; ``all`` is leaky.
        meta_agent: Name of the model that designed.
        worker: Name of the model that ran the operators.
        simulated: Whether one of them was a simulation.
        seed: Seed of its draws.
        cost: What it cost in all.
        metadata: Anything else, carried along.
    """

    id: str
    query: str
    benchmark: str
    instruction: str
    task: str
    rounds: tuple[TrajectoryRound, ...]
    best_round: int
    score: float
    hidden_score: float | None
    stopped: str
    tests: str
    meta_agent: str
    worker: str
    simulated: bool
    seed: int
    cost: Spending
    metadata: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def from_design(
        cls,
        design: Design,
        reward: Reward,
        *,
        benchmark: str,
        operators: Iterable[Operator],
        budget: Budget,
        number: int = 0,
        seed: int = 0,
        metadata: Mapping[str, Any] | None = None,
    ) -> Trajectory:
        """Makes a trajectory of a finished design run.

        Args:
            design: The design.
            reward: Scores each round, given the rounds before it (§4.2).
            benchmark: Name of the benchmark that the query is from.
            operators: What workflows could call.
            budget: Limits of each run of a workflow.
            number: Which of several repetitions on the query.
            seed: Seed of its draws.
            metadata: Anything else.
        """
        rounds = []
        for index, item in enumerate(design.rounds):
            context = RewardContext(design.rounds[:index], budget)
            rounds.append(TrajectoryRound.from_round(item, reward.scores(item, context), reward.total(item, context)))
        return cls(
            id=f"{benchmark}/{design.query.id}/{number}",
            query=design.query.id,
            benchmark=benchmark,
            instruction=instructions.SYSTEM,
            task=task_message(design.query, operators, budget.calls),
            rounds=tuple(rounds),
            best_round=design.best.number,
            score=design.best.score,
            hidden_score=design.hidden_score,
            stopped=design.stopped,
            tests=design.query.policy,
            meta_agent=design.meta_agent,
            worker=design.worker,
            simulated=design.simulated,
            seed=seed,
            cost=repeatable(design.cost),
            metadata=dict(metadata or {}),
        )

    @property
    def reward(self) -> float:
        """Mean reward of the rounds."""
        return sum(item.reward for item in self.rounds) / len(self.rounds)

    @property
    def leaky(self) -> bool:
        """Whether the tests that score also steered."""
        return self.tests == "all"

    def messages(self) -> list[dict[str, str]]:
        """Returns the conversation: task, then reply and feedback in turns, ending with the last reply.

        Only the assistant's turns are the meta-agent's own words. The feedback on the last round is left out, as
        nothing answers it.
        """
        turns = [("system", self.instruction), ("user", self.task)]
        for item in self.rounds:
            turns += [("assistant", item.text), ("user", item.feedback)]
        return [{"role": role, "content": content} for role, content in turns[:-1]]

    def to_json(self) -> dict[str, Any]:
        """Returns the trajectory as one JSON object."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Any) -> Trajectory:
        """Reads what `to_json` wrote.

        Raises:
            TrainingError: If it is no trajectory, naming the field.
        """
        from pydantic import ValidationError

        try:
            made = _adapter().validate_python(value)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"])) or "the record"
            raise TrainingError(f"no trajectory: {where}: {first['msg'].lower()}") from None
        if not made.rounds:
            raise TrainingError("no trajectory: it has no rounds")
        return made


@cache
def _adapter() -> TypeAdapter[Trajectory]:
    from pydantic import TypeAdapter

    return TypeAdapter(Trajectory)


def read_trajectories(path: Path) -> Iterator[Trajectory]:
    """Reads trajectories from a JSONL file, one at a time.

    Raises:
        TrainingError: If the file cannot be read, or a line is no trajectory.
    """
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                if not line.strip():
                    continue
                try:
                    yield Trajectory.from_json(json.loads(line))
                except (ValueError, TrainingError) as error:
                    raise TrainingError(
                        f"line {number} of {str(path)!r} is {error}"
                        if isinstance(error, TrainingError)
                        else f"line {number} of {str(path)!r} is no JSON: {error}"
                    ) from None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text in UTF-8"
        raise TrainingError(
            f"cannot read trajectories from {str(path)!r}: {reason}; `flowreasoner distill` makes such a file"
        ) from None


def write_trajectories(path: Path, trajectories: Iterable[Trajectory]) -> None:
    """Writes trajectories to a JSONL file; a file that is there is replaced, at once.

    Raises:
        TrainingError: If it cannot be written.
    """
    write_atomically(path, map(line, trajectories))


def line(trajectory: Trajectory) -> str:
    """Returns a trajectory as a line of a JSONL file."""
    return json.dumps(trajectory.to_json(), ensure_ascii=False) + "\n"


def repeatable(cost: Spending) -> Spending:
    """Returns a cost without what a cache saved, which differs between a run and its resumption."""
    return replace(cost, cached_calls=0, cached_usd=0.0)


def _outside(reasoning: str, replies: Iterable[str]) -> str:
    """Returns the thoughts of a round that stand in none of its replies."""
    for reply in replies:
        inside = read_proposal(Completion(reply)).reasoning
        if inside:
            before, _, after = reasoning.partition(inside)
            reasoning = "\n\n".join(filter(None, (before.strip(), after.strip())))
    return reasoning.strip()
