"""Score-DPO as a small subclass of TRL's trainer (ScoreFlow, arXiv 2502.04306).

``L = -log σ(β [f(s_w) (log π(w) - log π_ref(w)) - (1 - f(s_l)) (log π(l) - log π_ref(l))])`` with ``f(x) = x``

As in the repository's ``DPOtrainer.py``, which hands ``lp_w * s_w``, ``lp_l * (1 - s_l)`` and the same of the reference
to the ordinary loss. TRL sums a sequence's log-probabilities right after the model gave them, so that it is enough to
weight what the model gives; rewards and log-probabilities in TRL's log are then weighted, too.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch
from trl import DPOTrainer
from trl.trainer.dpo_trainer import DataCollatorForPreference

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["RELIED_ON", "ScoreCollator", "ScoreDPOTrainer"]

RELIED_ON = ("_compute_loss", "compute_ref_log_probs")
"""Methods of TRL's trainer that are overridden; a test holds what they are assumed to do."""

_WEIGHTS = "sequence_weights"


@dataclass
class ScoreCollator(DataCollatorForPreference):  # type: ignore[misc]  # TRL is not typed
    """Collates pairs with the weights of their sequences: ``f(s_w)`` of the chosen, ``1 - f(s_l)`` of the rejected."""

    def torch_call(self, examples: list[dict[str, Any]]) -> dict[str, Any]:
        """Returns TRL's batch of B pairs, and the weights of shape (2B,)."""
        batch: dict[str, Any] = super().torch_call(examples)
        chosen = [example["chosen_score"] for example in examples]
        rejected = [1 - example["rejected_score"] for example in examples]
        return {**batch, _WEIGHTS: torch.tensor(chosen + rejected)}


class ScoreDPOTrainer(DPOTrainer):  # type: ignore[misc]  # TRL is not typed
    """DPO whose sequences are weighted by their scores.

    The reference is computed before the training, as `compute_ref_log_probs` is the one place to weight it.

    Args:
        args: TRL's settings.
        given: What TRL's trainer takes besides.

    Raises:
        ValueError: If the settings do not have the reference computed before the training.
    """

    def __init__(self, *, args: Any, **given: Any) -> None:
        if not args.precompute_ref_log_probs:
            raise ValueError("ScoreDPOTrainer needs precompute_ref_log_probs")
        super().__init__(args=args, **given)

    def compute_ref_log_probs(self, model: Any, inputs: dict[str, Any]) -> tuple[Tensor, Tensor]:
        """Returns the weighted log-probabilities of the reference, of shape (B,) for chosen and rejected each."""
        weighted, rest = _weighted(model, inputs)
        made: tuple[Tensor, Tensor] = super().compute_ref_log_probs(weighted, rest)
        return made

    def _compute_loss(self, model: Any, inputs: dict[str, Any], return_outputs: bool) -> Any:
        """Has TRL compute its loss of weighted log-probabilities."""
        weighted, rest = _weighted(model, inputs)
        return super()._compute_loss(weighted, rest, return_outputs)


def _weighted(model: Any, inputs: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Returns the model with its sequences' log-probabilities weighted, and the inputs without the weights."""
    rest = {name: value for name, value in inputs.items() if name != _WEIGHTS}

    def call(**named: Any) -> Any:
        outputs = model(**named)
        return replace(outputs, log_probs=outputs.log_probs * inputs[_WEIGHTS].to(outputs.log_probs)[:, None])

    return call, rest
