"""Compositions of steps, and their descriptions in varied English."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flowreasoner.miniature.steps import KINDS, STEPS, Step

if TYPE_CHECKING:
    import random

    from flowreasoner.miniature.steps import Kind

__all__ = ["DEPTHS", "NAMES", "Composition", "compose", "describe", "is_description"]

DEPTHS = (1, 2, 3, 4)
NAMES = tuple(
    "apply arrange blend brew build carve chart choose combine convert craft crunch derive distill evaluate extract "
    "fold forge gather handle join_up knead make measure mix morph pick polish prepare process produce reduce refine "
    "render reshape resolve rework rewrite run select shape sift solve spin squeeze stir tally trace transform treat "
    "tune turn unfold weave work".split()
)
"""Names that the functions have."""

_HELD_OUT = 0.15
_ARGUMENT: dict[Kind, str] = {"numbers": "numbers", "number": "n", "words": "words", "text": "text"}
_BARE: dict[Kind, str] = {"numbers": "list", "number": "integer", "words": "list", "text": "string"}


@dataclass(frozen=True)
class Composition:
    """Steps applied one after the other, each with its parameter.

    Attributes:
        steps: The steps, and their parameters, empty for none.
    """

    steps: tuple[tuple[Step, str], ...]

    @property
    def takes(self) -> Kind:
        """Kind of the argument."""
        return self.steps[0][0].takes

    @property
    def held_out(self) -> bool:
        """Whether the composition is of the test split, by a hash of its steps without parameters."""
        names = " | ".join(step.name for step, _ in self.steps)
        return hashlib.sha256(names.encode()).digest()[0] < _HELD_OUT * 256

    def run(self, value: Any) -> Any:
        """Returns what the composition makes of a value."""
        for step, parameter in self.steps:
            value = step.run(value, parameter)
        return value

    def plan(self) -> str:
        """Returns the steps as a numbered list."""
        return "\n".join(f"{number}. {_put(step.name, at)}" for number, (step, at) in enumerate(self.steps, 1))

    def code(self, name: str) -> str:
        """Returns a Python function that does it, one line a step."""
        lines = [_put(step.code, at) for step, at in self.steps]
        body = [*(f"    v = {line}" for line in lines[:-1]), f"    return {lines[-1]}"]
        return "\n".join([f"def {name}(v):", *body])


def compose(roll: random.Random, depth: int) -> Composition:
    """Returns a random composition.

    Args:
        roll: Source of randomness.
        depth: Number of steps.
    """
    steps: list[tuple[Step, str]] = []
    kind: Kind = roll.choices(list(KINDS), (5, 1, 3, 4))[0]
    for _ in range(depth):
        used = {step.name for step, _ in steps}
        step = roll.choice([step for step in STEPS if step.takes == kind and step.name not in used])
        steps.append((step, roll.choice(step.choices) if step.choices else ""))
        kind = step.gives
    return Composition(tuple(steps))


def describe(composition: Composition, name: str, roll: random.Random) -> str:
    """Returns a problem that asks for a composition.

    Args:
        composition: What is asked for.
        name: Name of the function.
        roll: Chooses the wording.
    """
    takes = composition.takes
    opening = f"Write a function `{name}({_ARGUMENT[takes]})` that takes {KINDS[takes]}"
    style = roll.choice((_in_order, _in_order, _nested, _backwards))
    return f"{opening}{style(composition, roll)}"


def _in_order(composition: Composition, roll: random.Random) -> str:
    verbs = _verbs(composition, roll)
    if len(verbs) == 1:
        return roll.choice((". It should {0}, and return the result.", ". Return the result: {0}.")).format(*verbs)
    if roll.random() < 0.5:
        return f". First {verbs[0]}, {''.join(f'then {verb}, ' for verb in verbs[1:-1])}and finally {verbs[-1]}."
    return f". Return the result of these steps: {'; '.join(verbs[:-1])}; and {verbs[-1]}."


def _nested(composition: Composition, roll: random.Random) -> str:
    """Describes the last step first; parentheses say what belongs together where English does not."""
    phrase, trailing = f"the {_BARE[composition.takes]}", False
    for number, (step, parameter) in enumerate(composition.steps):
        noun = _put(roll.choice(step.nouns), parameter)
        trails = noun.startswith("*")
        enclosed = number > 0 and (trails or trailing)
        phrase, trailing = noun.replace("*", f"({phrase})" if enclosed else phrase), trails
    return f" and returns {phrase}."


def _backwards(composition: Composition, roll: random.Random) -> str:
    verbs = _verbs(composition, roll)
    if len(verbs) == 1:
        return f" and returns what you get when you {verbs[0]}."
    *before, last = verbs
    if len(before) == 1:
        return roll.choice((". Before you {1}, {0}.", ". In the end, {1}; but before that, {0}.")).format(*before, last)
    return f". In the end, {last}; but before that, {', then '.join(before)}."


def _verbs(composition: Composition, roll: random.Random) -> list[str]:
    return [_put(roll.choice(step.verbs), parameter) for step, parameter in composition.steps]


def _put(template: str, parameter: str) -> str:
    return template.replace("#", parameter)


_OPENING = re.compile(
    rf"Write a function `(?:{'|'.join(NAMES)})\((?:{'|'.join(_ARGUMENT.values())})\)` that takes "
    rf"(?:{'|'.join(KINDS.values())})\b"
)
_GLUE = (
    "first then and finally return returns the result it should of these steps in the end but before that you what get "
    "when integer string list"
)
_WORDS = frozenset(
    word
    for step in STEPS
    for phrase in (*step.verbs, *step.nouns, _GLUE)
    for word in re.findall(r"[a-z]+|[0-9]+", phrase.lower())
) | {number for step in STEPS for number in step.choices}


def is_description(text: str) -> bool:
    """Tells whether a text is a problem that the grammar can have made, by its opening and its words."""
    opening = _OPENING.match(text.strip())
    if not opening:
        return False
    rest = text.strip()[opening.end() :].lower()
    return all(word in _WORDS for word in re.findall(r"'[a-z]'|[a-z]+|[0-9]+|[^\sa-z0-9,;.:'()]", rest))
