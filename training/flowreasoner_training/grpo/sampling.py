"""What samples the policy in rollouts: TRL with whatever is behind it, or the embedded runtime."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

import torch
from pydantic import ValidationError

from flowreasoner.errors import TrainingError
from flowreasoner.models.embedded.batching import Batcher
from flowreasoner.models.embedded.checkpoint import LlamaConfig
from flowreasoner.models.embedded.sampling import Sampler
from flowreasoner.models.embedded.transformer import Transformer

if TYPE_CHECKING:
    from pathlib import Path

    from flowreasoner_training.grpo.trainer import RoundGRPOTrainer

__all__ = ["EmbeddedSampling", "Reply", "Sampling", "TrainerSampling"]

Reply = tuple[list[int], Sequence[float | None] | None]
"""Ids that the policy wrote, and their log-probabilities where the sampler gives them."""


class Sampling(Protocol):
    """Samples the policy as it is at this step."""

    def __call__(self, prompts: Sequence[list[int]], tokens: int, seed: int, trainer: RoundGRPOTrainer) -> list[Reply]:
        """Returns a reply to each prompt.

        Args:
            prompts: Token ids.
            tokens: Tokens per reply at most.
            seed: Of all draws.
            trainer: Holds the policy.
        """
        ...


class TrainerSampling:
    """Sampling by TRL: transformers, vLLM beside the training, or a vLLM server, as its configuration says."""

    def __call__(self, prompts: Sequence[list[int]], tokens: int, seed: int, trainer: RoundGRPOTrainer) -> list[Reply]:
        """Samples; see `Sampling`."""
        torch.manual_seed(seed)
        # A static cache is never made shorter than the last one, but a resumed training had no last one.
        trainer.accelerator.unwrap_model(trainer.model)._previous_max_cache_length = -1
        with _tokens_at_most(trainer, tokens):
            written, logprobs = trainer._generate_single_turn(list(prompts), None, {}, num_generations=1)
        return list(zip(map(list, written), logprobs or [None] * len(prompts), strict=True))


class EmbeddedSampling:
    """Sampling by the runtime of the embedded models, which computes small Llamas in NumPy.

    For models of a few million parameters on a CPU: it launches nothing per token, and reads the prompt that a group
    shares once.

    Args:
        checkpoint: Folder of the policy, with its ``config.json``.
        end: Token id that ends a reply.
        temperature: Of sampling.

    Raises:
        TrainingError: If the runtime does not compute such a model.
    """

    def __init__(self, checkpoint: Path, end: int, temperature: float) -> None:
        self._end, self._temperature = end, temperature
        try:
            self._config = LlamaConfig.model_validate_json((checkpoint / "config.json").read_bytes())
        except (OSError, ValidationError) as error:
            reason = error.strerror if isinstance(error, OSError) else error.errors(include_url=False)[0]["msg"]
            raise TrainingError(
                f"the embedded runtime cannot sample the model in {str(checkpoint)!r}: {reason}; "
                "set hardware.generation to 'transformers'"
            ) from None

    def __call__(self, prompts: Sequence[list[int]], tokens: int, seed: int, trainer: RoundGRPOTrainer) -> list[Reply]:
        """Samples; see `Sampling`."""
        state = trainer.accelerator.unwrap_model(trainer.model).state_dict()
        weights = {name: state[name].float().numpy(force=True) for name in self._config.shapes()}
        batcher = Batcher(Transformer(self._config, weights), self._end)
        keys = random.Random(seed)  # noqa: S311 - reproducible on purpose
        samplers = [Sampler(f"{keys.getrandbits(64):x}", self._temperature, 1.0) for _ in prompts]
        replies = [batcher.submit(ids, own, tokens) for ids, own in zip(prompts, samplers, strict=True)]
        return [(reply.result(), None) for reply in replies]


@contextmanager
def _tokens_at_most(trainer: RoundGRPOTrainer, tokens: int) -> Iterator[None]:
    """Caps a round; the trainer's own limit is that of a whole trajectory."""
    owner, name = (
        (trainer.vllm_generation, "max_completion_length")
        if trainer.use_vllm
        else (trainer.generation_config, "max_new_tokens")
    )
    before = getattr(owner, name)
    setattr(owner, name, tokens)
    try:
        yield
    finally:
        setattr(owner, name, before)
