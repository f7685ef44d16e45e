"""The miniature's transformers: Llama, small."""

from __future__ import annotations

from typing import TYPE_CHECKING

from transformers import LlamaConfig, LlamaForCausalLM

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

__all__ = ["new_model"]


def new_model(
    tokenizer: PreTrainedTokenizerFast, *, width: int, layers: int, positions: int, heads: int | None = None
) -> LlamaForCausalLM:
    """Returns a model with random weights; seed torch before.

    Args:
        tokenizer: Gives the vocabulary, and the ids of padding and end.
        width: Size of the hidden states.
        layers: Transformer blocks.
        positions: Longest sequence, in tokens.
        heads: Attention heads; one for each 32 of the width unless given.
    """
    config = LlamaConfig(
        vocab_size=-(-len(tokenizer) // 16) * 16,
        hidden_size=width,
        intermediate_size=-(-width * 8 // 3 // 32) * 32,
        num_hidden_layers=layers,
        num_attention_heads=heads or width // 32,
        max_position_embeddings=positions,
        tie_word_embeddings=True,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        initializer_range=0.02,
        rope_parameters={"rope_type": "default", "rope_theta": 10_000.0},
    )
    model = LlamaForCausalLM(config)
    model.generation_config.update(do_sample=True, temperature=1.0, top_k=0, top_p=1.0)
    return model
