"""How the judge's events become outcomes."""

import pytest

from flowreasoner.sandbox import Suite
from flowreasoner.sandbox.events import Events

SUITE = Suite.asserts(["assert f(1)", "assert f(2)", "assert f(3)"], "f")


def fold(*events, timed_out=False):
    folded = Events(3)
    for event in events:
        folded.add(event)
    return [(test.outcome, test.detail) for test in folded.results(SUITE, timed_out=timed_out, ending="the end")]


def site(number, outcome, detail=""):
    return {"site": number, "outcome": outcome, "detail": detail}


DONE = {"done": True}


@pytest.mark.parametrize(
    "noise",
    [
        None,
        3,
        "pass",
        [1],
        {},
        {"site": 99, "outcome": "pass"},
        {"site": -1, "outcome": "pass"},
        {"site": 1, "outcome": "won"},
        {"site": "1", "outcome": "error"},
        {"site": 0},
        {"done": 1},
        {"load_error": 1},
    ],
)
def test_what_is_no_event_is_ignored(noise):
    assert fold(noise, DONE) == [("not_reached", "")] * 3


@pytest.mark.parametrize(
    ("seen", "kept"),
    [
        (["pass", "fail", "pass"], "fail"),
        (["fail", "error"], "error"),
        (["timeout", "error"], "timeout"),
        (["skipped", "pass"], "skipped"),
    ],
)
def test_the_worst_outcome_of_a_test_counts_with_its_first_detail(seen, kept):
    events = [site(0, outcome, f"{outcome}-{n}") for n, outcome in enumerate(seen)]
    assert fold(*events, site(1, "pass"), site(2, "pass"), DONE)[0] == (kept, f"{kept}-{seen.index(kept)}")


def test_a_load_error_is_every_tests_error():
    assert fold({"load_error": "no"}) == [("error", "no")] * 3


@pytest.mark.parametrize(("timed_out", "outcome"), [(True, "timeout"), (False, "error")])
def test_the_test_under_way_when_a_run_ends_has_broken_even_if_it_held_before(timed_out, outcome):
    events = [site(0, "pass"), site(1, "started"), site(1, "pass"), site(1, "started")]
    assert fold(*events, timed_out=timed_out) == [("pass", ""), (outcome, "the end"), ("not_reached", "the end")]


def test_a_run_that_was_stopped_when_all_tests_had_passed_fails_the_last_one():
    events = [event for n in (0, 2, 1) for event in (site(n, "started"), site(n, "pass"))]
    assert fold(*events, {"stopped": "why"}, DONE) == [("pass", ""), ("error", "why"), ("pass", "")]
    assert fold(*events, timed_out=True) == [("pass", ""), ("timeout", "the end"), ("pass", "")]
    assert fold(*events, DONE) == [("pass", "")] * 3


def test_details_are_bounded_free_of_addresses_and_can_be_encoded():
    [(_, detail), *_] = fold(site(0, "fail", "<X at 0x7f00AAbb> \ud800" + "x" * 5000))
    assert detail.startswith("<X> ?xxx")
    assert len(detail.encode()) <= 1000
