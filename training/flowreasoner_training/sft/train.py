"""Trains a meta-agent on trajectories with TRL's SFTTrainer (Eq. 2); resumable, and then bit-identical.

The loss is taken over the assistant's tokens only. Weights, optimizer, schedule, order of the data and random
states are in each checkpoint, and one counts only when it is whole.
"""

from __future__ import annotations

import json
import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from flowreasoner.errors import TrainingError
from flowreasoner_training.begun import begin
from flowreasoner_training.checkpoints import keep_lines, kept, last_checkpoint, not_saved, remove_broken, step_of
from flowreasoner_training.files import NotWritten, write_atomically
from flowreasoner_training.noise import less_noise
from flowreasoner_training.rendering import use_training_template
from flowreasoner_training.sft.data import load_data
from flowreasoner_training.sft.folder import check_begun, decisive, save
from flowreasoner_training.sft.trainer import check_device, load_tokenizer, make_trainer
from flowreasoner_training.sft.watch import SftProgress, StepLog, last_loss
from flowreasoner_training.threads import threads

if TYPE_CHECKING:
    from collections.abc import Callable

    from trl import SFTTrainer

    from flowreasoner_training.recipes.schema import Recipe

__all__ = ["SftResult", "train_sft"]


@dataclass(frozen=True)
class SftResult:
    """What a fine-tuning came to.

    Attributes:
        model: Folder of the trained model with its tokenizer and chat template.
        steps: Optimizer steps.
        trajectories: Trajectories that were trained on.
        left_out: Trajectories that were too long.
        tokens: Tokens of the trajectories, once each.
        trained_tokens: Those of them that are learned.
        loss: Loss of the last step, in nats per token.
    """

    model: Path
    steps: int
    trajectories: int
    left_out: int
    tokens: int
    trained_tokens: int
    loss: float

    def to_json(self) -> dict[str, Any]:
        """Returns the object that ``flowreasoner sft --json`` prints."""
        return {**vars(self), "model": str(self.model)}


@less_noise()
def train_sft(
    recipe: Recipe,
    data: Path,
    out: Path,
    *,
    model: Path | str | None = None,
    resume: bool = False,
    report: Callable[[SftProgress], None] = lambda _: None,
) -> SftResult:
    """Fine-tunes a model on trajectories.

    In `out` are then ``model``, ``log.jsonl`` with a line per step, ``result.json`` and ``checkpoints``; with LoRA,
    also ``adapter``, and ``model`` has it merged.

    Args:
        recipe: The sections model, sft and hardware are used, and the seed.
        data: A file of `distill`.
        out: Folder for everything.
        model: Checkpoint to start from; the recipe's unless given.
        resume: Go on from the last whole checkpoint in `out`, or start where there is none.
        report: Called after each step.

    Raises:
        TrainingError: If data, model or device cannot be used, `out` holds another training, the loss is no number,
            or the disk is full. What was saved stays, and can be gone on with.
    """
    base = str(model or recipe.model.name)
    base = str(Path(base).resolve()) if Path(base).is_dir() else base
    result = out / "result.json"
    check_device(recipe)
    settings = decisive(recipe, data, base)
    first = os.environ.get("RANK", "0") == "0"  # of several processes
    if first:
        check_begun(out, settings, resume=resume)
    if resume and result.exists():
        return _finished(result)
    tokenizer = load_tokenizer(base)
    use_training_template(tokenizer, recipe.model.chat_template)
    rows = load_data(data, tokenizer, recipe.sft.max_tokens)
    if rows.left_out:
        logging.getLogger(__name__).warning("%d trajectories are too long and are left out", rows.left_out)
    trainer = make_trainer(recipe, base, tokenizer, rows, out)
    trainer.add_callback(StepLog(out / "log.jsonl", out / "checkpoints", report))
    if first:
        begin(out, settings)
    with threads(recipe.hardware.threads):
        _train(trainer, out)
        save(trainer, recipe, tokenizer, out)
    steps, loss = trainer.state.global_step, last_loss(out / "log.jsonl")
    made = SftResult(out / "model", steps, len(rows.rows), rows.left_out, rows.tokens, rows.trained, loss)
    if first:
        write_atomically(result, [json.dumps(made.to_json(), indent=2) + "\n"])
    return made


def _train(trainer: SFTTrainer, out: Path) -> None:
    """Trains, from the last whole checkpoint where there is one.

    Raises:
        TrainingError: If it fails for a reason that has a remedy.
    """
    checkpoints = out / "checkpoints"
    found = last_checkpoint(checkpoints)
    if trainer.is_world_process_zero():
        remove_broken(checkpoints)
        keep_lines(out / "log.jsonl", step_of(found))
    trainer.accelerator.wait_for_everyone()
    try:
        trainer.train(resume_from_checkpoint=None if found is None else str(found))
    except NotWritten as error:
        raise not_saved(error, trainer.state.global_step, checkpoints) from error
    except torch.OutOfMemoryError as error:
        raise TrainingError(
            f"after step {trainer.state.global_step}: the device's memory is too small; {kept(checkpoints)}; lower "
            "sft.batch_size or sft.max_tokens, or take a recipe with LoRA or more devices"
        ) from error


def _finished(result: Path) -> SftResult:
    value = json.loads(result.read_text(encoding="utf-8"))
    return SftResult(**{**value, "model": result.parent / "model"})
