"""Means with intervals, paired differences and slopes over queries, by a seeded bootstrap.

Values come as a matrix, a row per checkpoint (training seed) and a column per query, each the mean over the
attempts' seeds; NaN where there is no value. The bootstrap draws queries, and checkpoints where there are several,
with replacement: what it says is about other queries of the kind and other training seeds. Few checkpoints say
little about training seeds, which no bootstrap can mend.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from flowreasoner.comparison.outcomes import Outcome

__all__ = ["Difference", "Estimate", "Values", "difference", "matrix", "mean", "slope"]

Values = npt.NDArray[np.float64]
"""A matrix (checkpoints, queries)."""

RESAMPLES = 10_000
LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Difference:
    """A paired difference: the mean with its 95 % interval, and the two-sided p of a sign-flip test over queries."""

    value: float
    low: float
    high: float
    p: float


def matrix(outcomes: Iterable[Outcome], measure: str, queries: Sequence[str]) -> Values:
    """Returns a measure of one contender's outcomes as (checkpoints, queries), averaged over seeds.

    Args:
        outcomes: Those of one contender.
        measure: Name of a number of theirs, e.g. ``passed``.
        queries: Ids, one for each column.

    Returns:
        The matrix, NaN where no seed has a value. With ``passed`` its mean is the unbiased estimate of pass@1.
    """
    cells: dict[tuple[str, str], list[float]] = {}
    rows: dict[str, int] = {}
    for outcome in outcomes:
        rows.setdefault(outcome.checkpoint, len(rows))
        value = getattr(outcome, measure)
        if value is not None:
            cells.setdefault((outcome.checkpoint, outcome.query), []).append(value)
    columns = {query: place for place, query in enumerate(queries)}
    made = np.full((len(rows), len(queries)), np.nan)
    for (checkpoint, query), found in cells.items():
        made[rows[checkpoint], columns[query]] = sum(found) / len(found)
    return made


def mean(values: Values, *, seed: int = 0) -> Estimate:
    """Returns the mean over checkpoints and queries."""
    checkpoints, queries = _weights(seed, *values.shape)
    return _estimate(_mean(values, *_even(*values.shape))[0], _mean(values, checkpoints, queries))


def difference(first: Values, second: Values, *, seed: int = 0) -> Difference:
    """Returns how much larger the first mean is than the second, on the same queries.

    Args:
        first: (checkpoints, queries).
        second: Likewise. With as many checkpoints as `first`, rows in the same place belong together.
        seed: Seed of the draws.
    """
    checkpoints, queries = _weights(seed, *first.shape)
    others = checkpoints if len(second) == len(first) else _weights(seed + 1, *second.shape)[0]
    drawn = _mean(first, checkpoints, queries) - _mean(second, others, queries)
    value = _mean(first, *_even(*first.shape))[0] - _mean(second, *_even(*second.shape))[0]
    estimate = _estimate(value, drawn)
    per_query = _column_means(first, np.ones((1, len(first))))[0] - _column_means(second, np.ones((1, len(second))))[0]
    return Difference(estimate.value, estimate.low, estimate.high, _sign_flip(per_query, seed))


def slope(values: Values, depths: npt.ArrayLike, *, seed: int = 0) -> Estimate:
    """Returns by how much values rise per step of depth (least squares).

    Args:
        values: (checkpoints, queries).
        depths: (queries,), at least two different ones.
        seed: Seed of the draws.
    """
    checkpoints, queries = _weights(seed, *values.shape)
    x = np.asarray(depths, dtype=np.float64)
    return _estimate(_slopes(values, x, *_even(*values.shape))[0], _slopes(values, x, checkpoints, queries))


@lru_cache(maxsize=4)
def _weights(seed: int, checkpoints: int, queries: int) -> tuple[Values, Values]:
    """Returns how often each resample draws each checkpoint and each query: (resamples, n) each."""
    random = np.random.default_rng(seed)
    drawn = [random.multinomial(size, np.full(size, 1 / size), RESAMPLES) for size in (checkpoints, queries)]
    return drawn[0].astype(np.float64), drawn[1].astype(np.float64)


def _even(checkpoints: int, queries: int) -> tuple[Values, Values]:
    """Returns the weights of the sample itself."""
    return np.ones((1, checkpoints)), np.ones((1, queries))


def _column_means(values: Values, checkpoints: Values) -> Values:
    """Returns each query's mean over weighted checkpoints, (resamples, queries); NaN where there is none."""
    there = np.isfinite(values)
    weights = checkpoints @ there.astype(np.float64)
    sums = checkpoints @ np.where(there, values, 0.0)
    return np.divide(sums, weights, out=np.full_like(sums, np.nan), where=weights > 0)


def _mean(values: Values, checkpoints: Values, queries: Values) -> Values:
    """Returns the weighted mean of each resample, (resamples,)."""
    columns = _column_means(values, checkpoints)
    weights = np.where(np.isfinite(columns), queries, 0.0)
    return _ratio((weights * np.nan_to_num(columns)).sum(1), weights.sum(1))


def _slopes(values: Values, x: Values, checkpoints: Values, queries: Values) -> Values:
    columns = _column_means(values, checkpoints)
    weights = np.where(np.isfinite(columns), queries, 0.0)
    y, total = np.nan_to_num(columns), weights.sum(1)
    x_off = x - _ratio((weights * x).sum(1), total)[:, None]
    return _ratio((weights * x_off * y).sum(1), (weights * x_off**2).sum(1))


def _ratio(above: Values, below: Values) -> Values:
    return np.divide(above, below, out=np.full_like(above, np.nan), where=below > 0)


def _estimate(value: float, drawn: Values) -> Estimate:
    drawn = drawn[np.isfinite(drawn)]
    if not drawn.size:
        return Estimate(float("nan"), float("nan"), float("nan"))
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Estimate(float(value), float(low), float(high))


def _sign_flip(differences: Values, seed: int) -> float:
    """Returns how often random signs give a sum of differences at least as far from 0, the sample's own included."""
    differences = differences[np.isfinite(differences)]
    signs = np.random.default_rng(seed).choice([-1.0, 1.0], (RESAMPLES, differences.size))
    extreme = np.abs(signs @ differences) >= abs(differences.sum()) - 1e-12
    return float((1 + extreme.sum()) / (1 + RESAMPLES))
