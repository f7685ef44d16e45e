import random

import numpy as np
import pytest
from arenas import NO_ANSWER, ONE

from flowreasoner.baselines.adas.archive import Entry, Fitness, best_of, fitness_of
from flowreasoner.baselines.validation import Validated
from flowreasoner.feedback import Evaluation, Feedback


def entry(scores, generation=0, workflow=ONE):
    feedback = {f"q{number}": Feedback((Evaluation("a", score),)) for number, score in enumerate(scores)}
    return Entry(Validated(workflow, "m", "r", feedback), fitness_of(scores), generation)


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ([1.0], Fitness(1.0, 1.0, 1.0)),
        ([0.0, 0.0, 0.0], Fitness(0.0, 0.0, 0.0)),
        ([0.0, 1.0], Fitness(0.0, 1.0, 0.5)),  # means 0, 1/2, 1 with probability 1/4, 1/2, 1/4
        # means k/4, k binomial(4, 1/4): at most 0 with 0.316, 1 with 0.738, 2 with 0.949, 3 with 0.996
        ([1.0, 0.0, 0.0, 0.0], Fitness(0.0, 0.75, 0.25)),
    ],
)
def test_fitness_by_hand(scores, expected):
    assert fitness_of(scores) == expected


def test_fitness_agrees_with_numpy():
    roll = random.Random(0)
    scores = [roll.random() for _ in range(8)]
    drawn = np.random.default_rng(0).choice(np.array(scores), (100_000, 8)).mean(axis=1)
    low, high, median = np.percentile(drawn, [2.5, 97.5, 50])
    found = fitness_of(scores)
    # The mean varies by 0.1: at 10 000 resamples the tails are known to 0.003, and the median to 0.0013.
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.009)
    assert found.median == pytest.approx(median, abs=0.004)


def test_fitness_is_the_same_each_time():
    scores = [0.1, 0.2, 0.9, 1.0, 0.4]
    assert fitness_of(scores, seed=3) == fitness_of(scores, seed=3)


def test_fitness_reads_as_published():
    text = str(Fitness(0.5, 0.78125, 0.6406))
    assert text == "95% Bootstrap Confidence Interval: (50.0%, 78.1%), Median: 64.1%"


def test_the_best_has_the_highest_median_then_mean_and_is_the_earliest():
    worse, first, second = entry([0, 1], 0), entry([1, 1], 1), entry([1, 1], 2)
    assert best_of([worse, first, second]) is first
    # The median of three resampled queries hides what the mean shows.
    plain, better = entry([1.0, 1.0, 0.0]), entry([1.0, 1.0, 0.0])
    better = Entry(entry([1.0, 1.0, 0.5], workflow=NO_ANSWER).validated, plain.fitness, 1)
    assert best_of([plain, better]) is better
