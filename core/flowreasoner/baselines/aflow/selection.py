"""AFlow's tree of rounds: the soft mixed probability selection of a parent, and the test of convergence."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

    from flowreasoner.baselines.validation import Validated

__all__ = ["Node", "candidates", "converged", "probabilities", "select_parent"]

_UNIFORM = 0.3
_ALPHA = 0.2
_TOP = 3
_UNCHANGED = 5


@dataclass(frozen=True)
class Node:
    """A round that gave a workflow.

    Attributes:
        number: Of the round, 1-based.
        validated: Its workflow, scored.
        parent: The round that it was made from; None for the first.
    """

    number: int
    validated: Validated
    parent: Node | None = None

    @property
    def score(self) -> float:
        """Mean score on the validation queries, in [0, 1]."""
        return self.validated.score


def candidates(nodes: Sequence[Node], sample: int) -> list[Node]:
    """Returns the rounds that may be changed next: the first, and the best of the others.

    Args:
        nodes: All rounds, the first one first.
        sample: How many at most.
    """
    first, *others = nodes
    return [first, *sorted(others, key=lambda node: -node.score)[: max(0, sample - 1)]]


def probabilities(scores: Sequence[float]) -> list[float]:
    """Returns with what probability each candidate is chosen.

    A mixture: 0.3 uniform, 0.7 a softmax of the scores in percent with alpha 0.2, the numbers of the repository.

    Args:
        scores: In [0, 1].
    """
    best = max(scores)
    weights = [math.exp(_ALPHA * 100 * (score - best)) for score in scores]
    total = sum(weights)
    return [_UNIFORM / len(scores) + (1 - _UNIFORM) * weight / total for weight in weights]


def select_parent(nodes: Sequence[Node], sample: int, roll: random.Random) -> Node:
    """Draws the round that is changed next."""
    among = candidates(nodes, sample)
    return roll.choices(among, probabilities([node.score for node in among]))[0]


def converged(scores: Sequence[float]) -> bool:
    """Tells whether the mean of the three best scores has not moved for five rounds.

    So is the published test with its z of 0, under which no change counts as noise.

    Args:
        scores: Of all rounds that gave a workflow, in their order.
    """
    before, unchanged = math.nan, 0
    for count in range(1, len(scores) + 1):
        best = sorted(scores[:count], reverse=True)[:_TOP]
        mean = sum(best) / len(best)
        unchanged = unchanged + 1 if mean == before else 0
        before = mean
    return unchanged >= _UNCHANGED
