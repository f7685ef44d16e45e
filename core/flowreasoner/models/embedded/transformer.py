"""The forward pass of a small Llama in NumPy: what the embedded models need, without torch.

A row's result depends on nothing but its own sequence. A product of several rows may add up in another order than
that of one row, so rows of different sequences are never put into one product: new tokens go through as ``(sequences,
tokens, features)``, which NumPy multiplies sequence by sequence. So a request has the same answer whatever else is in
flight, to the last bit.
"""

# CTranslate2 would be faster. It draws samples from one generator a thread, so that an answer depends on which
# requests ran before it on the same thread; the completion cache and resumed runs need answers that do not.

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from flowreasoner.models.embedded.checkpoint import LlamaConfig

    Floats = NDArray[np.float32]

__all__ = ["CHUNK", "Memory", "Transformer"]

CHUNK = 64
"""Tokens of a prompt that are read at once."""

_LATER = np.triu(np.full((CHUNK, CHUNK), -np.inf, np.float32), 1)
"""Added to scores, it hides from each token of a chunk those after it."""


class Memory:
    """Keys and values of the tokens that a sequence has read.

    Args:
        config: Of the transformer.
        capacity: Tokens at most.

    Attributes:
        keys: ``(layers, key-value heads, capacity, head_dim)``.
        values: The same.
        length: Tokens read so far.
    """

    def __init__(self, config: LlamaConfig, capacity: int) -> None:
        shape = (config.num_hidden_layers, config.num_key_value_heads, capacity, config.head_dim)
        self.keys: Floats = np.empty(shape, np.float32)
        self.values: Floats = np.empty(shape, np.float32)
        self.length = 0


@dataclass(frozen=True)
class _Layer:
    """Weights of a layer, transposed for products from the left, and those of the same input side by side."""

    attention_norm: Floats
    query_key_value: Floats
    output: Floats
    mlp_norm: Floats
    gate_up: Floats
    down: Floats


class Transformer:
    """A Llama: RMSNorm, rotary embedding, grouped-query attention, SwiGLU.

    Args:
        config: Its shape.
        weights: Float32 arrays under Hugging Face's names.
    """

    def __init__(self, config: LlamaConfig, weights: Mapping[str, Floats]) -> None:
        self.config = config
        self._embeddings = weights["model.embed_tokens.weight"]
        head = weights["model.embed_tokens.weight" if config.tie_word_embeddings else "lm_head.weight"]
        self._head = np.ascontiguousarray(head.T)
        self._norm = weights["model.norm.weight"]
        self._layers = [_layer(weights, index) for index in range(config.num_hidden_layers)]
        half = config.head_dim // 2
        frequencies = config.rope_theta ** (-np.arange(half) / half)
        angles = np.outer(np.arange(config.max_position_embeddings), frequencies)
        self._cos, self._sin = np.cos(angles).astype(np.float32), np.sin(angles).astype(np.float32)

    def read(self, tokens: Sequence[int] | NDArray[np.int64], memory: Memory) -> Floats:
        """Reads a chunk of one sequence.

        Args:
            tokens: Token ids, at least one and at most `CHUNK`.
            memory: Of the sequence; it is extended.

        Returns:
            Logits of the token that follows, ``(vocabulary,)``.
        """
        logits: Floats = self._logits(self._forward(np.asarray(tokens, np.int64)[None], [memory]))[0]
        return logits

    def step(self, tokens: Sequence[int], memories: Sequence[Memory]) -> Floats:
        """Reads one further token of each of several sequences.

        Args:
            tokens: One token id a sequence.
            memories: Of the sequences; each is extended.

        Returns:
            Logits of the tokens that follow, ``(sequences, vocabulary)``.
        """
        return self._logits(self._forward(np.asarray(tokens, np.int64)[:, None], memories))

    def _forward(self, ids: NDArray[np.int64], memories: Sequence[Memory]) -> Floats:
        """Returns the last layer's output, ``(sequences, tokens, hidden_size)``, and extends the memories."""
        count = ids.shape[1]
        starts = np.array([memory.length for memory in memories])
        positions = starts[:, None] + np.arange(count)
        cos, sin = self._cos[positions][:, :, None], self._sin[positions][:, :, None]
        hidden = self._embeddings[ids]
        with np.errstate(over="ignore"):  # exp of a very negative gate's opposite; the gate is 0 then
            for index, layer in enumerate(self._layers):
                normed = _normalise(hidden, layer.attention_norm, self.config.rms_norm_eps)
                attended = self._attend(index, normed @ layer.query_key_value, cos, sin, memories)
                hidden = hidden + attended @ layer.output
                normed = _normalise(hidden, layer.mlp_norm, self.config.rms_norm_eps)
                gate, up = np.split(normed @ layer.gate_up, 2, axis=-1)
                hidden = hidden + (gate / (1 + np.exp(-gate)) * up) @ layer.down
        for memory in memories:
            memory.length += count
        return hidden

    def _attend(self, index: int, projected: Floats, cos: Floats, sin: Floats, memories: Sequence[Memory]) -> Floats:
        """Returns what each new token gathers from its own sequence, ``(sequences, tokens, heads × head_dim)``."""
        config = self.config
        heads, groups, width = config.num_attention_heads, config.num_key_value_heads, config.head_dim
        sequences, count, _ = projected.shape
        split = projected.reshape(sequences, count, heads + 2 * groups, width)
        turned = _turn(split[:, :, : heads + groups], cos, sin)
        queries = turned[:, :, :heads] * np.float32(width**-0.5)
        keys, values = turned[:, :, heads:], split[:, :, heads + groups :]
        # Query heads that share a key come together: (sequences, groups, heads of a group × tokens, width).
        queries = queries.transpose(0, 2, 1, 3).reshape(sequences, groups, -1, width)
        gathered = np.empty_like(queries)
        for row, memory in enumerate(memories):
            end = memory.length + count
            memory.keys[index, :, memory.length : end] = keys[row].swapaxes(0, 1)
            memory.values[index, :, memory.length : end] = values[row].swapaxes(0, 1)
            scores = queries[row] @ memory.keys[index, :, :end].swapaxes(1, 2)
            scores.reshape(heads, count, end)[:, :, memory.length :] += _LATER[:count, :count]
            scores -= scores.max(axis=-1, keepdims=True)
            np.exp(scores, out=scores)
            scores /= scores.sum(axis=-1, keepdims=True)
            gathered[row] = scores @ memory.values[index, :, :end]
        return gathered.reshape(sequences, heads, count, width).transpose(0, 2, 1, 3).reshape(sequences, count, -1)

    def _logits(self, hidden: Floats) -> Floats:
        """Returns the logits after the last token of each sequence."""
        last = _normalise(hidden[:, -1:], self._norm, self.config.rms_norm_eps)
        logits: Floats = (last @ self._head)[:, 0]
        return logits


def _layer(weights: Mapping[str, Floats], index: int) -> _Layer:
    def of(*names: str) -> Floats:
        stacked = np.concatenate([weights[f"model.layers.{index}.{name}.weight"] for name in names])
        return np.ascontiguousarray(stacked.T)

    return _Layer(
        of("input_layernorm"),
        of("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
        of("self_attn.o_proj"),
        of("post_attention_layernorm"),
        of("mlp.gate_proj", "mlp.up_proj"),
        of("mlp.down_proj"),
    )


def _normalise(x: Floats, weight: Floats, epsilon: float) -> Floats:
    """RMSNorm over the last axis."""
    scale = np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + np.float32(epsilon))
    normed: Floats = x / scale * weight
    return normed


def _turn(x: Floats, cos: Floats, sin: Floats) -> Floats:
    """Rotary embedding, in Hugging Face's order: the first half of the features with the second."""
    first, second = np.split(x, 2, axis=-1)
    return np.concatenate([first * cos - second * sin, second * cos + first * sin], axis=-1)
