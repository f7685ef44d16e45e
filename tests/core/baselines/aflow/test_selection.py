import random
from collections import Counter

import pytest
from arenas import ONE

from flowreasoner.baselines.aflow.selection import Node, candidates, converged, probabilities, select_parent
from flowreasoner.baselines.validation import Validated
from flowreasoner.feedback import Evaluation, Feedback


def nodes(*scores):
    validated = [Validated(ONE, "m", "r", {"q": Feedback((Evaluation("a", score),))}) for score in scores]
    return [Node(number, item) for number, item in enumerate(validated, 1)]


def test_the_candidates_are_the_first_round_and_the_best_of_the_others():
    tree = nodes(0.2, 0.5, 0.9, 0.7, 0.1, 0.9)
    assert [node.number for node in candidates(tree, 4)] == [1, 3, 6, 4]
    assert [node.number for node in candidates(tree, 1)] == [1]
    assert [node.number for node in candidates(tree[:2], 4)] == [1, 2]


def test_probabilities_by_hand():
    # exp(0.2 * (100 s - 90)) = 1, e^-1, e^-2, e^-8, which sum to 1.503550; then 0.3 / 4 + 0.7 * weight / 1.503550
    found = probabilities([0.9, 0.85, 0.8, 0.5])
    assert found == pytest.approx([0.540565, 0.246272, 0.138007, 0.075156], abs=1e-6)


@pytest.mark.parametrize("scores", [[0.0], [0.3, 0.3, 0.3], [1.0, 0.0], [0.0, 0.0]])
def test_probabilities_sum_to_1_and_equal_scores_have_equal_ones(scores):
    found = probabilities(scores)
    assert sum(found) == pytest.approx(1)
    assert min(found) >= 0.3 / len(scores)
    assert len(set(scores)) > 1 or len(set(found)) == 1


def test_parents_are_drawn_with_these_probabilities():
    tree, roll = nodes(0.85, 0.9, 0.8, 0.5), random.Random(0)
    drawn = Counter(select_parent(tree, 4, roll).number for _ in range(20_000))
    shares = [drawn[number] / 20_000 for number in (2, 1, 3, 4)]
    assert shares == pytest.approx([0.540565, 0.246272, 0.138007, 0.075156], abs=0.012)  # over three standard errors


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ([], False),
        ([0.5], False),
        ([0.5] * 5, False),  # the mean was found unchanged four times
        ([0.5] * 6, True),
        ([0.5, 0.6, 0.7, 0.1, 0.2, 0.3, 0.4], False),  # four rounds outside the best three
        ([0.5, 0.6, 0.7, 0.1, 0.2, 0.3, 0.4, 0.5], True),  # five; the last one only ties
        ([0.5, 0.6, 0.7, 0.1, 0.2, 0.3, 0.4, 0.55], False),  # the fifth gets among them
        ([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7], False),
    ],
)
def test_a_search_has_converged_when_its_best_three_stay_the_same_for_five_rounds(scores, expected):
    assert converged(scores) is expected
