"""Checkpoints that can be trusted: one counts only after everything in it was written."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

__all__ = ["MarkWhole", "last_checkpoint", "remove_broken", "step_of"]

_MARK = "complete"


class MarkWhole(TrainerCallback):
    """Marks each checkpoint as whole when the trainer has written all of it."""

    def on_save(self, args: Any, state: Any, *_: Any, **__: Any) -> None:
        """Marks the checkpoint of the current step."""
        if state.is_world_process_zero:
            mark = Path(args.output_dir) / f"checkpoint-{state.global_step}" / _MARK
            mark.write_text(f"{state.global_step}\n", encoding="utf-8")


def last_checkpoint(folder: Path) -> Path | None:
    """Returns the last whole checkpoint in a folder; one that a crash cut short is passed over."""
    return max((mark.parent for mark in folder.glob(f"checkpoint-*/{_MARK}")), key=step_of, default=None)


def remove_broken(folder: Path) -> None:
    """Removes the checkpoints that a crash cut short."""
    for checkpoint in folder.glob("checkpoint-*"):
        if not (checkpoint / _MARK).exists():
            shutil.rmtree(checkpoint)


def step_of(checkpoint: Path | None) -> int:
    """Returns the number of steps behind a checkpoint; 0 for none."""
    return 0 if checkpoint is None else int(checkpoint.name.rpartition("-")[2])
