"""Writes a checkpoint of Hugging Face's format for the embedded runtime: eight bits a weight, no torch to run it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import ValidationError
from safetensors import SafetensorError, safe_open

from flowreasoner.errors import ModelRefused
from flowreasoner.models.embedded.checkpoint import (
    CONFIG,
    GENERATION,
    TOKENIZER,
    WEIGHTS,
    Generation,
    LlamaConfig,
    load_checkpoint,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["export_embedded", "quantise"]

_LARGEST = 127


def export_embedded(checkpoint: Path, out: Path, generation: Mapping[str, Any] | None = None) -> None:
    """Exports a Llama that `save_pretrained` wrote, with its fast tokenizer beside it.

    Args:
        checkpoint: Folder with ``config.json``, ``tokenizer.json`` and ``model.safetensors``.
        out: Folder for the export; made where it is not there.
        generation: ``temperature``, ``top_p`` and ``max_tokens`` that the runtime takes by default.

    Raises:
        ModelRefused: If the checkpoint cannot be read, or is none that the runtime computes.
        OSError: If the export cannot be written.
    """
    given = _read(checkpoint / CONFIG)
    try:
        config = LlamaConfig.model_validate_json(given)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise ModelRefused(f"{checkpoint / CONFIG} cannot be exported: {first['msg']}") from None
    stored = _weights(checkpoint / "model.safetensors", config)
    tokenizer = _read(checkpoint / TOKENIZER)
    out.mkdir(parents=True, exist_ok=True)
    np.savez(out / WEIGHTS, **stored)  # type: ignore[arg-type] # names, not NumPy's one option
    (out / CONFIG).write_text(json.dumps(_kept(config), indent=2) + "\n", encoding="utf-8")
    (out / TOKENIZER).write_bytes(tokenizer)
    if generation is not None:
        defaults = Generation.model_validate(dict(generation)).model_dump_json(indent=2)
        (out / GENERATION).write_text(defaults + "\n", encoding="utf-8")
    load_checkpoint(out)  # what cannot be read back is better known now


def quantise(matrix: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Rounds a matrix to eight bits, each row by its own scale.

    Args:
        matrix: ``(rows, columns)``.

    Returns:
        Whole numbers from -127 to 127, and the scales ``(rows,)`` that turn them back.
    """
    scales = np.abs(matrix).max(axis=1) / _LARGEST
    scales = np.where(scales > 0, scales, 1).astype(np.float32)
    return np.rint(matrix / scales[:, None]).astype(np.int8), scales


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelRefused(
            f"cannot read {str(path)!r}: {error.strerror}; give a folder that save_pretrained wrote, with its tokenizer"
        ) from None


def _weights(path: Path, config: LlamaConfig) -> dict[str, NDArray[Any]]:
    """Returns the weights as the runtime stores them, in eight bits."""
    stored: dict[str, NDArray[Any]] = {}
    try:
        # As torch tensors: NumPy knows no bfloat16.
        with safe_open(path, framework="pt") as file:
            names = set(file.keys())
            for name, shape in config.shapes().items():
                if name not in names:
                    raise ModelRefused(f"{path} has no {name}")
                value = file.get_tensor(name).float().numpy()
                if value.shape != shape:
                    raise ModelRefused(f"{path}: {name} must be {shape} by {CONFIG}, not {value.shape}")
                if not np.isfinite(value).all():
                    raise ModelRefused(f"{path}: {name} holds numbers that are not finite")
                if value.ndim == 1:
                    stored[name] = value
                else:
                    stored[name], stored[f"{name}.scale"] = quantise(value)
    except (OSError, SafetensorError) as error:
        raise ModelRefused(f"cannot read {path}: {error}") from None
    return stored


def _kept(config: LlamaConfig) -> dict[str, Any]:
    """Returns the configuration's fields, under Hugging Face's names; training's own settings stay behind."""
    return {"model_type": "llama", **config.model_dump()}
