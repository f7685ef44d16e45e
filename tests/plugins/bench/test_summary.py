from itertools import combinations

import pytest
from outcomes import an_outcome

from flowreasoner_plugins.bench.plan import Cell
from flowreasoner_plugins.bench.summary import pass_at_k, summarise

CELL = Cell("demo", "sim:", (), {"q9": "it needs numpy"}, "0123")


def outcomes(name, passed, **changes):
    """Returns outcomes of a designer: one list of passes for each query, in the order of the seeds."""
    return [
        an_outcome(contender=name, checkpoint="v1", query=f"q{query}", seed=seed, passed=float(value), **changes)
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
