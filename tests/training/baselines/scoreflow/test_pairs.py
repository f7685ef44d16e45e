import random
from collections import Counter

import pytest

from flowreasoner_training.baselines.scoreflow.pairs import draw_pairs, pairs_of
from flowreasoner_training.baselines.scoreflow.sampling import Candidate

CANDIDATES = [
    Candidate("a", 0.5, True),
    Candidate("b", 1.0, True),
    Candidate("c", 0.0, False),
    Candidate("d", 0.5, True),
]


def test_pairs_are_all_of_one_query_whose_scores_differ():
    found = pairs_of(7, CANDIDATES)
    assert {(pair.chosen, pair.rejected) for pair in found} == {
        ("b", "a"),
        ("b", "c"),
        ("b", "d"),
        ("a", "c"),
        ("d", "c"),
    }
    assert {pair.query for pair in found} == {7}
    assert all(pair.chosen_score > pair.rejected_score for pair in found)
    assert pairs_of(0, [Candidate("a", 0.5, True)] * 3) == []


@pytest.mark.parametrize(
    ("power", "shares"),
    [
        (3, {("b", "c"): 1 / 1.25, ("b", "a"): 0.125 / 1.25, ("a", "c"): 0.125 / 1.25}),  # 1, 0.5^3, 0.5^3
        (1, {("b", "c"): 1 / 2, ("b", "a"): 0.5 / 2, ("a", "c"): 0.5 / 2}),
    ],
)
def test_a_pair_is_drawn_in_proportion_to_the_power_of_its_gap(power, shares):
    pairs, count = pairs_of(0, CANDIDATES[:3]), 20_000
    drawn = Counter((pair.chosen, pair.rejected) for pair in draw_pairs(pairs, count, power, random.Random(0)))
    assert {key: number / count for key, number in drawn.items()} == pytest.approx(shares, abs=0.01)


def test_draws_are_the_seeds_and_there_may_be_nothing_to_draw():
    pairs = pairs_of(0, CANDIDATES)
    assert draw_pairs(pairs, 9, 3, random.Random(1)) == draw_pairs(pairs, 9, 3, random.Random(1))
    assert draw_pairs(pairs, 9, 3, random.Random(1)) != draw_pairs(pairs, 9, 3, random.Random(2))
    assert draw_pairs([], 9, 3, random.Random(1)) == []
