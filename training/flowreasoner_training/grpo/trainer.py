"""TRL's GRPO trainer with an advantage per round (§4.2, Eq. 3 and 4).

The objective is TRL's own, which takes advantages per token; only where they come from is replaced. What is relied
on beyond TRL's public interface is listed in `RELIED_ON`, and held by a test.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import torch
from accelerate.utils import gather
from torch.nn.functional import pad
from trl import GRPOTrainer

from flowreasoner_training.checkpoints import SavesWhole
from flowreasoner_training.grpo.advantages import round_advantages, spread_over_tokens
from flowreasoner_training.grpo.rollout import NOT_THE_POLICY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from flowreasoner_training.grpo.environment import Step
    from flowreasoner_training.recipes.schema import GrpoSettings

__all__ = ["RELIED_ON", "NotFinite", "RoundGRPOTrainer", "mean_reward"]

RELIED_ON = (
    "_compute_loss",
    "_generate_and_score_completions",
    "_generate_single_turn",
    "_get_grad_norm",
    "_get_per_token_logps_and_entropies",
    "_save_checkpoint",
    "_tokenize_prompts",
)
"""Methods of TRL's and transformers' trainers that are no public interface."""

_MEASURES = ("reward", "valid", "score", "calls", "worker_tokens", "usd", "tokens")


class NotFinite(ArithmeticError):
    """The loss or its gradient is no finite number; the weights are still those of the last step."""


def mean_reward(steps: Sequence[Sequence[Step]], **_: Any) -> list[float]:
    """Returns the mean reward of each trajectory's rounds: TRL logs it, and ordinary GRPO would use it."""
    return [sum(step.reward for step in made) / len(made) for made in steps]


class RoundGRPOTrainer(SavesWhole, GRPOTrainer):  # type: ignore[misc]  # TRL is not typed
    """GRPO whose tokens carry the advantage of their round.

    Args:
        settings: The reading of Eq. 4.
        terms: Names of the reward's weighted terms, for the log.
        given: What TRL's trainer takes.

    Attributes:
        rollout_rows: Rows of the dataset that the current rollouts are for.
    """

    def __init__(self, *, settings: GrpoSettings, terms: Sequence[str] = (), **given: Any) -> None:
        self._settings, self._terms = settings, tuple(terms)
        self.rollout_rows: list[dict[str, Any]] = []
        self._loss_finite = True
        super().__init__(**given)

    def _generate_and_score_completions(self, inputs: list[dict[str, Any]]) -> dict[str, Any]:
        """Has TRL make the rollouts, and replaces its advantage per trajectory by one per round."""
        self.rollout_rows = inputs
        batch: dict[str, Any] = super()._generate_and_score_completions(inputs)
        shape, device = batch["completion_ids"].shape, batch["completion_ids"].device
        measured = gather(self._measured(inputs).to(device))  # groups may straddle processes
        advantages = round_advantages(measured[..., 0], measured[..., 1] > 0, self._settings)
        first = self.accelerator.process_index * len(inputs)
        rounds = torch.full(shape, NOT_THE_POLICY, device=device)
        for place, row in enumerate(inputs):
            rounds[place, : len(row["round_ids"])] = torch.tensor(row["round_ids"], device=device)
        batch["advantages"] = spread_over_tokens(advantages[first : first + len(inputs)], rounds)
        batch["token_rounds"] = rounds
        self._note_rounds(measured, advantages)
        return batch

    def _measured(self, inputs: list[dict[str, Any]]) -> Tensor:
        """Returns (B, l, measures) what is known of each round; NaN for rounds that never happened."""
        columns = len(_MEASURES) + len(self._terms)
        measured = torch.full((len(inputs), self._settings.rounds, columns), math.nan)
        for place, row in enumerate(inputs):
            for index, step in enumerate(row["steps"]):
                measured[place, index] = torch.tensor(self._measures(step))
        return measured

    def _measures(self, step: Step) -> list[float]:
        ran, runs = step.round.feedback.spent, max(1, len(step.round.feedback.evaluations))
        spent = (ran.calls / runs, ran.tokens / runs, ran.usd, step.round.spent.output_tokens)
        terms = (step.terms.get(name) for name in self._terms)
        return [
            step.reward,
            step.valid,
            step.round.score,
            *spent,
            *(math.nan if term is None else term for term in terms),
        ]

    def _note_rounds(self, measured: Tensor, advantages: Tensor) -> None:
        """Notes, per round, the mean of all measures, and mean and spread of the advantages."""
        happened = ~measured[..., 0].isnan()
        self._note("advantage_mean", advantages[happened].mean().item())
        self._note("advantage_std", advantages[happened].std(correction=0).item())
        names = (*_MEASURES, *self._terms)
        for name, values in zip(names, measured.unbind(2), strict=True):
            if name != "reward":  # TRL notes it by itself
                self._note(name, values.nanmean().item())
        for index in range(self._settings.rounds):
            for name, values in zip(names, measured[:, index].unbind(1), strict=True):
                self._note(f"round_{index + 1}/{name}", values.nanmean().item())
            reached = advantages[happened[:, index], index]
            if len(reached):
                self._note(f"round_{index + 1}/advantage_mean", reached.mean().item())
                self._note(f"round_{index + 1}/advantage_std", reached.std(correction=0).item())

    def _note(self, name: str, value: float) -> None:
        """Keeps a metric for the next line of the log; TRL leaves NaN out of its means."""
        self._metrics["train" if self.model.training else "eval"][name].append(value)

    def _get_per_token_logps_and_entropies(
        self,
        model: Any,
        input_ids: Tensor,
        attention_mask: Tensor,
        logits_to_keep: int,
        batch_size: int | None = None,
        **named: Any,
    ) -> tuple[Tensor, Tensor | None, Tensor | None]:
        """Has TRL compute batch by batch without what only pads it, and remembers the log-probabilities.

        Rows are padded to the longest of a whole step, and trajectories differ much in length.
        """
        size = batch_size or len(input_ids)
        batches = zip(torch.split(input_ids, size), torch.split(attention_mask, size), strict=True)
        parts = [self._without_padding(model, ids, mask, logits_to_keep, **named) for ids, mask in batches]
        logprobs, entropies, losses = zip(*parts, strict=True)
        whole: Tensor = torch.cat(logprobs)
        self._logprobs = whole.detach()
        entropy = None if entropies[0] is None else torch.cat(entropies)
        return whole, entropy, None if losses[0] is None else torch.stack(losses).mean()

    def _without_padding(self, model: Any, ids: Tensor, mask: Tensor, logits_to_keep: int, **named: Any) -> Any:
        """Leaves out the last columns that are padding in all rows, and puts zeros in their place afterwards."""
        unused = int((mask.flip(1).cumsum(1) == 0).sum(1).min())
        padding = min(unused, logits_to_keep - 1)
        used = ids.shape[1] - padding
        logprobs, entropies, loss = super()._get_per_token_logps_and_entropies(
            model, ids[:, :used], mask[:, :used], logits_to_keep - padding, **named
        )
        return pad(logprobs, (0, padding)), None if entropies is None else pad(entropies, (0, padding)), loss

    def _compute_loss(self, model: Any, inputs: dict[str, Any]) -> Tensor:
        """Has TRL compute the objective (Eq. 3 in PPO's form), and notes the KL divergence of each round."""
        loss: Tensor = super()._compute_loss(model, inputs)
        if "ref_per_token_logps" in inputs and "token_rounds" in inputs:
            gap = inputs["ref_per_token_logps"] - self._logprobs
            divergence, rounds = gap.exp() - gap - 1, inputs["token_rounds"]
            written = rounds != NOT_THE_POLICY
            sums = torch.zeros(2, self._settings.rounds, device=gap.device, dtype=gap.dtype)
            sums[0].scatter_add_(0, rounds[written], divergence[written])
            sums[1].scatter_add_(0, rounds[written], torch.ones_like(divergence[written]))
            total, count = self.accelerator.reduce(sums, reduction="sum")
            for index, value in enumerate((total / count).tolist()):
                self._note(f"round_{index + 1}/kl", value)
        return loss

    def training_step(self, *given: Any, **named: Any) -> Tensor:
        """Looks at the loss; the error is raised with the gradient's norm, which all processes share."""
        loss: Tensor = super().training_step(*given, **named)
        self._loss_finite = self._loss_finite and bool(loss.isfinite().all())
        return loss

    def _get_grad_norm(self, *given: Any, **named: Any) -> Any:
        """Stops before a step that would ruin the weights.

        Raises:
            NotFinite: If the loss or the gradient is no finite number.
        """
        norm = super()._get_grad_norm(*given, **named)
        if not self._loss_finite or (norm is not None and not math.isfinite(float(norm))):
            raise NotFinite("gradient" if self._loss_finite else "loss")
        return norm
