"""Rollouts: the policy designs a workflow per round for each query of a batch, in token space (§4.2)."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from flowreasoner.budget import Spending
from flowreasoner_training.grpo.background import together
from flowreasoner_training.grpo.sampling import TrainerSampling

if TYPE_CHECKING:
    from flowreasoner_training.grpo.background import BackgroundLoop
    from flowreasoner_training.grpo.environment import DesignEnvironment, Step
    from flowreasoner_training.grpo.sampling import Reply, Sampling
    from flowreasoner_training.grpo.trainer import RoundGRPOTrainer
    from flowreasoner_training.grpo.turns import FeedbackTurns
    from flowreasoner_training.recipes.schema import GrpoSettings

__all__ = ["NOT_THE_POLICY", "Rollouts", "Trajectory"]

NOT_THE_POLICY = -1
"""Round index of tokens that the policy did not write: feedback."""

MakeEnvironment = Callable[[Mapping[str, Any], str], "DesignEnvironment"]
"""Makes the environment of a row of the dataset, with the seed of its draws."""

Work = tuple["DesignEnvironment", str, Spending]
"""An environment, the reply that it takes, and what writing that cost."""


@dataclass
class Trajectory:
    """One trajectory as it grows.

    Attributes:
        prompt: Ids of the conversation that asks for the first workflow.
        environment: Its environment.
        ids: Ids after the prompt.
        rounds: Index of the round of each of them; `NOT_THE_POLICY` for feedback.
        logprobs: Log-probabilities of the sampler, where it gives them; 0 for feedback.
        steps: What each reply led to.
        ended: Whether there is no other round: no room for it, or a perfect one was made and that is enough.
    """

    prompt: list[int]
    environment: DesignEnvironment
    ids: list[int] = field(default_factory=list)
    rounds: list[int] = field(default_factory=list)
    logprobs: list[float | None] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    ended: bool = False

    @property
    def so_far(self) -> list[int]:
        """All ids."""
        return self.prompt + self.ids

    def append(self, ids: Sequence[int], index: int, logprobs: Sequence[float | None] | None = None) -> None:
        """Appends ids of a round, or of feedback."""
        self.ids += ids
        self.rounds += [index] * len(ids)
        self.logprobs += logprobs if logprobs is not None else [0.0] * len(ids)


class Rollouts:
    """TRL's ``rollout_func``: l rounds of sampling, evaluating, and appending the feedback.

    With several processes, all sample in each round, and a trajectory that has ended still takes part with a prompt of
    one token: sampling is a collective where a server or sharded weights are behind it.

    Args:
        make_environment: Makes a row's environment.
        turns: Renders feedback.
        settings: Rounds, tokens and group size.
        loop: Where evaluations run.
        sampling: Samples the policy; TRL unless given.
        concurrency: Environments that evaluate at the same time.
        seed: Of all draws.
        report: Called with the number of rounds that the batch has made, and of those it will make.
    """

    def __init__(
        self,
        make_environment: MakeEnvironment,
        turns: FeedbackTurns,
        settings: GrpoSettings,
        loop: BackgroundLoop,
        *,
        sampling: Sampling | None = None,
        concurrency: int = 32,
        seed: int = 0,
        report: Callable[[int, int], None] | None = None,
    ) -> None:
        self._make, self._turns, self._settings, self._loop = make_environment, turns, settings, loop
        self._concurrency, self._seed, self._report = concurrency, seed, report
        self._sampling = sampling or TrainerSampling()

    def __call__(self, prompts: list[Any], trainer: RoundGRPOTrainer) -> dict[str, Any]:
        """Makes one trajectory per prompt; TRL repeats a query's prompt G times.

        Returns:
            TRL's keys (prompt_ids, completion_ids, logprobs, env_mask) and, per trajectory, the ``round_ids`` of its
            tokens and the ``steps`` of its rounds.

        Raises:
            ModelError: If the worker cannot be used.
            SandboxError: If the sandbox itself fails.
        """
        made = self._start(prompts, trainer)
        for index in range(self._settings.rounds):
            self._round(made, index, trainer)
            if self._report is not None:
                self._report(index + 1, self._settings.rounds)
        return {
            "prompt_ids": [item.prompt for item in made],
            "completion_ids": [item.ids for item in made],
            "logprobs": [item.logprobs for item in made] if trainer.use_vllm else None,
            "env_mask": [[int(index != NOT_THE_POLICY) for index in item.rounds] for item in made],
            "round_ids": [item.rounds for item in made],
            "steps": [item.steps for item in made],
        }

    def _start(self, prompts: list[Any], trainer: RoundGRPOTrainer) -> list[Trajectory]:
        """Begins the trajectories; each has draws of its own, which a repeated step repeats."""
        prompt_ids = trainer._tokenize_prompts(prompts)[0]
        first = trainer.accelerator.process_index * len(prompts)
        made = []
        for position, (ids, row) in enumerate(zip(prompt_ids, trainer.rollout_rows, strict=True), first):
            candidate = position % self._settings.group_size
            draws = f"{self._seed}/s{trainer.state.global_step}/q{row['query']}/c{candidate}"
            made.append(Trajectory(list(ids), self._make(row, draws)))
        return made

    def _round(self, made: list[Trajectory], index: int, trainer: RoundGRPOTrainer) -> None:
        """Has all trajectories make one round."""
        for item in made:
            self._continue(item)
        replies = self._sample(made, index, trainer)
        going = [place for place, item in enumerate(made) if not item.ended]
        steps = self._loop.run(self._evaluate([self._work(made[place], replies[place][0], trainer) for place in going]))
        for place, step in zip(going, steps, strict=True):
            ids, logprobs = replies[place]
            made[place].steps.append(step)
            made[place].append(ids, index, logprobs)
            made[place].ended = self._settings.early_stop and step.round.feedback.perfect

    def _sample(self, made: Sequence[Trajectory], index: int, trainer: RoundGRPOTrainer) -> dict[int, Reply]:
        """Has the policy write a round; returns, by place, the ids and their log-probabilities."""
        # Where others wait for this process, it samples for ended trajectories, too.
        alone = trainer.accelerator.num_processes == 1
        asked = [place for place, item in enumerate(made) if not (alone and item.ended)]
        if not asked:
            return {}
        # The policy's draws depend on step, round and process alone: a step that is repeated after a crash is the same
        # step, whatever else drew numbers before.
        seed = _seed(self._seed, trainer.state.global_step, index, trainer.accelerator.process_index)
        prompts = [made[place].prompt[-1:] if made[place].ended else made[place].so_far for place in asked]
        replies = self._sampling(prompts, self._settings.round_tokens, seed, trainer)
        return dict(zip(asked, replies, strict=True))

    def _work(self, item: Trajectory, reply: list[int], trainer: RoundGRPOTrainer) -> Work:
        """Returns what is to be evaluated: the environment, the reply's text, and what it cost."""
        text = trainer.processing_class.decode(reply, skip_special_tokens=True)
        return item.environment, text, Spending(1, len(item.so_far), len(reply))

    def _continue(self, item: Trajectory) -> None:
        """Appends the feedback on the last round; ends the trajectory when there is no room for another round.

        Done right before the next round, so that no trajectory ends on feedback.
        """
        if item.ended or not item.steps:
            return
        turn = self._turns.ids(item.steps[-1].feedback, item.ids[-1])
        length = len(item.prompt) + len(item.ids) + len(turn)
        if length + self._settings.round_tokens > self._settings.max_tokens:
            item.ended = True
        else:
            item.append(turn, NOT_THE_POLICY)

    async def _evaluate(self, work: Sequence[Work]) -> list[Step]:
        gate = asyncio.Semaphore(self._concurrency)

        async def step(environment: DesignEnvironment, reply: str, spent: Spending) -> Step:
            async with gate:
                return await environment.step(reply, spent)

        return await together([step(*item) for item in work])


def _seed(*parts: int) -> int:
    return random.Random("/".join(map(str, parts))).getrandbits(48)  # noqa: S311 - a seed made from a label
