import numpy as np
import pytest

from flowreasoner.comparison.statistics import difference, mean, slope

RANDOM = np.random.default_rng(1)


def test_the_interval_of_a_mean_is_that_of_the_normal_approximation():
    values = RANDOM.normal(0.5, 0.2, (1, 400))
    found = mean(values)
    margin = 1.96 * values.std() / 20
    assert found.value == pytest.approx(values.mean())
    assert (found.low, found.high) == pytest.approx((values.mean() - margin, values.mean() + margin), abs=0.1 * margin)


@pytest.mark.slow
def test_the_interval_holds_the_truth_about_as_often_as_it_says():
    held = [mean(RANDOM.binomial(1, 0.3, (1, 60)).astype(float)) for _ in range(200)]
    assert 0.88 <= np.mean([item.low <= 0.3 <= item.high for item in held]) <= 0.99


def test_checkpoints_that_differ_widen_the_interval():
    queries = RANDOM.normal(0, 0.1, 200)
    alike = mean(np.stack([queries] * 3))
    apart = mean(np.stack([queries - 0.3, queries, queries + 0.3]))
    assert apart.value == pytest.approx(alike.value)
    assert apart.high - apart.low > 5 * (alike.high - alike.low)


def test_a_pair_cancels_what_is_common_to_it():
    common = RANDOM.normal(0, 1, (3, 100))
    first = common + 0.1 + RANDOM.normal(0, 0.05, (3, 100))
    found = difference(first, common)
    assert found.value == pytest.approx((first - common).mean())
    assert 0.08 < found.low < 0.1 < found.high < 0.12
    assert found.p == pytest.approx(1 / 10_001)


def test_contenders_with_unlike_numbers_of_checkpoints_are_compared_on_the_same_queries():
    common = RANDOM.normal(0, 1, (1, 100))
    found = difference(np.repeat(common, 3, 0) + 0.1, common)
    assert (found.value, found.low, found.high) == pytest.approx((0.1, 0.1, 0.1))


def test_p_is_exact_for_few_queries_and_uniform_without_a_difference():
    zeros = np.zeros((1, 3))
    assert difference(np.ones((1, 3)), zeros).p == pytest.approx(2 / 8, abs=0.02)  # 2 of the 8 signs
    assert difference(zeros, zeros).p == 1
    ps = [difference(RANDOM.normal(0, 1, (1, 40)), np.zeros((1, 40))).p for _ in range(100)]
    assert np.mean(np.array(ps) < 0.5) == pytest.approx(0.5, abs=0.2)


def test_a_slope_is_that_of_least_squares():
    depths = np.tile([1, 2, 3, 4], 25)
    values = 2 + 0.5 * depths + RANDOM.normal(0, 0.2, (2, 100))
    found = slope(values, depths)
    assert found.value == pytest.approx(np.polyfit(depths, values.mean(0), 1)[0])
    assert 0.4 < found.low < found.value < found.high < 0.6


def test_missing_values_are_left_out():
    values = np.array([[1.0, np.nan, 3.0, np.nan], [3.0, 5.0, 5.0, np.nan]])
    assert mean(values).value == pytest.approx((2 + 5 + 4) / 3)
    assert slope(values, [1, 2, 3, 4]).value == pytest.approx(np.polyfit([1, 2, 3], [2, 5, 4], 1)[0])
    assert np.isnan(mean(np.full((1, 3), np.nan)).value)


def test_the_same_seed_gives_the_same_numbers():
    values = RANDOM.normal(0, 1, (2, 30))
    assert mean(values) == mean(values)
    assert mean(values) != mean(values, seed=1)
