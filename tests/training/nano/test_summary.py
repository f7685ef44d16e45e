import json
from dataclasses import replace

import pytest
from outcomes import an_outcome, some_outcomes

from flowreasoner.errors import QueryError
from flowreasoner_training.nano.contenders import TITLES
from flowreasoner_training.nano.summary import LINKS, MEASURES, summarise

OUTCOMES = some_outcomes()
SUMMARY = summarise(OUTCOMES)


def test_every_contender_has_its_means():
    assert (SUMMARY["queries"], SUMMARY["seeds"], SUMMARY["depths"]) == (24, 2, {"1": 6, "2": 6, "3": 6, "4": 6})
    assert list(SUMMARY["contenders"]) == list(TITLES)
    for name, own in SUMMARY["contenders"].items():
        assert list(own["measures"]) == list(MEASURES)
        passed = [outcome.passed for outcome in OUTCOMES if outcome.contender == name]
        found = own["measures"]["passed"]
        assert found["value"] == pytest.approx(sum(passed) / len(passed), abs=1e-4)
        assert found["low"] < found["value"] < found["high"]
    first = [outcome.passed for outcome in OUTCOMES if (outcome.contender, outcome.checkpoint) == ("sft", "seed 1")]
    assert SUMMARY["contenders"]["sft"]["checkpoints"]["seed 1"]["passed"] == pytest.approx(
        sum(first) / len(first), abs=1e-4
    )


def test_pairs_are_compared_on_the_same_queries():
    assert [(item["first"], item["second"]) for item in SUMMARY["differences"] if item["measure"] == "passed"] == [
        *LINKS
    ]
    means = {name: own["measures"]["passed"]["value"] for name, own in SUMMARY["contenders"].items()}
    for item in SUMMARY["differences"]:
        if item["measure"] == "passed":
            assert item["value"] == pytest.approx(means[item["first"]] - means[item["second"]], abs=2e-4)
            assert 0 < item["p"] <= 1


def test_workflows_follow_the_depth_where_they_do():
    grpo, fixed = (SUMMARY["contenders"][name] for name in ("grpo", "fixed"))
    assert [own["run_calls"]["value"] for own in grpo["depths"].values()] == [2, 3, 4, 5]
    assert grpo["slopes"]["run_calls"] == {"value": 1, "low": 1, "high": 1}
    assert grpo["slopes"]["complexity"]["value"] == 2
    assert fixed["slopes"]["run_calls"]["value"] == 0
    assert grpo["depths"]["1"]["workflows"] == {"Test": 1}


def test_attempts_without_an_answer_have_no_workflow_and_pass_nothing():
    made = [
        an_outcome(query=f"q{number}", depth=None, seed=seed)
        if number
        else an_outcome(
            query="q0", depth=None, seed=seed, error="none", passed=0, run_calls=None, complexity=None, operators=()
        )
        for number in range(4)
        for seed in (0, 1)
    ]
    own = summarise(made)["contenders"]["sft"]
    assert (own["without_answer"], own["measures"]["passed"]["value"]) == (0.25, 0.75)
    assert own["measures"]["run_calls"]["value"] == 2
    assert "depths" not in own
    nothing = summarise([replace(outcome, complexity=None) for outcome in made])
    assert nothing["contenders"]["sft"]["measures"]["complexity"] == {"value": None, "low": None, "high": None}
    json.dumps(nothing, allow_nan=False)


def test_missing_outcomes_are_named():
    with pytest.raises(QueryError, match="outcomes of 'grpo' are missing"):
        summarise([outcome for outcome in OUTCOMES if (outcome.contender, outcome.query) != ("grpo", "q3")])
