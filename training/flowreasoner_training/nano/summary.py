"""Turns outcomes into what the results file says: means, paired differences, and how workflows follow the depth."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from flowreasoner.comparison.statistics import difference, matrix, mean, slope
from flowreasoner.errors import QueryError
from flowreasoner_training.nano.contenders import TITLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from flowreasoner.comparison import Outcome
    from flowreasoner.comparison.statistics import Difference, Estimate, Values

__all__ = ["LINKS", "MEASURES", "summarise"]

MEASURES = (
    "passed",
    "once",
    "hidden",
    "feedback",
    "reward",
    "first_reward",
    "rounds",
    "calls",
    "run_calls",
    "run_asks",
    "complexity",
    "worker_tokens",
    "meta_tokens",
)
"""Numbers of an `Outcome` that are averaged where there are any."""

LINKS = (
    ("grpo", "sft"),
    ("sft", "fixed"),
    ("fixed", "worker"),
    ("grpo", "outcome"),
    ("sft", "fixed-repeated"),
    ("grpo", "fixed-repeated"),
)
"""Pairs that are compared; the first is expected to be the better one."""

COMPARED = ("passed", "once", "reward")
BY_DEPTH = ("passed", "rounds", "run_calls", "run_asks", "complexity")
_MOST_SHAPES = 3


def summarise(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Summarises complete outcomes of several contenders.

    Args:
        outcomes: Of every contender, with each of its checkpoints, at the same queries with the same seeds.

    Returns:
        A JSON object: ``queries``, ``seeds``, ``contenders`` with their means, ``differences`` between them.

    Raises:
        QueryError: If some outcomes are missing, so that contenders would be compared on different queries.
    """
    queries = {outcome.query: outcome.depth for outcome in outcomes}
    seeds = {outcome.seed for outcome in outcomes}
    by_contender: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        by_contender.setdefault(outcome.contender, []).append(outcome)
    for name, own in by_contender.items():
        checkpoints = {outcome.checkpoint for outcome in own}
        if len({outcome.key for outcome in own}) != len(checkpoints) * len(queries) * len(seeds):
            raise QueryError(f"outcomes of {name!r} are missing; run the evaluation to its end first")
    order = [name for name in dict.fromkeys([*TITLES, *by_contender]) if name in by_contender]
    values = {
        name: {measure: matrix(by_contender[name], measure, list(queries)) for measure in MEASURES} for name in order
    }
    depths = list(queries.values())
    return {
        "queries": len(queries),
        "depths": {str(depth): count for depth, count in sorted(Counter(filter(None, depths)).items())},
        "seeds": len(seeds),
        "contenders": {name: _contender(by_contender[name], values[name], depths) for name in order},
        "differences": [
            {"first": first, "second": second, "measure": measure}
            | _rounded(difference(values[first][measure], values[second][measure]))
            for first, second in LINKS
            if first in values and second in values
            for measure in COMPARED
        ],
    }


def _contender(outcomes: list[Outcome], values: dict[str, Values], depths: list[int | None]) -> dict[str, Any]:
    checkpoints = list(dict.fromkeys(outcome.checkpoint for outcome in outcomes))
    summary: dict[str, Any] = {
        "checkpoints": {
            label: {measure: round(float(np.nanmean(values[measure][row])), 4) for measure in COMPARED}
            for row, label in enumerate(checkpoints)
        },
        "without_answer": sum(bool(outcome.error) for outcome in outcomes) / len(outcomes),
        "measures": {measure: _rounded(mean(matrix)) for measure, matrix in values.items()},
    }
    known = sorted({depth for depth in depths if depth is not None})
    if len(known) > 1 and None not in depths:
        places = {depth: [place for place, own in enumerate(depths) if own == depth] for depth in known}
        summary["depths"] = {
            str(depth): {measure: _rounded(mean(values[measure][:, places[depth]])) for measure in BY_DEPTH}
            | {"workflows": _shapes(outcome for outcome in outcomes if outcome.depth == depth)}
            for depth in known
        }
        numbers = [depth for depth in depths if depth is not None]
        summary["slopes"] = {measure: _rounded(slope(values[measure], numbers)) for measure in BY_DEPTH}
    return summary


def _shapes(outcomes: Iterable[Outcome]) -> dict[str, float]:
    """Returns the commonest workflows, as their operators in order, with their share among those that answered."""
    shapes = Counter(", ".join(outcome.operators) for outcome in outcomes if outcome.operators)
    return {shape: round(count / shapes.total(), 4) for shape, count in shapes.most_common(_MOST_SHAPES)}


def _rounded(estimate: Estimate | Difference) -> dict[str, float | None]:
    """Returns an estimate as JSON, in digits that a page can show, without -0; None for what is not a number."""
    return {name: None if np.isnan(value) else round(value, 4) + 0.0 for name, value in asdict(estimate).items()}
