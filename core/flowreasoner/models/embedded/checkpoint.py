"""Checkpoints of the embedded runtime: a folder with a small Llama, its weights in eight bits, and its tokenizer.

``config.json``
    fields of Hugging Face's `LlamaConfig`
``tokenizer.json``
    as the `tokenizers` library writes it, with the ChatML marks as special tokens
``weights.npz``
    under Hugging Face's names: each matrix as int8, with one float32 scale a row as ``NAME.scale``; vectors as float32
``generation.json``
    optional: ``temperature``, ``top_p``, ``max_tokens``

Nothing in it is executed: no pickle, no code.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt, ValidationError, model_validator
from tokenizers import Tokenizer

from flowreasoner.errors import ModelRefused

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["CONFIG", "GENERATION", "TOKENIZER", "WEIGHTS", "Checkpoint", "Generation", "LlamaConfig", "load_checkpoint"]

_Kind = TypeVar("_Kind", bound=BaseModel)

CONFIG, TOKENIZER, WEIGHTS, GENERATION = "config.json", "tokenizer.json", "weights.npz", "generation.json"


class LlamaConfig(BaseModel):
    """Shape of the transformer, under the names of Hugging Face's `LlamaConfig`; what else it holds is ignored.

    Attributes:
        head_dim: Numbers per attention head; `hidden_size` / `num_attention_heads` unless given.
        max_position_embeddings: Longest context, in tokens.
        rope_theta: Base of the rotary embedding's wavelengths.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    vocab_size: PositiveInt
    hidden_size: PositiveInt
    intermediate_size: PositiveInt
    num_hidden_layers: PositiveInt
    num_attention_heads: PositiveInt
    num_key_value_heads: PositiveInt
    head_dim: PositiveInt
    max_position_embeddings: PositiveInt
    rms_norm_eps: PositiveFloat = 1e-6
    rope_theta: PositiveFloat = 10_000.0
    tie_word_embeddings: bool = False

    @model_validator(mode="before")
    @classmethod
    def _read(cls, given: Any) -> Any:
        """Fills in what Hugging Face derives, and refuses what the runtime does not compute."""
        if not isinstance(given, dict):
            raise ValueError("it must be an object")
        rope = given.get("rope_parameters") or given.get("rope_scaling") or {}
        expected: dict[str, tuple[Any, Any]] = {
            "model_type": (given.get("model_type", "llama"), "llama"),
            "hidden_act": (given.get("hidden_act", "silu"), "silu"),
            "attention_bias": (given.get("attention_bias", False), False),
            "mlp_bias": (given.get("mlp_bias", False), False),
            "rope_type": (rope.get("rope_type", "default"), "default"),
        }
        for name, (value, wanted) in expected.items():
            if value != wanted:
                raise ValueError(f"{name} must be {wanted!r}, not {value!r}")
        heads, hidden = given.get("num_attention_heads"), given.get("hidden_size")
        filled = {key: value for key, value in given.items() if value is not None}
        filled.setdefault("num_key_value_heads", heads)
        filled.setdefault("rope_theta", rope.get("rope_theta", 10_000.0))
        if isinstance(heads, int) and isinstance(hidden, int) and heads > 0:
            filled.setdefault("head_dim", hidden // heads)
        return filled

    @model_validator(mode="after")
    def _fits(self) -> LlamaConfig:
        if self.num_attention_heads % self.num_key_value_heads:
            raise ValueError("num_attention_heads must be a multiple of num_key_value_heads")
        if self.head_dim % 2:
            raise ValueError("head_dim must be even, for the rotary embedding")
        return self

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Returns the shape of each weight by its name."""
        hidden, inner = self.hidden_size, self.intermediate_size
        queries, keys = self.num_attention_heads * self.head_dim, self.num_key_value_heads * self.head_dim
        shapes: dict[str, tuple[int, ...]] = {
            "model.embed_tokens.weight": (self.vocab_size, hidden),
            "model.norm.weight": (hidden,),
        }
        for index in range(self.num_hidden_layers):
            layer = f"model.layers.{index}"
            shapes |= {
                f"{layer}.input_layernorm.weight": (hidden,),
                f"{layer}.post_attention_layernorm.weight": (hidden,),
                f"{layer}.self_attn.q_proj.weight": (queries, hidden),
                f"{layer}.self_attn.k_proj.weight": (keys, hidden),
                f"{layer}.self_attn.v_proj.weight": (keys, hidden),
                f"{layer}.self_attn.o_proj.weight": (hidden, queries),
                f"{layer}.mlp.gate_proj.weight": (inner, hidden),
                f"{layer}.mlp.up_proj.weight": (inner, hidden),
                f"{layer}.mlp.down_proj.weight": (hidden, inner),
            }
        if not self.tie_word_embeddings:
            shapes["lm_head.weight"] = (self.vocab_size, hidden)
        return shapes


class Generation(BaseModel):
    """How a checkpoint samples unless told otherwise.

    Attributes:
        temperature: 0 takes the likeliest token always.
        top_p: Share of the probability that is sampled from, the likeliest tokens first.
        max_tokens: Longest reply.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    temperature: float = Field(default=1.0, ge=0, allow_inf_nan=False)
    top_p: float = Field(default=1.0, gt=0, le=1)
    max_tokens: PositiveInt = 512


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint in memory.

    Attributes:
        config: Shape of the transformer.
        weights: Float32 arrays by name, dequantised.
        tokenizer: Text to token ids and back.
        generation: How it samples unless told otherwise.
        digest: SHA-256 of configuration, tokenizer and weights, in hexadecimal.
    """

    config: LlamaConfig
    weights: Mapping[str, NDArray[np.float32]]
    tokenizer: Tokenizer
    generation: Generation
    digest: str


def load_checkpoint(folder: Path) -> Checkpoint:
    """Reads a checkpoint, and checks that its parts fit together.

    Args:
        folder: As `flowreasoner_training.nano.export_embedded` writes it.

    Raises:
        ModelRefused: If a file is missing, damaged, or does not fit the others; names file and reason.
    """
    files = {name: _bytes(folder, name) for name in (CONFIG, TOKENIZER, WEIGHTS)}
    config = _parsed(LlamaConfig, files[CONFIG], folder / CONFIG)
    given = folder / GENERATION
    generation = _parsed(Generation, _bytes(folder, GENERATION), given) if given.is_file() else Generation()
    try:
        tokenizer = Tokenizer.from_buffer(files[TOKENIZER])
    except Exception as error:  # the library raises bare exceptions
        raise ModelRefused(f"cannot read {folder / TOKENIZER}: {error}") from None
    if tokenizer.get_vocab_size() > config.vocab_size:
        size = tokenizer.get_vocab_size()
        raise ModelRefused(f"{folder}: the tokenizer has {size} tokens, but vocab_size is {config.vocab_size}")
    weights = _weights(files[WEIGHTS], folder / WEIGHTS, config)
    digest = hashlib.sha256(b"".join(hashlib.sha256(data).digest() for data in files.values())).hexdigest()
    return Checkpoint(config, weights, tokenizer, generation, digest)


def _bytes(folder: Path, name: str) -> bytes:
    try:
        return (folder / name).read_bytes()
    except OSError as error:
        raise ModelRefused(
            f"cannot read the checkpoint's {name} in {str(folder)!r}: {error.strerror}; an embedded checkpoint is a "
            f"folder with {CONFIG}, {TOKENIZER} and {WEIGHTS} (for other checkpoints, use hf:PATH)"
        ) from None


def _parsed(kind: type[_Kind], data: bytes, path: Path) -> _Kind:
    try:
        return kind.model_validate_json(data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise ModelRefused(f"{path}{f', {place}' if place else ''}: {first['msg']}") from None


def _weights(data: bytes, path: Path, config: LlamaConfig) -> dict[str, NDArray[np.float32]]:
    """Reads the weights, dequantised; a name or shape that is not the configuration's is an error."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)):  # NumPy would take other formats, too
            archive = np.load(io.BytesIO(data), allow_pickle=False)
            stored = {name: archive[name] for name in archive.files}
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile) as error:
        raise ModelRefused(f"{path} is damaged: {error}") from None
    weights = {}
    for name, shape in config.shapes().items():
        value = stored.pop(name, None)
        scale = stored.pop(f"{name}.scale", None)
        matrix = len(shape) == 2
        if value is None or (matrix and scale is None):
            raise ModelRefused(f"{path} has no {name}{'' if value is None else '.scale'}; export the checkpoint anew")
        kinds = [(value, shape, np.int8 if matrix else np.float32)]
        kinds += [(scale, shape[:1], np.float32)] if scale is not None else []
        for array, wanted, kind in kinds:
            if array.shape != wanted or array.dtype != kind:
                found = f"{array.dtype} {array.shape}"
                raise ModelRefused(f"{path}: {name} must be {kind.__name__} {wanted}, not {found}")
        weights[name] = value if scale is None else value.astype(np.float32) * scale[:, None]
        if not np.isfinite(weights[name]).all():
            raise ModelRefused(f"{path}: {name} holds numbers that are not finite")
    if stored:
        raise ModelRefused(f"{path} has the unknown weight {sorted(stored)[0]!r}")
    return weights
