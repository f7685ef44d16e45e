"""The miniature's transformers: Llama, small."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

    from flowreasoner_training.recipes.schema import NanoModel

__all__ = ["new_model", "sampling"]

_HEAD = 32


def new_model(tokenizer: PreTrainedTokenizerFast, shape: NanoModel, seed: int) -> LlamaForCausalLM:
    """Returns a model with random weights.

    Args:
        tokenizer: Gives the vocabulary, and the ids of padding and end.
        shape: Width, layers and positions.
        seed: Decides the weights.
    """
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=-(-len(tokenizer) // 16) * 16,
        hidden_size=shape.width,
        intermediate_size=-(-shape.width * 8 // 3 // 32) * 32,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.width // _HEAD,
        max_position_embeddings=shape.positions,
        tie_word_embeddings=True,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        initializer_range=0.02,
        rope_parameters={"rope_type": "default", "rope_theta": 10_000.0},
    )
    model = LlamaForCausalLM(config)
    model.generation_config = sampling(tokenizer)
    return model


def sampling(tokenizer: PreTrainedTokenizerFast) -> GenerationConfig:
    """Returns how the models are sampled: from all tokens, up to the end of the message."""
    ends = {"pad_token_id": tokenizer.pad_token_id, "eos_token_id": tokenizer.eos_token_id}
    return GenerationConfig(do_sample=True, top_k=0, **ends)  # type: ignore[no-untyped-call]
