"""Queries of the miniature world, with feedback and hidden tests."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal

from flowreasoner.miniature.grammar import DEPTHS, NAMES, compose, describe, is_description
from flowreasoner.query import Query
from flowreasoner.sandbox import Suite

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from flowreasoner.miniature.grammar import Composition
    from flowreasoner.miniature.steps import Kind

__all__ = [
    "FEEDBACK",
    "HIDDEN",
    "Split",
    "draw_inputs",
    "endless",
    "queries",
    "random_query",
    "recognises",
    "tests_of",
    "to_query",
    "without_tests",
]

Split = Literal["train", "test"]

FEEDBACK, HIDDEN = 3, 6
"""Tests of a query."""
_LEAST_DIFFERENT = 4
_LONGEST = 90
_VOCABULARY = tuple(
    "apple river stone cloud tiger Maple ocean bread candle forest Garden hammer island jacket kettle lemon mirror "
    "needle orange pepper quilt rabbit Silver table umbrella violin window yellow zebra at so the top fast".split()
)


def queries(split: Split, count: int, seed: int = 0) -> list[Query]:
    """Returns distinct queries of a split; compositions of the test split occur in no training query.

    Args:
        split: ``train`` or ``test``.
        count: How many; depths 1 to 4 come equally often.
        seed: Decides which.
    """
    return list(islice(endless(split, seed), count))


def endless(split: Split, seed: int = 0) -> Iterator[Query]:
    """Yields the same queries one by one, for those who need the first few of many.

    Args:
        split: ``train`` or ``test``.
        seed: Decides which.
    """
    roll = random.Random(f"{split}/{seed}")  # noqa: S311 - reproducible on purpose
    found: set[str] = set()
    while True:
        query = next(_draw(roll, split, DEPTHS[len(found) % len(DEPTHS)]))
        if query.problem not in found:
            found.add(query.problem)
            yield query


def random_query(seed: int, depth: int | None = None) -> Query:
    """Returns one query of the test split.

    Args:
        seed: Decides which.
        depth: Steps of the composition, 1 to 4; drawn unless given.
    """
    roll = random.Random(f"random/{seed}")  # noqa: S311 - reproducible on purpose
    return next(_draw(roll, "test", depth or roll.choice(DEPTHS)))


def recognises(problem: str) -> bool:
    """Tells whether a problem is of the family."""
    return is_description(problem)


def _draw(roll: random.Random, split: Split, depth: int) -> Iterator[Query]:
    while True:
        composition = compose(roll, depth)
        inputs = draw_inputs(roll, composition)
        if composition.held_out == (split == "test") and inputs is not None:
            yield to_query(composition, inputs, roll)


def to_query(composition: Composition, inputs: list[Any], roll: random.Random) -> Query:
    """Returns the query that asks for a composition.

    Args:
        composition: What is asked for.
        inputs: Arguments of its tests; the first three are for feedback, the rest is hidden.
        roll: Chooses name and wording.
    """
    query = without_tests(composition, roll)
    name = query.entry_point
    feedback, hidden = (tests_of(composition, name, values) for values in (inputs[:FEEDBACK], inputs[FEEDBACK:]))
    return replace(query, feedback=feedback, hidden=hidden)


def without_tests(composition: Composition, roll: random.Random) -> Query:
    """Returns the query that asks for a composition, without tests, which take most of the time to make.

    Args:
        composition: What is asked for.
        roll: Chooses name and wording.
    """
    name = roll.choice(NAMES)
    return Query(
        describe(composition, name, roll),
        entry_point=name,
        reference=composition.code(name),
        metadata={"depth": len(composition.steps), "kind": composition.takes, "plan": composition.plan()},
    )


def tests_of(composition: Composition, name: str, values: Iterable[Any]) -> Suite:
    """Returns the tests that a program for a composition must pass.

    Args:
        composition: What is right.
        name: The program's function.
        values: Its argument in each test.
    """
    return Suite.asserts([f"assert {name}({value!r}) == {composition.run(value)!r}" for value in values], name)


def draw_inputs(roll: random.Random, composition: Composition) -> list[Any] | None:
    """Returns arguments that tell a composition from others, or None where too few results differ."""
    inputs: dict[str, Any] = {}
    for _ in range(40):
        value = _value(roll, composition.takes)
        if len(repr(composition.run(value))) <= _LONGEST:
            inputs.setdefault(repr(value), value)
        if len(inputs) == FEEDBACK + HIDDEN:
            break
    results = {repr(composition.run(value)) for value in inputs.values()}
    enough = len(inputs) == FEEDBACK + HIDDEN and len(results) >= _LEAST_DIFFERENT
    return [*inputs.values()] if enough else None


def _value(roll: random.Random, kind: Kind) -> Any:
    match kind:
        case "numbers":
            return [roll.randint(-9, 20) for _ in range(roll.randint(3, 8))]
        case "number":
            return roll.randint(-60, 400)
        case "words":
            return [roll.choice(_VOCABULARY) for _ in range(roll.randint(3, 6))]
    return " ".join(roll.choice(_VOCABULARY) for _ in range(roll.randint(2, 4)))
