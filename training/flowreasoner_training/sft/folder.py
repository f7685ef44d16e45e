"""The folder of a fine-tuning: what decides its outcome, and the model that it leaves."""

from __future__ import annotations

import hashlib
import shutil
from typing import TYPE_CHECKING, Any

import torch

from flowreasoner.errors import TrainingError
from flowreasoner_training.begun import check_same, is_begun
from flowreasoner_training.checkpoints import drop_pickle
from flowreasoner_training.files import guarded

if TYPE_CHECKING:
    from pathlib import Path

    from trl import SFTTrainer

    from flowreasoner_training.recipes.schema import Recipe

__all__ = ["check_begun", "decisive", "save"]


def decisive(recipe: Recipe, data: Path, base: str) -> dict[str, Any]:
    """Returns what decides the outcome of a training."""
    try:
        digest = hashlib.sha256(data.read_bytes()).hexdigest()
    except OSError as error:
        raise TrainingError(
            f"cannot read trajectories from {str(data)!r}: {error.strerror}; `flowreasoner distill` makes such a file"
        ) from None
    sections = recipe.model_dump(mode="json", include={"model", "sft", "seed"})
    return {"base": base, "data": digest, **sections["model"], **sections["sft"], "seed": recipe.seed}


def check_begun(out: Path, settings: dict[str, Any], *, resume: bool) -> None:
    """Compares a folder with what is asked for, before anything is loaded.

    Raises:
        TrainingError: If it holds another training, or this one and `resume` is not given.
    """
    if not resume and is_begun(out):
        raise TrainingError(f"{str(out)!r} holds a training already: pass --resume to go on, or another folder")
    check_same(out, settings)


def save(trainer: SFTTrainer, recipe: Recipe, tokenizer: Any, out: Path) -> None:
    """Saves model and tokenizer, the latter with the template that keeps earlier thoughts.

    With an adapter, the model is loaded anew and merged, as weights in 4 bits cannot be.
    """
    target, partial = out / "model", out / "model.part"
    with guarded(target):
        if recipe.model.lora is None:
            trainer.save_model(str(partial))
        else:
            trainer.save_model(str(out / "adapter"))
            drop_pickle(out / "adapter")
        if trainer.is_world_process_zero():
            if recipe.model.lora is not None:
                _merge(out / "adapter", partial, recipe.model.dtype)
            tokenizer.save_pretrained(partial)
            drop_pickle(partial)
            shutil.rmtree(target, ignore_errors=True)
            partial.replace(target)


def _merge(adapter: Path, target: Path, dtype: str) -> None:
    from peft import AutoPeftModelForCausalLM

    model = AutoPeftModelForCausalLM.from_pretrained(adapter, dtype=getattr(torch, dtype), device_map="cpu")
    model.merge_and_unload().save_pretrained(target)
