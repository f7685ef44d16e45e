"""Fine-tunes a tiny model, as a process of its own that can be killed: ``fine_tuning.py DATA MODEL OUT [--resume]``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from recipes import make_recipe

from flowreasoner_training.sft import train_sft

__all__ = ["fine_tune"]


def fine_tune(data: Path, model: Path, out: Path, *, resume: bool = False) -> Any:
    """Makes twelve steps, with a checkpoint after every third, and dropout, so that random states count."""
    recipe = make_recipe(sft={"epochs": 6.0, "save_steps": 3}, model={"lora": {"rank": 4, "alpha": 8, "dropout": 0.2}})
    return train_sft(recipe, data, out, model=model, resume=resume)


if __name__ == "__main__":
    fine_tune(*map(Path, sys.argv[1:4]), resume="--resume" in sys.argv)
