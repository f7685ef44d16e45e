import pytest

from flowreasoner_training.grpo.hazards import HazardWatch
from flowreasoner_training.recipes.schema import GrpoSettings


def said(metrics, **settings):
    watch = HazardWatch(GrpoSettings(excluded_rounds=2, **settings))
    return [text for step in metrics for text in watch.see(step)]


def drifting(steps=40, mean=2.0):
    return [{"advantage_mean": mean, "advantage_std": 3.0}] * steps


def falling(number, first=0.95, last=0.6, steps=40):
    return [{f"round_{number}/valid": first if step < 15 else last} for step in range(steps)]


def test_advantages_that_drift_are_told_once_with_the_remedy():
    (text,) = said(drifting())
    assert "the mean advantage was 2.00 over the last 10 steps, at a spread of 3.00" in text
    assert "grpo.center: round" in text


@pytest.mark.parametrize(
    ("metrics", "settings"),
    [
        (drifting(steps=9), {}),
        (drifting(mean=0.3), {}),
        (drifting(mean=-4.0), {}),
        (drifting(), {"center": "round"}),
        (drifting(), {"advantage": "outcome"}),
    ],
)
def test_no_drift_is_told_where_there_is_none(metrics, settings):
    assert said(metrics, **settings) == []


def test_a_model_that_writes_nothing_valid_is_told_once_with_the_remedy():
    (text,) = said([{"valid": 0.0, "round_1/valid": 0.0}] * 9)
    assert text.startswith("no workflow was valid in 3 steps")
    assert "sft.epochs" in text


@pytest.mark.parametrize(
    "metrics",
    [
        [{"valid": 0.0}] * 2,
        [{"valid": 0.1, "round_1/valid": 0.0}] * 9,
        ([{"valid": 0.0}] * 2 + [{"valid": 0.1}]) * 3,
        [{"loss": 0.0}] * 9,
    ],
)
def test_one_valid_workflow_is_something_to_learn_from(metrics):
    assert said(metrics) == []


def test_an_early_round_that_stops_being_valid_is_told_once_with_the_remedy():
    (text,) = said(falling(2), count_invalid=False)
    assert text.startswith("in round 2, ")
    assert "95% were at first" in text
    assert text.endswith("set grpo.count_invalid: true")


def test_the_remedy_is_one_that_is_not_taken_yet():
    (text,) = said(falling(1), beta=0.02)
    assert "count_invalid" not in text
    assert "raise grpo.beta above 0.02" in text


@pytest.mark.parametrize("metrics", [falling(3), falling(1, last=0.9), falling(1, steps=18), falling(1, first=0.2)])
def test_no_collapse_is_told_where_there_is_none(metrics):
    assert said(metrics) == []
