"""How ScoreFlow's generator is asked and trained: as published, and for the miniature on a CPU."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, Literal

from flowreasoner.errors import QueryError
from flowreasoner_training.recipes.schema import LoraSettings

if TYPE_CHECKING:
    from pathlib import Path

    from flowreasoner.models import ChatModel

__all__ = ["MINIATURE_DPO", "MINIATURE_SAMPLING", "PUBLISHED_LORA", "Dpo", "Sampling"]

PUBLISHED_LORA = LoraSettings(rank=8, alpha=16, dropout=0.01, targets=("q_proj", "v_proj"))
"""The adapters of the repository's ``optimize.py``; TRL switches their dropout off, there as here."""


@dataclass(frozen=True)
class Sampling:
    """How the generator writes: the defaults are those of the repository's ``config1.yaml`` and ``generate.py``.

    Attributes:
        temperature: Of sampling; 0 takes the likeliest token.
        top_p: Share of the probability that is sampled from.
        max_tokens: Longest reply.
        runtime: ``hf`` for transformers, or ``embedded`` for NumPy, which computes models of the miniature's kind only.
            The latter rounds weights to eight bits, and a training of few steps may change none of them by that much;
            training itself always goes on from unrounded ones.
    """

    temperature: float = 0.2
    top_p: float = 0.95
    max_tokens: int = 1000
    runtime: Literal["hf", "embedded"] = "hf"

    def open(self, checkpoint: Path, exported: Path, batch: int) -> ChatModel:
        """Returns a generator to ask.

        Args:
            checkpoint: Its folder, as ``save_pretrained`` wrote it.
            exported: Where the embedded runtime's form of it is, or is put.
            batch: Requests that are answered at the same time.

        Raises:
            ModelRefused: If the folder holds no checkpoint that the runtime can use.
            NotWritten: If the export cannot be written.
        """
        how: dict[str, Any] = {"temperature": self.temperature, "top_p": self.top_p, "max_tokens": self.max_tokens}
        if self.runtime == "hf":
            from flowreasoner_training.hf_model import HFModel

            return HFModel(checkpoint, batch=batch, **how)
        from flowreasoner.models.embedded.model import EmbeddedModel

        if not exported.exists():
            _export(checkpoint, exported)
        return EmbeddedModel(exported, label="scoreflow", **how)  # replies depend on the name; a path must not matter

    def to_json(self) -> dict[str, Any]:
        """Returns the settings as a JSON object."""
        return {item.name: getattr(self, item.name) for item in fields(Sampling)}


def _export(checkpoint: Path, exported: Path) -> None:
    from flowreasoner_training.files import guarded
    from flowreasoner_training.nano.export import export_embedded

    partial = exported.with_name(exported.name + ".part")
    with guarded(exported):
        export_embedded(checkpoint, partial)
        partial.replace(exported)


@dataclass(frozen=True)
class Dpo:
    """How the generator is trained: the defaults are those of the repository's ``optimize.py`` and ``DPOconfig.py``.

    Attributes:
        beta: Weight of the KL divergence from the reference.
        learning_rate: At the beginning; it falls linearly to 0.
        batch_size: Pairs per step.
        epochs: Passes over the pairs that were drawn.
        lora: Adapters, merged after each iteration; None trains all weights.
        dtype: Number format of the weights.
        gradient_checkpointing: Trade time for memory.
    """

    beta: float = 0.1
    learning_rate: float = 1e-6
    batch_size: int = 1
    epochs: int = 1
    lora: LoraSettings | None = PUBLISHED_LORA
    dtype: Literal["bfloat16", "float32"] = "bfloat16"
    gradient_checkpointing: bool = True

    def __post_init__(self) -> None:
        if self.lora is not None and self.lora.four_bit:
            raise QueryError("ScoreFlow merges its adapters after each iteration, which weights in 4 bits do not allow")

    def to_json(self) -> dict[str, Any]:
        """Returns the settings as a JSON object."""
        return {**asdict(self), "lora": None if self.lora is None else self.lora.model_dump(mode="json")}


MINIATURE_SAMPLING = Sampling(temperature=0.7, max_tokens=400)
"""For the miniature's meta-agent: at the published temperature all of its workflows for a query would be alike."""

MINIATURE_DPO = Dpo(learning_rate=2e-4, batch_size=4, lora=None, dtype="float32", gradient_checkpointing=False)
"""For the miniature's meta-agent on a CPU: all weights of a model this small are trained, at the rate of its GRPO."""
