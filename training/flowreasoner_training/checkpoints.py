"""Checkpoints that can be trusted: one counts only after everything in it was written."""

from __future__ import annotations

import errno
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from transformers import TrainerCallback

from flowreasoner.errors import TrainingError
from flowreasoner.models.embedded.checkpoint import WEIGHTS
from flowreasoner_training.files import NotWritten, guarded, write_atomically

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "MarkWhole",
    "SavesWhole",
    "drop_pickle",
    "expect_trainable",
    "keep_lines",
    "kept",
    "last_checkpoint",
    "mark_whole",
    "not_saved",
    "remove_broken",
    "step_of",
]

_MARK = "complete"
_SPARE = 2**20


class SavesWhole:
    """Mixed into a trainer of transformers: says clearly what cannot be written, and what is missing."""

    def _save_checkpoint(self: Any, *given: Any, **named: Any) -> None:
        """Saves a checkpoint if there is room for it: libraries that run out of it may crash.

        Raises:
            NotWritten: If there is not, or it cannot be written for another reason.
        """
        out = Path(self.args.output_dir)
        with guarded(out):
            if self.args.should_save:
                _expect_room(out, sum(tensor.numel() * tensor.element_size() for tensor in _saved(self)))
            super()._save_checkpoint(*given, **named)  # type: ignore[misc]

    def _issue_warnings_after_load(self: Any, load_result: Any) -> None:
        """Tells what a checkpoint lacks, save for weights that are others by another name, and not saved twice."""
        tied = getattr(self.model, "all_tied_weights_keys", {})
        missing = [name for name in load_result.missing_keys if name not in tied]
        super()._issue_warnings_after_load(load_result._replace(missing_keys=missing))  # type: ignore[misc]


class MarkWhole(TrainerCallback):
    """Marks each checkpoint as whole when the trainer has written all of it."""

    def on_save(self, args: Any, state: Any, *_: Any, **__: Any) -> None:
        """Marks the checkpoint of the current step."""
        if state.is_world_process_zero:
            mark_whole(Path(args.output_dir), state.global_step)


def mark_whole(folder: Path, step: int) -> None:
    """Marks the checkpoint of a step as whole.

    Raises:
        NotWritten: If it cannot be.
    """
    write_atomically(folder / f"checkpoint-{step}" / _MARK, [f"{step}\n"])


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


def keep_lines(log: Path, step: int) -> None:
    """Drops a log's lines after a step, which a resumed training writes again, and one that was cut short.

    Raises:
        NotWritten: If the log cannot be written.
    """
    if not log.exists():
        return
    lines = []
    for line in log.read_text(encoding="utf-8").splitlines(keepends=True):
        try:
            if line.endswith("\n") and json.loads(line)["step"] <= step:
                lines.append(line)
        except (ValueError, KeyError, TypeError):
            continue
    write_atomically(log, lines)


def kept(folder: Path) -> str:
    """Says what of a training is in the checkpoints of a folder."""
    checkpoint = last_checkpoint(folder)
    return "no checkpoint was written yet" if checkpoint is None else f"all until then is kept in {str(checkpoint)!r}"


def not_saved(error: NotWritten, step: int, folder: Path) -> TrainingError:
    """Returns the error that a training ends with when it cannot write.

    Args:
        error: What could not be written.
        step: Steps that were made.
        folder: Of the checkpoints.
    """
    return TrainingError(
        f"after step {step}: cannot write to {str(error.path)!r}: {error.reason}; {kept(folder)}; "
        "free some space there and go on with --resume"
    )


def _saved(trainer: Any) -> Iterator[torch.Tensor]:
    """Yields what this process trains, and the optimizer's state."""
    yield from (parameter for parameter in trainer.model.parameters() if parameter.requires_grad)
    for item in trainer.optimizer.state.values():
        yield from (value for value in item.values() if torch.is_tensor(value))


def _expect_room(out: Path, size: int) -> None:
    """Raises an OSError if there is no room for a checkpoint of so many bytes."""
    out.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(out).free
    if free < size + _SPARE:
        raise OSError(errno.ENOSPC, f"a checkpoint takes {size / 2**20:,.0f} MiB, and {free / 2**20:,.0f} are free")


def expect_trainable(folder: Path) -> None:
    """Refuses a model of the embedded runtime, of which transformers would only say that something is missing.

    Raises:
        TrainingError: If it is one.
    """
    if (folder / WEIGHTS).is_file():
        raise TrainingError(
            f"{str(folder)!r} holds a model of the embedded runtime, in 8 bits, which are not trained on; give the "
            "folder that `flowreasoner sft` wrote, or restore it with "
            "flowreasoner_training.nano.restore.restore_embedded(checkpoint, out) and give that"
        )


def drop_pickle(folder: Path) -> None:
    """Removes the trainer's settings from a model that is passed on: nobody should have to trust a pickle."""
    (folder / "training_args.bin").unlink(missing_ok=True)
