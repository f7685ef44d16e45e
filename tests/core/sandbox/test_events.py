"""How the harness's events become outcomes."""

import json

import pytest

from flowreasoner.sandbox import Suite
from flowreasoner.sandbox.events import Events

SUITE = Suite.asserts(["assert f(1)", "assert f(2)", "assert f(3)"], "f")


def fold(*events, timed_out=False):
    folded = Events(3)
    folded.feed("".join(json.dumps(event) + "\n" for event in events).encode())
    return [(test.outcome, test.detail) for test in folded.results(SUITE, timed_out=timed_out, ending="the end")]


def site(number, outcome, detail=""):
    return {"site": number, "outcome": outcome, "detail": detail}


DONE = {"done": True, "cpu_s": 0.5}


@pytest.mark.parametrize("size", [1, 2, 7, 50, 10_000])
def test_lines_may_arrive_in_pieces_of_any_size(size):
    lines = "".join(json.dumps(event) + "\n" for event in (site(0, "pass"), site(1, "fail", "ä"), DONE)).encode()
    events = Events(3)
    for start in range(0, len(lines), size):
        events.feed(lines[start : start + size])
    assert events.outcomes == {0: ("pass", ""), 1: ("fail", "ä")}
    assert (events.done, events.cpu_s) == (True, 0.5)


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
