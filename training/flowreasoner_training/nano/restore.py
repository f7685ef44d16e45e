"""Turns a checkpoint of the embedded runtime back into one of Hugging Face's format, from which training goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from transformers import LlamaConfig, LlamaForCausalLM

from flowreasoner.models.embedded.checkpoint import load_checkpoint
from flowreasoner_training.nano.architecture import sampling
from flowreasoner_training.nano.tokenizer import chat_tokenizer

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["restore_embedded"]


def restore_embedded(checkpoint: Path, out: Path) -> None:
    """Restores what `export_embedded` wrote; the weights stay rounded to eight bits.

    Args:
        checkpoint: A folder of the embedded runtime's, whose tokenizer has the miniature's marks.
        out: Folder for model and tokenizer; made where it is not there.

    Raises:
        ModelRefused: If the checkpoint cannot be read.
        OSError: If the folder cannot be written.
    """
    loaded = load_checkpoint(checkpoint)
    tokenizer = chat_tokenizer(loaded.tokenizer)
    shape = loaded.config.model_dump()
    rope = {"rope_type": "default", "rope_theta": shape.pop("rope_theta")}
    ends = {"pad_token_id": tokenizer.pad_token_id, "eos_token_id": tokenizer.eos_token_id, "bos_token_id": None}
    model = LlamaForCausalLM(LlamaConfig(**shape, **ends, rope_parameters=rope))
    weights = {name: torch.tensor(value) for name, value in loaded.weights.items()}
    left, unknown = model.load_state_dict(weights, strict=False)
    tied = {"lm_head.weight"} if loaded.config.tie_word_embeddings else set()
    assert set(left) <= tied, left  # noqa: S101 - load_checkpoint has compared all names and shapes
    assert not unknown, unknown  # noqa: S101
    model.generation_config = sampling(tokenizer)
    model.save_pretrained(out)
    tokenizer.save_pretrained(out)
