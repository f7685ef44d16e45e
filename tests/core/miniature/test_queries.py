"""The miniature world's queries: compositional, split by composition, and with tests that tell them apart."""

import itertools
import re

import pytest

from flowreasoner.miniature import endless, queries, random_query, recognises
from flowreasoner.miniature.grammar import DEPTHS
from flowreasoner.sandbox import best_sandbox


def shape(query):
    """The composition of a query, without its parameters."""
    return re.sub(r"(?<!^)\b\d+\b|'[a-z]'", "#", query.metadata["plan"], flags=re.M)


def test_queries_are_distinct_and_every_depth_comes_equally_often():
    found = queries("test", 80)
    assert len({query.problem for query in found}) == 80
    assert [query.metadata["depth"] for query in found[:8]] == [*DEPTHS, *DEPTHS]
    assert all(len(query.reference.splitlines()) == query.metadata["depth"] + 1 for query in found)


def test_a_seed_always_gives_the_same_queries_and_another_seed_others():
    problems = [[query.problem for query in queries("train", 12, seed)] for seed in (1, 1, 2)]
    assert problems[0] == problems[1] != problems[2]
    assert random_query(5).problem == random_query(5).problem != random_query(6).problem


@pytest.mark.slow
def test_there_are_thousands():
    assert len({query.problem for query in queries("train", 3000)}) == 3000


def test_no_composition_of_the_test_split_is_in_the_training_split():
    assert not {shape(query) for query in queries("train", 600)} & {shape(query) for query in queries("test", 200)}


@pytest.mark.parametrize("depth", DEPTHS)
def test_a_random_query_has_the_depth_that_was_asked_for(depth):
    assert random_query(3, depth).metadata["depth"] == depth


def test_feedback_and_hidden_tests_share_no_case():
    for query in queries("test", 40):
        feedback, hidden = ({case.source for case in suite.cases} for suite in (query.feedback, query.hidden))
        assert len(feedback) == 3
        assert len(hidden) == 6
        assert not feedback & hidden


async def test_the_reference_passes_all_tests_and_another_query_s_reference_does_not():
    sandbox = best_sandbox()
    found = queries("test", 24)
    for query, other in itertools.pairwise(found):
        assert (await sandbox.grade(query.reference, query.feedback)).passed
        assert (await sandbox.grade(query.reference, query.hidden)).passed
        wrong = other.reference.replace(other.entry_point, query.entry_point)
        assert not (await sandbox.grade(wrong, query.hidden)).passed
    await sandbox.aclose()


def test_every_query_is_recognised():
    assert all(recognises(query.problem) for split in ("train", "test") for query in queries(split, 400))


@pytest.mark.parametrize(
    "problem",
    [
        "Write a function is_leap(year).",
        "",
        "Write a function `mix(numbers)` that takes a list of integers and returns its primes.",
        "Write a function `mix(numbers)` that takes a list of integers and returns the sum of the list. Print it.",
        "Write a function `is_leap(n)` that takes an integer and returns the digits of the integer.",
        "Please. Write a function `mix(n)` that takes an integer and returns the digits of the integer.",
    ],
)
def test_other_problems_are_not_recognised(problem):
    assert not recognises(problem)


def test_the_first_few_of_many_are_drawn_alone():
    first = list(itertools.islice(endless("train", 3), 5))
    assert first == queries("train", 9, seed=3)[:5]
