"""Trajectories as the rows that TRL's SFTTrainer takes: token ids, and labels for the meta-agent's own words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flowreasoner.errors import TrainingError
from flowreasoner_training.rendering import render
from flowreasoner_training.trajectory import read_trajectories

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["SftData", "load_data"]


@dataclass(frozen=True)
class SftData:
    """What is trained on.

    Attributes:
        rows: ``input_ids`` and ``labels`` of each trajectory, both of length T; a label of -100 is not learned.
        left_out: Trajectories that were too long.
        tokens: Tokens of all rows.
        trained: Those that are learned.
    """

    rows: list[dict[str, list[int]]]
    left_out: int
    tokens: int
    trained: int


def load_data(data: Path, tokenizer: Any, max_tokens: int) -> SftData:
    """Reads and renders trajectories.

    They are rendered here, not by the trainer, so that a template which loses text is an error and not a bad model.

    Args:
        data: A file of `distill`.
        tokenizer: One that `use_training_template` prepared.
        max_tokens: Longest trajectory; longer ones are left out, never cut, as a cut one would not end.

    Raises:
        TrainingError: If the file cannot be used, or nothing is left to train on.
    """
    rows, left_out, longest = [], 0, 0
    for trajectory in read_trajectories(data):
        try:
            rendered = render(tokenizer, trajectory.messages())
        except TrainingError as error:
            raise TrainingError(f"trajectory {trajectory.id!r}: {error}") from None
        longest = max(longest, len(rendered.input_ids))
        if len(rendered.input_ids) > max_tokens:
            left_out += 1
            continue
        rows.append({"input_ids": rendered.input_ids, "labels": rendered.labels})
    if not rows:
        why = f"all {left_out} trajectories are longer than sft.max_tokens {max_tokens}" if left_out else "it is empty"
        remedy = f"raise it to {longest}" if left_out else "`flowreasoner distill` fills it"
        raise TrainingError(f"{str(data)!r} has nothing to train on: {why}; {remedy}")
    trained = sum(label != -100 for row in rows for label in row["labels"])
    return SftData(rows, left_out, sum(len(row["input_ids"]) for row in rows), trained)
