"""The archive of ADAS: every workflow found, with its fitness (Meta Agent Search)."""

from __future__ import annotations

import random
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flowreasoner.baselines.validation import Validated

__all__ = ["Entry", "Fitness", "best_of", "fitness_of"]

_RESAMPLES = 10_000


@dataclass(frozen=True, slots=True)
class Fitness:
    """The 95 % bootstrap interval of a mean score, and the median of the resamples' means.

    Attributes:
        low: Percentile 2.5.
        high: Percentile 97.5.
        median: Percentile 50.
    """

    low: float
    high: float
    median: float

    def __str__(self) -> str:
        return f"95% Bootstrap Confidence Interval: ({self.low:.1%}, {self.high:.1%}), Median: {self.median:.1%}"


def fitness_of(scores: Sequence[float], *, seed: int = 0, resamples: int = _RESAMPLES) -> Fitness:
    """Returns the fitness of a workflow by a percentile bootstrap over queries.

    Args:
        scores: One a query, in [0, 1].
        seed: Of the resampling; the same scores with the same seed have the same fitness.
        resamples: How many; published are 100 000, which say the same to a few tenths of a percent.
    """
    roll = random.Random(f"{seed}/fitness")  # noqa: S311 - reproducible on purpose
    means = sorted(statistics.fmean(roll.choices(scores, k=len(scores))) for _ in range(resamples))
    cuts = statistics.quantiles(means, n=40, method="inclusive")
    return Fitness(cuts[0], cuts[-1], cuts[19])


@dataclass(frozen=True)
class Entry:
    """A workflow of the archive.

    Attributes:
        validated: The workflow, scored.
        fitness: Its fitness.
        generation: That found it; 0 for those that the archive began with.
    """

    validated: Validated
    fitness: Fitness
    generation: int


def best_of(archive: Sequence[Entry]) -> Entry:
    """Returns the entry with the highest median, then the highest mean, then the earliest."""
    return max(archive, key=lambda entry: (entry.fitness.median, entry.validated.score))
