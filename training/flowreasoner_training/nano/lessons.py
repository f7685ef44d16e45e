"""What the miniature's worker learns from: the product's own operator prompts, with right answers.

Every prompt is rendered by the operators themselves, so that the worker reads in training exactly what it is asked
in a workflow. Straight programs are taught mostly for shallow problems, and deep ones from a plan: like larger models,
the worker does better on deep problems when it plans first.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from flowreasoner.miniature.grammar import Composition, compose
from flowreasoner.miniature.queries import FEEDBACK, draw_inputs, tests_of, without_tests
from flowreasoner.miniature.steps import STEPS
from flowreasoner.operators import BUILTIN
from flowreasoner.operators.builtin import REFLECT, describe_failures
from flowreasoner.operators.replies import form
from flowreasoner.sandbox.verdict import TestResult, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flowreasoner.operators import Operator
    from flowreasoner.query import Query
    from flowreasoner.sandbox.suite import Case

__all__ = ["PLANNING", "WRITING", "Lesson", "draw_problem", "lessons"]

WRITING = (
    "Write the function.",
    "Write the function, simply and correctly.",
    "Think about the steps, then write the function.",
    "Follow the plan, step by step.",
    "Work out each step carefully, then write the function.",
    "Solve the problem in Python.",
)
"""Instructions for writing code."""
PLANNING = (
    "List the steps that solve this problem, one a line. Plan only.",
    "Plan first: which steps lead to the result?",
    "Break the problem into steps.",
)
"""Instructions for planning."""

_KINDS = (("direct", 30), ("plan", 25), ("planned", 15), ("reflect", 14), ("review", 4), ("revise", 4), ("vote", 8))
_DIRECT_DEPTHS, _OTHER_DEPTHS = (30, 40, 20, 10), (10, 20, 35, 35)


@dataclass(frozen=True, slots=True)
class Lesson:
    """A prompt and the right answer to it."""

    prompt: str
    answer: str


def lessons(seed: int, count: int) -> Iterator[Lesson]:
    """Yields lessons over compositions of the training split.

    Args:
        seed: Decides which.
        count: How many.
    """
    roll = random.Random(f"lessons/{seed}")  # noqa: S311 - reproducible on purpose
    kinds, weights = zip(*_KINDS, strict=True)
    for _ in range(count):
        kind = roll.choices(kinds, weights)[0]
        depth = roll.choices((1, 2, 3, 4), _DIRECT_DEPTHS if kind == "direct" else _OTHER_DEPTHS)[0]
        yield _lesson(kind, *draw_problem(roll, depth), roll)


def draw_problem(roll: random.Random, depth: int) -> tuple[Composition, Query, list[Any]]:
    """Returns a composition of the training split, a query for it, and the inputs that its tests would have."""
    while True:
        composition = compose(roll, depth)
        inputs = None if composition.held_out else draw_inputs(roll, composition)
        if inputs is not None:
            return composition, without_tests(composition, roll), inputs


def _lesson(kind: str, composition: Composition, query: Query, inputs: list[Any], roll: random.Random) -> Lesson:
    asked = {"problem": query.problem, "entry_point": query.entry_point}
    program = _fenced(query.reference)
    match kind:
        case "plan":
            return _ask(
                BUILTIN["Custom"], {"input": query.problem, "instruction": roll.choice(PLANNING)}, composition.plan()
            )
        case "direct" | "planned":
            more = {"context": composition.plan()} if kind == "planned" else {}
            return _ask(BUILTIN["CustomCodeGenerate"], asked | {"instruction": roll.choice(WRITING)} | more, program)
        case "vote":
            return _vote(composition, query, inputs, roll)
    wrong = _slip(composition, inputs, roll)
    shown = asked | {"solution": wrong.code(query.entry_point)}
    if kind == "reflect":
        return _ask(REFLECT, shown | {"failures": _failures(composition, wrong, query, inputs)}, program)
    advice = "The steps must be:\n" + composition.plan()
    if kind == "revise":
        return _ask(BUILTIN["Revise"], shown | {"feedback": advice}, program)
    right = roll.random() < 0.5
    solution = query.reference if right else shown["solution"]
    verdict = ("true", "Nothing.") if right else ("false", advice)
    answer = "<review_result>{}</review_result>\n<feedback>{}</feedback>".format(*verdict)
    return _ask(BUILTIN["Review"], asked | {"solution": solution}, answer)


def _ask(operator: Operator, values: dict[str, Any], answer: str) -> Lesson:
    return Lesson(f"{operator.render(values)}\n\n{form(operator.reply)}".strip(), answer)


def _fenced(code: str) -> str:
    return f"```python\n{code}\n```"


def _vote(composition: Composition, query: Query, inputs: list[Any], roll: random.Random) -> Lesson:
    """Shows several solutions, of which the right one is the commonest, or at least there."""
    count = roll.choice((3, 3, 5))
    right = roll.randint(max(1, count // 2), count - 1)
    wrong = [_slip(composition, inputs, roll).code(query.entry_point) for _ in range(count - right)]
    solutions = [query.reference] * right + wrong
    roll.shuffle(solutions)
    letters = "ABCDE"
    candidates = "\n\n".join(f"{letter}:\n{text}" for letter, text in zip(letters, solutions, strict=False))
    chosen = letters[solutions.index(query.reference)]
    answer = f"<thought>It agrees with most.</thought>\n<solution_letter>{chosen}</solution_letter>"
    return _ask(BUILTIN["ScEnsemble"], {"problem": query.problem, "candidates": candidates}, answer)


def _slip(composition: Composition, inputs: list[Any], roll: random.Random) -> Composition:
    """Returns the composition with a mistake that the feedback tests show."""
    shown = inputs[:FEEDBACK]
    for _ in range(40):
        wrong = _mistake(composition, roll)
        if wrong is not None and any(_outcome(wrong, value) != _outcome(composition, value) for value in shown):
            return wrong
    return Composition(composition.steps + composition.steps[-1:])


def _mistake(composition: Composition, roll: random.Random) -> Composition | None:
    """Leaves a step out, exchanges it, moves it, or gives it another parameter; None where that cannot be."""
    steps = list(composition.steps)
    at = roll.randrange(len(steps))
    step, parameter = steps[at]
    match roll.randrange(4):
        case 0 if len(steps) > 1:
            del steps[at]
        case 1 if at + 1 < len(steps):
            steps[at], steps[at + 1] = steps[at + 1], steps[at]
        case 2 if len(step.choices) > 1:
            steps[at] = (step, roll.choice([item for item in step.choices if item != parameter]))
        case 3:
            alike = [item for item in STEPS if (item.takes, item.gives) == (step.takes, step.gives) and item != step]
            if alike:
                other = roll.choice(alike)
                steps[at] = (other, roll.choice(other.choices) if other.choices else "")
    kinds = [(one.gives, two.takes) for (one, _), (two, _) in pairwise(steps)]
    fits = steps != list(composition.steps) and all(gives == takes for gives, takes in kinds)
    return Composition(tuple(steps)) if fits else None


def _outcome(composition: Composition, value: Any) -> str:
    try:
        return repr(composition.run(value))
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def _failures(right: Composition, wrong: Composition, query: Query, inputs: list[Any]) -> str:
    """Returns what the operator Test says about a wrong solution, as the sandbox words it."""
    shown = inputs[:FEEDBACK]
    cases = tests_of(right, query.entry_point, shown).cases
    results = [_result(case, right.run(value), wrong, value) for case, value in zip(cases, shown, strict=True)]
    return describe_failures(Verdict(tuple(results), "ok", "", "separated"))


def _result(case: Case, expected: Any, wrong: Composition, value: Any) -> TestResult:
    try:
        got = wrong.run(value)
    except Exception as error:
        return TestResult(case.id, "error", case.source, f"{type(error).__name__}: {error}")
    if got == expected:
        return TestResult(case.id, "pass", case.source)
    return TestResult(case.id, "fail", case.source, f"expected {expected!r}, got {got!r}")
