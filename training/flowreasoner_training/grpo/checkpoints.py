"""Checkpoints that can be trusted: one counts only after everything in it was written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from transformers import TrainerCallback

__all__ = ["MarkWhole", "last_checkpoint", "mark_whole", "step_of"]

_MARK = "complete"


class MarkWhole(TrainerCallback):  # type: ignore[misc]  # transformers is not typed
    """Marks each checkpoint as whole when the trainer has written it."""

    def on_save(self, args: Any, state: Any, *_: Any, **__: Any) -> None:
        """Marks the checkpoint of the current step."""
        if state.is_world_process_zero:
            mark_whole(Path(args.output_dir), state.global_step)


def mark_whole(out: Path, step: int) -> None:
    """Marks the checkpoint of a step as whole."""
    (out / f"checkpoint-{step}" / _MARK).write_text(f"{step}\n", encoding="utf-8")


def last_checkpoint(out: Path) -> Path | None:
    """Returns the last whole checkpoint in a folder; one that a crash cut short is passed over."""
    return max((mark.parent for mark in out.glob(f"checkpoint-*/{_MARK}")), key=step_of, default=None)


def step_of(checkpoint: Path | None) -> int:
    """Returns the number of steps behind a checkpoint; 0 for none."""
    return 0 if checkpoint is None else int(checkpoint.name.rpartition("-")[2])
