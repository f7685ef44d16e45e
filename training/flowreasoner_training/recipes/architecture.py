"""A model's shape, as checkpoints state it, and what follows from it: the sizes of its tensors."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flowreasoner.errors import RecipeError
from flowreasoner_training.recipes.reading import parse_yaml

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flowreasoner_training.recipes.schema import ModelSettings, NanoModel, Recipe

__all__ = ["Architecture", "architecture_of", "counted_parameters", "lora_parameters"]

_NANO_HEAD = 32


@dataclass(frozen=True, slots=True)
class Architecture:
    """The shape of a transformer decoder as Qwen2 and Llama have it.

    Attributes:
        layers: Blocks.
        hidden: Width of the residual stream.
        intermediate: Width of the feed-forward network, which has gate, up and down projections.
        heads: Query heads.
        kv_heads: Key and value heads.
        head_dim: Width of a head.
        vocabulary: Rows of the embedding.
        tied: Whether the output layer is the embedding.
    """

    layers: int
    hidden: int
    intermediate: int
    heads: int
    kv_heads: int
    head_dim: int
    vocabulary: int
    tied: bool = False

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Architecture:
        """Reads the fields of a checkpoint's ``config.json``.

        Raises:
            KeyError: If one is missing.
        """
        heads = config["num_attention_heads"]
        return cls(
            layers=config["num_hidden_layers"],
            hidden=config["hidden_size"],
            intermediate=config["intermediate_size"],
            heads=heads,
            kv_heads=config.get("num_key_value_heads") or heads,
            head_dim=config.get("head_dim") or config["hidden_size"] // heads,
            vocabulary=config["vocab_size"],
            tied=bool(config.get("tie_word_embeddings", False)),
        )

    @classmethod
    def of_nano(cls, model: NanoModel) -> Architecture:
        """Returns the shape of a model that is trained from scratch, as `flowreasoner_training.nano` makes it."""
        heads = model.width // _NANO_HEAD
        inner = -(-model.width * 8 // 3 // 32) * 32
        return cls(model.layers, model.width, inner, heads, heads, _NANO_HEAD, model.vocabulary, tied=True)

    @property
    def projections(self) -> dict[str, tuple[int, int]]:
        """Inputs and outputs of a block's linear layers by name."""
        query, key = self.heads * self.head_dim, self.kv_heads * self.head_dim
        return {
            "q_proj": (self.hidden, query),
            "k_proj": (self.hidden, key),
            "v_proj": (self.hidden, key),
            "o_proj": (query, self.hidden),
            "gate_proj": (self.hidden, self.intermediate),
            "up_proj": (self.hidden, self.intermediate),
            "down_proj": (self.intermediate, self.hidden),
        }

    @property
    def block_parameters(self) -> int:
        """Weights of one block's linear layers; biases and norms, some thousandths more, are left out."""
        return sum(rows * columns for rows, columns in self.projections.values())

    @property
    def outer_parameters(self) -> int:
        """Weights of embedding and output layer."""
        return self.vocabulary * self.hidden * (1 if self.tied else 2)

    @property
    def parameters(self) -> int:
        """Weights in all, as far as they are counted here."""
        return self.layers * self.block_parameters + self.outer_parameters

    @property
    def cache_values(self) -> int:
        """Numbers that the key-value cache keeps per token."""
        return 2 * self.layers * self.kv_heads * self.head_dim


def architecture_of(recipe: Recipe) -> Architecture | None:
    """Returns the shape of a recipe's meta-agent, or None where it is not known.

    It comes from its folder's ``config.json``, or is known for the paper's base models and the miniature's.

    Raises:
        RecipeError: If the folder's ``config.json`` cannot be read, or has no such shape.
    """
    model, file = recipe.model, Path(recipe.model.name) / "config.json"
    if recipe.nano is not None:
        return Architecture.of_nano(recipe.nano.meta_agent)
    if not file.is_file():
        data = resources.files("flowreasoner_training.recipes") / "shapes.yaml"
        known = parse_yaml(data.read_text(encoding="utf-8"))
        return Architecture.from_config(known[model.name]) if model.name in known else None
    try:
        return Architecture.from_config(json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise RecipeError(model.name, [f"model.name: {str(file)!r} cannot be read: {error}"]) from None
    except (KeyError, TypeError) as error:
        raise RecipeError(model.name, [f"model.name: {str(file)!r} is no decoder's: no {error} in it"]) from None


def counted_parameters(folder: Path) -> int:
    """Returns a checkpoint's number of parameters, counted on a model without memory (torch's meta device).

    Args:
        folder: Holds ``config.json``; the weights themselves need not be there.
    """
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    config = AutoConfig.from_pretrained(folder, local_files_only=True)
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config)  # type: ignore[no-untyped-call]
    return sum(parameter.numel() for parameter in model.parameters())


def lora_parameters(shape: Architecture, model: ModelSettings) -> int:
    """Returns the parameters of a model's adapters: ``rank * (inputs + outputs)`` for each adapted layer.

    Raises:
        RecipeError: If a target is none of a block's linear layers.
    """
    lora = model.lora
    if lora is None:
        return 0
    targets = lora.targets if not isinstance(lora.targets, str) else (lora.targets,)
    names = list(shape.projections) if targets == ("all-linear",) else targets
    unknown = [name for name in names if name not in shape.projections]
    if unknown:
        known = ", ".join(shape.projections)
        raise RecipeError(model.name, [f"model.lora.targets: {unknown[0]!r} is none of all-linear, {known}"])
    return shape.layers * sum(lora.rank * sum(shape.projections[name]) for name in names)
