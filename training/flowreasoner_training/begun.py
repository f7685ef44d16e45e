"""What a training was begun with, kept in its folder, so that only the same training goes on there."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from flowreasoner.errors import TrainingError
from flowreasoner_training.files import make_folder, write_atomically

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["begin", "check_same", "is_begun"]

_SETTINGS = "settings.json"


def begin(out: Path, settings: Mapping[str, Any]) -> None:
    """Makes the folder, and writes down what the training is begun with.

    Raises:
        TrainingError: If it cannot be written.
    """
    make_folder(out)
    write_atomically(out / _SETTINGS, [json.dumps(settings, indent=2) + "\n"])


def is_begun(out: Path) -> bool:
    """Tells whether a folder holds a training."""
    return (out / _SETTINGS).exists()


def check_same(out: Path, settings: Mapping[str, Any]) -> None:
    """Compares what a folder's training was begun with, if there is one, with what is asked for.

    Raises:
        TrainingError: If they differ; the message names the first setting that does.
    """
    if not is_begun(out):
        return
    begun = json.loads((out / _SETTINGS).read_text(encoding="utf-8"))
    asked = json.loads(json.dumps(settings))
    for name in sorted(begun.keys() | asked.keys()):
        if begun.get(name) != asked.get(name):
            raise TrainingError(
                f"the training in {str(out)!r} was begun with {name} {begun.get(name)!r}, not {asked.get(name)!r}; "
                "give the same to go on with it, or another folder"
            )
