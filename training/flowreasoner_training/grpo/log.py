"""The log of a training, ``log.jsonl``: one JSON object per step; and what observers are told."""

from __future__ import annotations

import json
import logging
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from transformers import TrainerCallback

from flowreasoner_training.files import guarded

if TYPE_CHECKING:
    from pathlib import Path

    from transformers import TrainerState

    from flowreasoner_training.grpo.hazards import HazardWatch

__all__ = ["GrpoEvent", "RoundMade", "StepEnded", "StepLog"]


@dataclass(frozen=True, slots=True)
class RoundMade:
    """All rollouts of a step have made a round.

    Attributes:
        step: Number of the step, 1-based.
        round: Number of the round, 1-based.
        rounds: How many there will be.
    """

    step: int
    round: int
    rounds: int


@dataclass(frozen=True, slots=True)
class StepEnded:
    """An optimizer step is done and logged.

    Attributes:
        step: Number of the step, 1-based.
        steps: How many there will be.
        metrics: What ``log.jsonl`` says of it.
        seconds: Wall-clock time of the step.
        left: Estimate of the time left, in seconds.
    """

    step: int
    steps: int
    metrics: Mapping[str, float]
    seconds: float
    left: float


GrpoEvent = RoundMade | StepEnded
Observer = Callable[[GrpoEvent], None]


class StepLog(TrainerCallback):
    """Writes a line per step, tells observers, and passes warnings on.

    Args:
        path: The log.
        watch: Looks for hazards.
        observers: Called with each event.
        epochs: Passes over the queries that the training makes.
    """

    def __init__(
        self, path: Path, watch: HazardWatch, observers: Sequence[Observer] = (), *, epochs: float = 1.0
    ) -> None:
        self._path, self._watch, self._observers, self._epochs = path, watch, tuple(observers), epochs
        self._started = self._begun = time.monotonic()
        self._first = 0

    def on_train_begin(self, args: Any, state: TrainerState, control: Any, **given: Any) -> None:  # noqa: ARG002
        """Starts the clock."""
        self._started = self._begun = time.monotonic()
        self._first = state.global_step

    def on_log(self, args: Any, state: TrainerState, control: Any, **given: Any) -> None:  # noqa: ARG002
        """Takes in the metrics of a step."""
        logs = given["logs"]
        if not state.is_world_process_zero or "loss" not in logs:
            return
        now = time.monotonic()
        seconds, self._begun = now - self._begun, now
        numbers = {name: float(value) for name, value in logs.items() if _is_number(value)}
        numbers["epoch"] = state.global_step / state.max_steps * self._epochs
        line = {"step": state.global_step, "seconds": round(seconds, 3), **numbers}
        with guarded(self._path), self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        made = state.global_step - self._first
        left = (now - self._started) / made * (state.max_steps - state.global_step)
        self.tell(StepEnded(state.global_step, state.max_steps, line, seconds, left))
        for warning in self._watch.see(numbers):
            logging.getLogger(__name__).warning("step %d: %s", state.global_step, warning)

    def tell(self, event: GrpoEvent) -> None:
        """Passes an event on to all observers."""
        for observer in self._observers:
            observer(event)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
