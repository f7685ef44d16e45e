"""Compositions: what they compute, how they are written down, and how they are described."""

import itertools
import random

import pytest

from flowreasoner.miniature.grammar import Composition, compose, describe, is_description
from flowreasoner.miniature.steps import STEPS

BY_NAME = {step.name: step for step in STEPS}
EVEN_SQUARES = Composition(((BY_NAME["keep even"], ""), (BY_NAME["square each"], ""), (BY_NAME["sum"], "")))


def defined(code, name):
    space = {}
    exec(code, space)  # a reference of ours
    return space[name]


def test_a_composition_runs_its_steps_in_order():
    assert EVEN_SQUARES.run([1, 2, 3, 4]) == 20


def test_plan_and_code_state_one_step_a_line():
    assert EVEN_SQUARES.plan() == "1. keep even\n2. square each\n3. sum"
    assert EVEN_SQUARES.code("f") == (
        "def f(v):\n    v = [x for x in v if x % 2 == 0]\n    v = [x * x for x in v]\n    return sum(v)"
    )


def test_parameters_are_filled_in_everywhere():
    composition = Composition(((BY_NAME["keep above #"], "7"), (BY_NAME["first #"], "2")))
    assert composition.run([9, 3, 8, 10]) == [9, 8]
    assert composition.plan() == "1. keep above 7\n2. first 2"
    for seed in range(20):
        text = describe(composition, "f", random.Random(seed))
        assert "#" not in text
        assert "*" not in text
        assert "7" in text
        assert "2" in text


@pytest.mark.parametrize("seed", range(60))
def test_code_computes_what_the_composition_does(seed):
    roll = random.Random(seed)
    composition = compose(roll, roll.randint(1, 4))
    value = {"numbers": [3, -1, 4, 1, 5], "number": 37, "words": ["so", "apple", "so"], "text": "at the River"}
    try:
        expected = composition.run(value[composition.takes])
    except Exception as error:  # some chains cannot take every value
        with pytest.raises(type(error)):
            defined(composition.code("f"), "f")(value[composition.takes])
    else:
        assert defined(composition.code("f"), "f")(value[composition.takes]) == expected


def test_kinds_fit_along_a_composition():
    for seed in range(200):
        steps = compose(random.Random(seed), 4).steps
        assert all(one.gives == two.takes for (one, _), (two, _) in itertools.pairwise(steps))


def test_wordings_vary_and_all_are_of_the_family():
    texts = {describe(EVEN_SQUARES, "mix", random.Random(seed)) for seed in range(80)}
    assert len(texts) > 15
    assert all(is_description(text) for text in texts)
    assert any("the squares of the even numbers in the list" in text for text in texts)  # the order reversed


def test_parentheses_say_what_belongs_together():
    composition = Composition(((BY_NAME["drop spaces"], ""), (BY_NAME["last # characters"], "3")))
    texts = {describe(composition, "mix", random.Random(seed)) for seed in range(80)}
    assert any("the last 3 characters of (the string without its spaces)" in text for text in texts)


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
def test_every_step_says_in_all_its_wordings_what_its_parameter_is(step):
    assert bool(step.choices) == ("#" in step.code) == ("#" in step.name)
    assert all(("#" in text) == bool(step.choices) for text in (*step.verbs, *step.nouns))
    assert all(text.count("*") == 1 for text in step.nouns)
