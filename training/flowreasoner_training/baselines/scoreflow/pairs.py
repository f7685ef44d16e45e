"""Preference pairs of workflows, drawn the more often the further their scores are apart (ScoreFlow, Score-DPO)."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

    from flowreasoner_training.baselines.scoreflow.sampling import Candidate

__all__ = ["Pair", "draw_pairs", "pairs_of"]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two replies to one query, the first of which scored higher.

    Attributes:
        query: Index of the query.
        chosen: The reply with the higher score.
        rejected: The other.
        chosen_score: s_w, from 0 to 1.
        rejected_score: s_l, from 0 to 1, below s_w.
    """

    query: int
    chosen: str
    rejected: str
    chosen_score: float
    rejected_score: float


def pairs_of(query: int, candidates: Sequence[Candidate]) -> list[Pair]:
    """Returns all pairs of a query's candidates whose scores differ."""
    return [
        Pair(query, better.reply, worse.reply, better.score, worse.score)
        for better, worse in itertools.permutations(candidates, 2)
        if better.score > worse.score
    ]


def draw_pairs(pairs: Sequence[Pair], count: int, power: float, source: random.Random) -> list[Pair]:
    """Draws pairs with replacement, each with a probability in proportion to ``d(s_w, s_l) = (s_w - s_l)**power``.

    Args:
        pairs: Of all queries.
        count: How many to draw; none are where there are no pairs.
        power: 3 as published.
        source: Of the draws.
    """
    if not pairs:
        return []
    return source.choices(pairs, [(pair.chosen_score - pair.rejected_score) ** power for pair in pairs], k=count)
