"""Ways in which a training goes wrong, noticed from the log while it goes on: nothing valid, and two of Eq. 4."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flowreasoner_training.recipes.schema import GrpoSettings

__all__ = ["HazardWatch"]

_WINDOW = 10
_DRIFT = 0.5
_LOST_VALIDITY = 0.15
_BARREN = 3


class HazardWatch:
    """Warns, once each: nothing is valid, advantages drift away from zero, early rounds stop being valid.

    For the last two, means over ten steps are looked at, as single steps are noisy.

    Args:
        settings: The reading of Eq. 4 in use.
    """

    def __init__(self, settings: GrpoSettings) -> None:
        self._settings = settings
        self._drift: deque[tuple[float, float]] = deque(maxlen=_WINDOW)
        self._valid: dict[int, list[float]] = {}
        self._barren = 0
        self._warned: set[str] = set()

    def see(self, metrics: Mapping[str, float]) -> list[str]:
        """Takes in a step's metrics, and returns what has to be said for the first time."""
        found = {
            "barren": self._without_any(metrics),
            "drift": self._drifting(metrics),
            "validity": self._collapsing(metrics),
        }
        new = {kind: text for kind, text in found.items() if text and kind not in self._warned}
        self._warned |= new.keys()
        return list(new.values())

    def _without_any(self, metrics: Mapping[str, float]) -> str:
        """Counts the steps in a row without a valid workflow, from which nothing can be learned."""
        self._barren = self._barren + 1 if metrics.get("valid") == 0 else 0
        if self._barren < _BARREN:
            return ""
        return (
            f"no workflow was valid in {_BARREN} steps: GRPO strengthens what a model does at times, and this one does "
            "not write the language; fine-tune it first, or longer (sft.epochs), and see that --model is that model"
        )

    def _drifting(self, metrics: Mapping[str, float]) -> str:
        settings = self._settings
        if settings.center != "none" or settings.advantage != "rounds":
            return ""
        self._drift.append((metrics.get("advantage_mean", 0.0), metrics.get("advantage_std", 0.0)))
        mean, spread = (sum(values) / len(self._drift) for values in zip(*self._drift, strict=True))
        if len(self._drift) < _WINDOW or mean <= _DRIFT * spread:
            return ""
        return (
            f"the mean advantage was {mean:.2f} over the last {_WINDOW} steps, at a spread of {spread:.2f}: Eq. 4 is "
            "not centred, and rewards that rise over the rounds make most tokens look good, whatever they say; "
            "set grpo.center: round to subtract each round's mean"
        )

    def _collapsing(self, metrics: Mapping[str, float]) -> str:
        """Compares validity now with validity in the first steps, in the rounds that Eq. 4 leaves out."""
        for number in range(1, self._settings.excluded_rounds + 1):
            share = metrics.get(f"round_{number}/valid")
            if share is None:
                continue
            seen = self._valid.setdefault(number, [])
            seen.append(share)
            first, last = (sum(part) / len(part) for part in (seen[:_WINDOW], seen[-_WINDOW:]))
            if len(seen) >= 2 * _WINDOW and last < first - _LOST_VALIDITY:
                return (
                    f"in round {number}, {last:.0%} of the workflows are valid, and {first:.0%} were at first: rounds "
                    f"up to {self._settings.excluded_rounds} are left out of Eq. 4, so that nothing holds them; "
                    + self._remedy()
                )
        return ""

    def _remedy(self) -> str:
        if not self._settings.count_invalid:
            return "set grpo.count_invalid: true"
        return f"raise grpo.beta above {self._settings.beta:g}, or lower grpo.excluded_rounds or grpo.learning_rate"
