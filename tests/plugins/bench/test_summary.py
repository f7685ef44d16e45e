from dataclasses import replace
from itertools import combinations

import pytest
from outcomes import an_outcome

from flowreasoner_plugins.bench.plan import Cell
from flowreasoner_plugins.bench.summary import pass_at_k, summarise

CELL = Cell("demo", "sim:", (), {"q9": "it needs numpy"}, "0123")


def outcomes(name, passed, checkpoint="v1", **changes):
    """Returns outcomes of a designer: one list of passes for each query, in the order of the seeds."""
    return [
        an_outcome(contender=name, checkpoint=checkpoint, query=f"q{query}", seed=seed, passed=float(value), **changes)
        for query, values in enumerate(passed)
        for seed, value in enumerate(values)
    ]


@pytest.mark.parametrize(("right", "k"), [(0, 1), (2, 1), (2, 2), (2, 3), (5, 2)])
def test_pass_at_k_is_the_share_of_draws_with_a_right_one(right, k):
    attempts = [True] * right + [False] * (5 - right)
    draws = list(combinations(attempts, k))
    assert pass_at_k(5, right, k) == pytest.approx(sum(any(draw) for draw in draws) / len(draws))


def test_designers_are_summarised_by_themselves_and_in_pairs():
    first, second = outcomes("a", [[1, 1], [1, 0], [1, 0]]), outcomes("b", [[0, 1], [1, 0], [0, 0]])
    summary = summarise(CELL, [*first, *second], simulated=["worker"])
    assert (summary["queries"], summary["attempts"], summary["simulated"]) == (3, 2, ["worker"])
    assert summary["not_run"] == {"q9": "it needs numpy"}
    assert summary["designers"]["a"]["pass@1"]["value"] == pytest.approx(4 / 6)
    assert summary["designers"]["a"]["pass@2"]["value"] == 1
    assert summary["designers"]["b"]["pass@2"]["value"] == pytest.approx(2 / 3)
    (pair,) = summary["pairs"]
    assert (pair["first"], pair["second"], pair["only_first"], pair["only_second"]) == ("a", "b", 2, 0)
    assert pair["value"] == pytest.approx(2 / 6)
    assert pair["low"] <= pair["value"] <= pair["high"]


def test_costs_are_means_per_query_and_what_misleads_is_counted():
    own = outcomes("a", [[1], [0]], usd=0.5, model_calls=3, feedback=1.0, leaky=True)
    (designer,) = summarise(CELL, own)["designers"].values()
    assert (designer["per_query"]["usd"], designer["per_query"]["model_calls"]) == (0.5, 3)
    assert (designer["misled"], designer["leaky"], designer["without_answer"]) == (0.5, 1.0, 0.0)


def test_checkpoints_are_averaged_over_and_compared_with_one_that_has_none():
    first = outcomes("a", [[1, 1], [1, 0], [0, 0]])
    fits = [
        replace(own, checkpoint=f"seed-{seed}@x", passed=own.passed * (seed > 0)) for seed in (0, 1, 2) for own in first
    ]
    fits = [replace(own, contender="fitted") for own in fits]
    summary = summarise(CELL, [*fits, *first], fitting={"fitted": [{"seed": 0}]}, notes=["Well."])
    own = summary["designers"]["fitted"]
    assert (own["checkpoints"], summary["attempts"]) == (3, 2)
    assert own["pass@1"]["value"] == pytest.approx(2 / 3 * 1 / 2)
    assert own["pass@2"]["value"] == pytest.approx(2 / 3 * 2 / 3)
    (pair,) = summary["pairs"]
    assert (pair["first"], pair["only_first"], pair["only_second"]) == ("fitted", 0, 2)
    assert pair["value"] == pytest.approx(1 / 3 - 1 / 2)
    assert (summary["fitting"], summary["fitted_on"]) == ({"fitted": [{"seed": 0}]}, ["", 0])
    assert summary["notes"] == ["Well."]
    assert "fitting" not in summarise(CELL, first)


def test_as_often_over_more_checkpoints_is_not_more_often():
    thirds = [own for seed in range(3) for own in outcomes("a", [[1, 0, 0]], checkpoint=f"s{seed}")]
    (pair,) = summarise(CELL, [*thirds, *outcomes("b", [[0, 1, 0]])])["pairs"]
    assert (pair["only_first"], pair["only_second"]) == (0, 0)
