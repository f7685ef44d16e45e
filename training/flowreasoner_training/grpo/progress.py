"""How a step of the training is told in a line, the same in every command that trains."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flowreasoner_plugins.cli.wording import clock

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flowreasoner_training.grpo.log import GrpoEvent, StepEnded

__all__ = ["StepLines", "step_line"]


class StepLines:
    """An observer that tells a line on each step, and on each round of the first one, which may take long to end.

    Args:
        tell: Called with each line.
    """

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell, self._first = tell, True

    def __call__(self, event: GrpoEvent) -> None:
        """Takes in an event."""
        from flowreasoner_training.grpo.log import StepEnded

        if isinstance(event, StepEnded):
            self._tell(step_line(event))
            self._first = False
        elif self._first:
            self._tell(f"step {event.step}: round {event.round} of {event.rounds} is designed and run")


def step_line(event: StepEnded) -> str:
    """Returns a line on a finished step.

    Args:
        event: Its step, metrics, and times.

    Returns:
        Number, mean reward, per round mean score and share of valid workflows, time of the step and time left.
    """
    metrics = event.metrics
    score = _by_round(metrics, "score", lambda value: f"{value:.2f}")
    valid = _by_round(metrics, "valid", lambda value: f"{value:.0%}")
    left = f", about {clock(event.left)} left" if event.left >= 1 else ""
    return (
        f"step {event.step}/{event.steps}: mean reward {metrics.get('reward', float('nan')):.3f}; "
        f"by round: score {score}, valid {valid}; {clock(event.seconds)} a step{left}"
    )


def _by_round(metrics: Mapping[str, float], name: str, shown: Callable[[float], str]) -> str:
    """Returns a measure of all rounds in order; a dash stands for a round that no trajectory had room for."""
    rounds = [int(key.split("/")[0].removeprefix("round_")) for key in metrics if key.startswith("round_")]
    values = (metrics.get(f"round_{number}/{name}") for number in range(1, max(rounds, default=0) + 1))
    return " ".join("-" if value is None else shown(value) for value in values) or "-"
