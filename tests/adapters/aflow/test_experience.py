"""Choice of the origin, experience, convergence: as AFlow has them."""

import random
from collections import Counter

import pytest

from flowreasoner_adapters.aflow.experience import (
    choose_father,
    converged,
    father_probabilities,
    processed_experience,
    told,
)
from flowreasoner_adapters.aflow.reading import Experience


def test_probabilities_are_aflows_mixture():
    # by AFlow's own code for scores 0.9, 0.8: softmax of 0.2 * (0, -10) is (0.8808, 0.1192)
    assert father_probabilities([0.9, 0.8]) == pytest.approx([0.3 / 2 + 0.7 * 0.880797, 0.3 / 2 + 0.7 * 0.119203])
    assert sum(father_probabilities([0.1, 0.5, 0.9, 0.0])) == pytest.approx(1)


def test_the_origin_is_drawn_among_the_first_and_the_best():
    scores = {1: 0.1, 2: 0.5, 3: 0.9, 4: 0.8, 5: 0.2}
    drawn = Counter(choose_father(scores, 3, random.Random(seed)) for seed in range(400))
    assert set(drawn) == {1, 3, 4}
    assert drawn[3] > drawn[4] > drawn[1] > 0
    assert choose_father({4: 0.5}, 1, random.Random(0)) == 4


def test_experience_tells_what_helped_from_what_did_not():
    summary = processed_experience(
        {
            2: Experience(1, "sample", 0.5, 0.75, True),
            3: Experience(1, "shorten", 0.5, 0.25, False),
            4: Experience(3, "unfinished", 0.25),
        }
    )
    assert summary == {
        1: {
            "score": 0.5,
            "success": {2: {"modification": "sample", "score": 0.75}},
            "failure": {3: {"modification": "shorten", "score": 0.25}},
        }
    }
    text = told(summary, 1)
    assert "- helped (score 0.7500): sample" in text
    assert "- did not help (score 0.2500): shorten" in text
    assert "Nothing was tried" in told(summary, 3)


def test_convergence_is_five_rounds_without_a_change_of_the_best_three():
    assert not converged([[0.5]] * 3)
    assert converged([[0.5]] * 6)
    assert not converged([[0.5]] * 5)
    assert not converged([[0.1 * number] for number in range(8)])
    assert converged([[0.9], [0.8], [0.7], [0.1], [0.2], [0.3], [0.1], [0.2]])
