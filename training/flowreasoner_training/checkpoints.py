"""Checkpoints that can be trusted: one counts only after everything in it was written."""

from __future__ import annotations

import errno
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transformers import TrainerCallback

if TYPE_CHECKING:
    from collections.abc import Iterator

    from transformers import TrainerState

__all__ = [
    "MarkWhole",
    "NotSaved",
    "expect_room",
    "last_checkpoint",
    "mark_whole",
    "remove_broken",
    "saving",
    "step_of",
]

_MARK = "complete"
_SPARE = 2**20


class NotSaved(Exception):
    """Something could not be written, mostly because the disk is full."""


@contextmanager
def saving() -> Iterator[None]:
    """Turns whatever libraries raise when they cannot write into `NotSaved`.

    Raises:
        NotSaved: With their words.
    """
    try:
        yield
    except Exception as error:
        raise NotSaved(f"{error}") from error


def expect_room(out: Path, size: int) -> None:
    """Looks whether there is room for a checkpoint before it is begun: libraries that run out of it may crash.

    Args:
        out: Folder that the checkpoint goes to.
        size: Its bytes.

    Raises:
        OSError: If there is not.
    """
    free = shutil.disk_usage(out).free
    if free < size + _SPARE:
        raise OSError(errno.ENOSPC, f"a checkpoint takes {size / 2**20:,.0f} MiB, and {free / 2**20:,.0f} are free")


class MarkWhole(TrainerCallback):
    """Marks each checkpoint as whole when the trainer has written it."""

    def on_save(self, args: Any, state: TrainerState, control: Any, **given: Any) -> None:  # noqa: ARG002
        """Marks the checkpoint of the current step."""
        if state.is_world_process_zero:
            mark_whole(Path(str(args.output_dir)), state.global_step)


def mark_whole(out: Path, step: int) -> None:
    """Marks the checkpoint of a step as whole."""
    (out / f"checkpoint-{step}" / _MARK).write_text(f"{step}\n", encoding="utf-8")


def last_checkpoint(out: Path) -> Path | None:
    """Returns the last whole checkpoint in a folder; one that a crash cut short is passed over."""
    return max(
        (mark.parent for mark in out.glob(f"checkpoint-*/{_MARK}") if _is_whole(mark)), key=step_of, default=None
    )


def remove_broken(out: Path) -> None:
    """Removes the checkpoints that a crash cut short."""
    for checkpoint in out.glob("checkpoint-*"):
        if not _is_whole(checkpoint / _MARK):
            shutil.rmtree(checkpoint)


def step_of(checkpoint: Path | None) -> int:
    """Returns the number of steps behind a checkpoint; 0 for none."""
    return 0 if checkpoint is None else int(checkpoint.name.rpartition("-")[2])


def _is_whole(mark: Path) -> bool:
    """Tells whether a mark was written to its end: on a full disk, an empty file can still be made."""
    return mark.is_file() and mark.read_text(encoding="utf-8") == f"{step_of(mark.parent)}\n"
