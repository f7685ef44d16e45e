"""A small recipe for tests of the training: the demo benchmark, simulated models, and any setting changed."""

from __future__ import annotations

from typing import Any

from flowreasoner_training.recipes.schema import Recipe

__all__ = ["make_recipe"]


def make_recipe(**changes: Any) -> Recipe:
    """Returns a recipe; ``distill={"rounds": 2}`` changes single settings of a section."""
    sections: dict[str, Any] = {
        "name": "test",
        "description": "for tests",
        "model": {"name": "no-model", "dtype": "float32", "gradient_checkpointing": False},
        "queries": {"benchmark": "demo"},
        "worker": {"model": "sim:?skill=0.6", "evaluations": 2},
        "distill": {"teacher": "sim:", "rounds": 3, "min_score": 0.0},
        "sft": {"learning_rate": 1e-2, "epochs": 2.0, "save_steps": 2},
        "hardware": {"device": "cpu", "gpus": 0},
    }
    for name, value in changes.items():
        sections[name] = {**sections[name], **value} if isinstance(sections.get(name), dict) else value
    return Recipe.model_validate(sections)
