"""Watches a training: a log line per step, progress, and an end as soon as the loss is no number."""

from __future__ import annotations

import json
import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from transformers import TrainerCallback

from flowreasoner.errors import TrainingError
from flowreasoner_training.checkpoints import last_checkpoint
from flowreasoner_training.files import guarded

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

__all__ = ["SftProgress", "StepLog", "last_loss"]

_LOGGED = {
    "loss": "loss",
    "grad_norm": "grad_norm",
    "learning_rate": "learning_rate",
    "epoch": "epoch",
    "mean_token_accuracy": "token_accuracy",
    "entropy": "entropy",
}


@dataclass(frozen=True)
class SftProgress:
    """An optimizer step is done.

    Attributes:
        step: Its number, 1-based.
        steps: How many there will be.
        loss: Mean negative log-likelihood of the learned tokens of the step, in nats.
        seconds_left: Estimate of the time left, in seconds.
    """

    step: int
    steps: int
    loss: float
    seconds_left: float


class StepLog(TrainerCallback):
    """Writes a line per step, reports it, and ends the training when its loss or gradient is no number.

    It comes before the step is saved: no checkpoint ever holds weights that are none.

    Args:
        path: The log.
        checkpoints: Folder of the checkpoints, for the message.
        report: Called after each step.
    """

    def __init__(self, path: Path, checkpoints: Path, report: Callable[[SftProgress], None]) -> None:
        self._path, self._checkpoints, self._report = path, checkpoints, report
        self._started, self._first = time.monotonic(), 0

    def on_train_begin(self, args: Any, state: Any, *_: Any, **__: Any) -> None:
        """Starts the clock."""
        del args
        self._started, self._first = time.monotonic(), state.global_step

    def on_log(self, args: Any, state: Any, *_: Any, logs: Mapping[str, Any] | None = None, **__: Any) -> None:
        """Takes in the metrics of a step."""
        if logs is None or "loss" not in logs:
            return
        line = {"step": state.global_step, **{to: float(logs[name]) for name, to in _LOGGED.items() if name in logs}}
        for name in ("loss", "grad_norm"):
            if not math.isfinite(line.get(name, 0.0)):
                raise TrainingError(self._not_finite(state.global_step, name, line[name], args.learning_rate))
        if not state.is_world_process_zero:
            return
        with guarded(self._path), self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        made = state.global_step - self._first
        left = (time.monotonic() - self._started) / made * (state.max_steps - state.global_step)
        self._report(SftProgress(state.global_step, state.max_steps, line["loss"], left))

    def _not_finite(self, step: int, name: str, value: float, rate: float) -> str:
        good = last_checkpoint(self._checkpoints)
        kept = "no checkpoint was written yet" if good is None else f"the last good checkpoint is {str(good)!r}"
        return f"step {step}: the {name} is {value}; {kept}; train with a lower sft.learning_rate than {rate:g}" + (
            "" if good is None else f", from there: --model {good} --out ANOTHER"
        )


def last_loss(path: Path) -> float:
    """Returns the loss of the last step in a log."""
    return float(json.loads(path.read_text(encoding="utf-8").splitlines()[-1])["loss"])
