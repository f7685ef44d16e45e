"""What a fitting keeps: the controller, its optimizer's state and the progress, in one file that is always whole."""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import safetensors.torch
from safetensors import SafetensorError, safe_open

from flowreasoner.budget import Spending
from flowreasoner.errors import StoreError, TrainingError
from flowreasoner_training.begun import begin, check_same
from flowreasoner_training.files import guarded

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from torch.optim import Optimizer

    from flowreasoner_training.baselines.maas.controller import Controller

__all__ = ["Progress", "begin_in", "load", "save"]

_FILE = "controller.safetensors"
_ADAM = "adam"


@dataclass
class Progress:
    """How far a fitting is.

    Attributes:
        spent: By all sessions.
        seconds: Of all sessions.
        batches: What each finished batch came to: means of score, cost and utility.
    """

    spent: Spending = field(default_factory=Spending)
    seconds: float = 0.0
    batches: list[dict[str, float]] = field(default_factory=list)


def begin_in(folder: Path, settings: Mapping[str, Any]) -> None:
    """Writes down what a fitting is begun with, or compares it with what the folder's was begun with.

    Raises:
        StoreError: If the folder cannot be written, or holds another fitting.
    """
    with _stored():
        check_same(folder, settings)
        begin(folder, settings)


def save(folder: Path, controller: Controller, optimizer: Optimizer, progress: Progress) -> None:
    """Writes the state, in the place of the one before.

    Raises:
        StoreError: If it cannot be written; the one before then stays.
    """
    tensors = dict(controller.state_dict())
    for name, parameter in controller.named_parameters():
        for key, value in optimizer.state.get(parameter, {}).items():
            tensors[f"{_ADAM}.{key}.{name}"] = value
    told = {"spent": progress.spent.to_json(), "seconds": progress.seconds, "batches": progress.batches}
    content = safetensors.torch.save(tensors, {"progress": json.dumps(told)})
    partial = folder / f"{_FILE}.part"
    with _stored(), guarded(folder / _FILE):
        with partial.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(folder / _FILE)


def load(folder: Path, controller: Controller, optimizer: Optimizer) -> Progress:
    """Reads the state into controller and optimizer; leaves them as they are where none was kept.

    Raises:
        StoreError: If the file is damaged.
    """
    path = folder / _FILE
    if not path.exists():
        return Progress()
    try:
        with safe_open(path, "pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no dictionary
            told = json.loads(file.metadata()["progress"])
        state = {name: tensors.pop(name) for name in list(tensors) if name.startswith(f"{_ADAM}.")}
        controller.load_state_dict(tensors)
        parameters = dict(controller.named_parameters())
        for name, value in state.items():
            _, key, owner = name.split(".", 2)
            optimizer.state[parameters[owner]][key] = value
        return Progress(Spending.from_json(told["spent"]), told["seconds"], told["batches"])
    except (SafetensorError, OSError, ValueError, TypeError, KeyError, RuntimeError) as error:
        raise StoreError(f"{str(path)!r} is damaged ({error}); remove it to fit anew") from error


@contextmanager
def _stored() -> Iterator[None]:
    """Gives what cannot be kept the name that all fittings have for it."""
    try:
        yield
    except TrainingError as error:
        raise StoreError(str(error)) from error
    except ValueError as error:
        raise StoreError(f"the settings of the fitting are damaged ({error}); choose another folder") from error
