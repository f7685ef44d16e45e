"""Turns the outcomes of a cell into what a bench reports: shares with intervals, costs, and paired comparisons."""

from __future__ import annotations

from dataclasses import asdict
from itertools import combinations
from math import comb
from typing import TYPE_CHECKING, Any

import numpy as np

from flowreasoner.comparison.statistics import difference, matrix, mean

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flowreasoner.comparison import Outcome
    from flowreasoner.comparison.statistics import Difference, Estimate, Values
    from flowreasoner_plugins.bench.plan import Cell

__all__ = ["pass_at_k", "summarise"]

_SAME = 1e-9  # means of the same counts over more or fewer checkpoints differ in the last digits
_COSTS = ("rounds", "calls", "model_calls", "worker_tokens", "meta_tokens", "usd", "seconds")


def summarise(
    cell: Cell,
    outcomes: Sequence[Outcome],
    *,
    fitting: Mapping[str, Any] | None = None,
    simulated: Sequence[str] = (),
    notes: Sequence[str] = (),
) -> dict[str, Any]:
    """Summarises the complete outcomes of a cell.

    Args:
        cell: The benchmark and the worker.
        outcomes: Of every designer, at the same queries with the same seeds.
        fitting: What each fitting cost and came to, by method.
        simulated: Which of the models were simulated.
        notes: What else is to be said of the figures.

    Returns:
        A JSON object: ``designers`` with ``pass@1`` and its 95 % interval, costs per query, and shares; ``pairs``,
        each the difference of two designers' pass@1 on the same queries, with its interval, the two-sided p of a
        sign-flip test, and how many queries either solves more often; ``fitting`` as given, where anything was fitted,
        and ``fitted_on`` what. A method's checkpoints are averaged over, and its intervals drawn over them, too.
    """
    queries = list(dict.fromkeys(outcome.query for outcome in outcomes))
    by_designer: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        by_designer.setdefault(outcome.contender, []).append(outcome)
    passed = {name: matrix(own, "passed", queries) for name, own in by_designer.items()}
    fitted = {"fitting": dict(fitting), "fitted_on": [cell.fit_on, len(cell.training)]} if fitting else {}
    return {
        "benchmark": cell.benchmark,
        "worker": cell.worker,
        "simulated": list(simulated),
        "queries": len(queries),
        "attempts": len({outcome.seed for outcome in outcomes}),
        "not_run": dict(cell.not_run),
        "notes": list(notes),
        "designers": {name: _designer(own, queries) for name, own in by_designer.items()},
        "pairs": [
            {"first": first, "second": second}
            | _json(difference(passed[first], passed[second]))
            | {
                "only_first": _more_often(passed[first], passed[second]),
                "only_second": _more_often(passed[second], passed[first]),
            }
            for first, second in combinations(by_designer, 2)
        ],
        **fitted,
    }


def _more_often(first: Values, second: Values) -> int:
    """Returns how many queries the first solves more often, over all of its checkpoints."""
    return int((first.mean(0) > second.mean(0) + _SAME).sum())


def pass_at_k(attempts: int, right: int, k: int) -> float:
    """Returns the unbiased estimate of the chance that one of `k` attempts is right (Chen et al. 2021, Eq. 1).

    Args:
        attempts: How many were made, at least `k`.
        right: How many of them are right.
        k: How many are asked about.
    """
    return 1.0 - comb(attempts - right, k) / comb(attempts, k)


def _designer(outcomes: list[Outcome], queries: list[str]) -> dict[str, Any]:
    tries: dict[tuple[str, str], list[float]] = {}
    for outcome in outcomes:
        tries.setdefault((outcome.checkpoint, outcome.query), []).append(outcome.passed)
    count, most = len(outcomes), min(map(len, tries.values()))
    best = sum(pass_at_k(len(own), int(sum(own)), most) for own in tries.values()) / len(tries)
    return {
        "checkpoints": len({outcome.checkpoint for outcome in outcomes}),
        f"pass@{most}": {"value": best},
        "pass@1": _json(mean(matrix(outcomes, "passed", queries))),
        "hidden": _json(mean(matrix(outcomes, "hidden", queries))),
        "feedback": _json(mean(matrix(outcomes, "feedback", queries))),
        "per_query": {name: sum(getattr(item, name) for item in outcomes) / count for name in _COSTS},
        "unpriced_calls": sum(item.unpriced_calls for item in outcomes),
        "misled": sum(item.feedback >= 1 and not item.passed for item in outcomes) / count,
        "without_answer": sum(bool(item.error) for item in outcomes) / count,
        "leaky": sum(item.leaky for item in outcomes) / count,
    }


def _json(estimate: Estimate | Difference) -> dict[str, float | None]:
    return {name: None if np.isnan(value) else value for name, value in asdict(estimate).items()}
