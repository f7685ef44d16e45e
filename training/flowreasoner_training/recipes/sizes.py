"""Memory of a GPU as lines with their derivation, and what the lines come to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

__all__ = ["GIB", "MemoryItem", "MemoryPlan", "billions"]

GIB = 2**30
Phase = Literal["always", "update", "rollout"]

_REMEDIES = {
    "vLLM": "give it GPUs of its own (+vllm-server), or divide it (hardware.tensor_parallel)",
    "key-value cache": "sample with vLLM (+vllm-colocate), or lower grpo.max_tokens",
    "checkpoints": "lower max_tokens of the stage",
    "activations": "set model.gradient_checkpointing to true, or lower max_tokens of the stage",
}


@dataclass(frozen=True, slots=True)
class MemoryItem:
    """One line of the derivation.

    Attributes:
        name: What takes the memory.
        size: Bytes on each GPU.
        how: Where the number comes from.
        phase: Whether it is there always, or only during the update or the rollouts.
    """

    name: str
    size: float
    how: str
    phase: Phase = "always"


@dataclass(frozen=True, slots=True)
class MemoryPlan:
    """Memory of one GPU in one stage.

    Attributes:
        items: The lines.
        usable: Bytes that one GPU has; None where the training runs on a CPU.
        problem: Why it cannot work although the sum fits, or empty.
        host: Bytes of the host's memory that all processes of a node need for the optimizer.
    """

    items: tuple[MemoryItem, ...]
    usable: float | None
    problem: str = ""
    host: float = 0.0

    @property
    def peak(self) -> float:
        """Bytes at the fullest moment."""
        sums = {phase: sum(item.size for item in self.items if item.phase == phase) for phase in ("update", "rollout")}
        return sum(item.size for item in self.items if item.phase == "always") + max(sums.values())

    @property
    def fits(self) -> bool | None:
        """Whether it fits; None where the size of the memory is not known."""
        return None if self.usable is None else self.peak <= self.usable and not self.problem

    @property
    def remedy(self) -> str:
        """What would help where it does not fit: against its problem, or what is largest."""
        if self.problem:
            return self.problem
        largest = max(self.items, key=lambda item: item.size)
        return (
            f"mostly {largest.name}: {_REMEDIES.get(largest.name, 'train adapters (+lora or +qlora), or on more GPUs')}"
        )

    def to_json(self) -> dict[str, Any]:
        """Returns the plan as a JSON object, sizes in GiB."""
        return {
            "items": [
                {"name": item.name, "gib": round(item.size / GIB, 2), "how": item.how, "phase": item.phase}
                for item in self.items
            ],
            "peak_gib": round(self.peak / GIB, 2),
            "usable_gib": None if self.usable is None else round(self.usable / GIB, 2),
            "fits": self.fits,
            "problem": self.remedy if self.fits is False else "",
            "host_gib": round(self.host / GIB, 2),
        }


def billions(count: float) -> str:
    """Returns a number of parameters as ``7.62 G`` or ``2.06 M``."""
    return f"{count / 1e9:.2f} G" if count >= 1e8 else f"{count / 1e6:.2f} M"
