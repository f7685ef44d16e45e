"""What rounds teach: AFlow's choice of the round to build on, its experience, and its test of convergence."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable, Mapping, Sequence

    from flowreasoner_adapters.aflow.reading import Experience

__all__ = ["choose_father", "converged", "father_probabilities", "processed_experience", "told"]


def father_probabilities(scores: Sequence[float], *, alpha: float = 0.2, uniform: float = 0.3) -> list[float]:
    """Returns AFlow's mixed probabilities: a uniform share, and a softmax of the scores in per cent.

    Args:
        scores: In [0, 1].
        alpha: Weight of a point of score.
        uniform: Share that is spread evenly.
    """
    best = max(scores)
    weights = [math.exp(alpha * 100 * (score - best)) for score in scores]
    return [uniform / len(scores) + (1 - uniform) * weight / sum(weights) for weight in weights]


def choose_father(scores: Mapping[int, float], sample: int, source: random.Random) -> int:
    """Draws the round to build on: from the first and the best ones, `sample` in all.

    Args:
        scores: Mean score by round.
        sample: How many rounds to choose among.
        source: Seeded randomness.
    """
    best = sorted(scores, key=lambda number: (-scores[number], number))
    first = [number for number in best if number == 1]
    candidates = first + [number for number in best if number != 1][: max(0, sample - len(first))]
    candidates = candidates or best[:1]
    return source.choices(candidates, father_probabilities([scores[number] for number in candidates]))[0]


def processed_experience(experiences: Mapping[int, Experience]) -> dict[int, dict[str, Any]]:
    """Returns AFlow's summary: by round, its score, and the changes of it that helped and that did not."""
    summary: dict[int, dict[str, Any]] = {}
    for number, item in sorted(experiences.items()):
        if item.after is None:
            continue
        father = summary.setdefault(item.father, {"score": item.before, "success": {}, "failure": {}})
        kind = "success" if item.succeed else "failure"
        father[kind][number] = {"modification": item.modification, "score": item.after}
    return summary


def told(summary: Mapping[int, Mapping[str, Any]], father: int) -> str:
    """Returns the experience with a round as the meta-agent reads it: what helped is no mistake to avoid."""
    known = summary.get(father)
    if not known:
        return "Nothing was tried on it before."
    lines = [
        f"- helped (score {item['score']:.4f}): {item['modification']}" for item in known.get("success", {}).values()
    ]
    lines += [
        f"- did not help (score {item['score']:.4f}): {item['modification']}"
        for item in known.get("failure", {}).values()
    ]
    return "\n".join(lines)


def converged(scores: Iterable[Sequence[float]], *, top: int = 3, z: float = 0.0, rounds: int = 5) -> bool:
    """Tells, as AFlow does, whether the mean of the best rounds has stopped moving.

    Args:
        scores: Each round's scores, in the order of rounds.
        top: How many of the best rounds are looked at.
        z: Change that counts as none, in standard errors.
        rounds: How many rounds in a row must show none.
    """
    means = [(sum(item) / len(item), _deviation(item)) for item in scores]
    if len(means) < top + 1:
        return False
    still, before = 0, None
    for end in range(1, len(means) + 1):
        best = sorted(means[:end], reverse=True)[:top]
        now = sum(mean for mean, _ in best) / len(best), math.sqrt(sum(dev**2 for _, dev in best)) / top
        if before is not None:
            same = abs(now[0] - before[0]) <= z * math.hypot(now[1], before[1])
            still = still + 1 if same else 0
            if still >= rounds:
                return True
        before = now
    return False


def _deviation(scores: Sequence[float]) -> float:
    mean = sum(scores) / len(scores)
    return math.sqrt(sum((score - mean) ** 2 for score in scores) / len(scores))
