"""The folder of a fine-tuning: what it was begun with, and the model that it leaves."""

from __future__ import annotations

import hashlib
import json
import shutil
from typing import TYPE_CHECKING, Any

import torch

from flowreasoner.errors import TrainingError
from flowreasoner_training.checkpoints import drop_pickle
from flowreasoner_training.files import guarded, make_folder, write_atomically

if TYPE_CHECKING:
    from pathlib import Path

    from trl import SFTTrainer

    from flowreasoner_training.recipes.schema import Recipe

__all__ = ["begin", "check_begun", "decisive", "save"]

_SETTINGS = "settings.json"


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
    file = out / _SETTINGS
    if not file.exists():
        return
    if not resume:
        raise TrainingError(f"{str(out)!r} holds a training already: pass --resume to go on, or another folder")
    begun = json.loads(file.read_text(encoding="utf-8"))
    for name in sorted(begun.keys() | settings.keys()):
        if begun.get(name) != settings.get(name):
            raise TrainingError(
                f"the training in {str(out)!r} was begun with {name} {begun.get(name)!r}, not {settings.get(name)!r}; "
                "give the same to go on with it, or another folder"
            )


def begin(out: Path, settings: dict[str, Any]) -> None:
    """Makes the folder, and writes down what the training is begun with.

    Raises:
        TrainingError: If it cannot be written.
    """
    make_folder(out)
    write_atomically(out / _SETTINGS, [json.dumps(settings, indent=2) + "\n"])


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
