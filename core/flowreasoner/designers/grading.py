"""Grades an answer: with the query's tests in the sandbox, or with its metric."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from flowreasoner.errors import QueryError
from flowreasoner.operators import extract_code
from flowreasoner.sandbox import TestResult

if TYPE_CHECKING:
    from flowreasoner.query import Query
    from flowreasoner.sandbox import Sandbox, Suite

__all__ = ["Grade", "answer_text", "grade_answer", "grade_with_suite"]

_LONGEST_OUTPUT = 500
_PLAIN_METRIC = (["query", "answer"], ["q", "a"])
_PYTHON_FORMATS = {"asserts", "check", "unittest", "io"}


@dataclass(frozen=True, slots=True)
class Grade:
    """A graded answer: what was graded, its score in [0, 1], test outcomes, and what a metric said."""

    answer: str
    score: float
    tests: tuple[TestResult, ...] = ()
    note: str = ""


async def grade_answer(answer: str, query: Query, sandbox: Sandbox) -> Grade:
    """Grades an answer with the query's metric, or with its feedback tests.

    Raises:
        SandboxError: If the sandbox itself fails.
        QueryError: If the metric raises or returns no number, or the query has neither.
    """
    if query.metric is not None:
        return await _grade_with_metric(answer, query)
    if query.feedback is None:
        raise QueryError(f"query {query.id!r} has neither tests nor a metric")
    return await grade_with_suite(answer, query.feedback, sandbox)


async def grade_with_suite(answer: str, suite: Suite, sandbox: Sandbox) -> Grade:
    """Grades an answer with a suite of tests."""
    text = answer_text(answer, suite)
    if suite.format in _PYTHON_FORMATS and not text.strip():
        tests = [TestResult(case.id, "error", case.source, "the answer contains no code") for case in suite.cases]
        return Grade(answer, 0.0, tuple(tests))
    verdict = await sandbox.grade(text, suite)
    printed = verdict.output.strip()[-_LONGEST_OUTPUT:]
    note = f"the program printed: {printed}" if printed and not verdict.passed else ""
    return Grade(text, verdict.pass_rate, verdict.tests, note)


def answer_text(answer: str, suite: Suite) -> str:
    """Returns what of an answer is graded: the program in it, where the suite tests programs."""
    if suite.format in _PYTHON_FORMATS or (suite.format == "command" and suite.answer_file.endswith(".py")):
        return extract_code(answer, suite.entry_point) or ("" if suite.format in _PYTHON_FORMATS else answer)
    return answer


async def _grade_with_metric(answer: str, query: Query) -> Grade:
    """Calls ``score(query, answer)``, or DSPy's ``metric(example, prediction)`` with the objects it expects."""
    metric = query.metric
    assert metric is not None  # noqa: S101 - asked by the caller
    name = getattr(metric, "__name__", type(metric).__name__)
    try:
        value = metric(*_arguments(metric, query, answer))
        if inspect.isawaitable(value):
            value = await value
    except Exception as error:
        raise QueryError(f"the metric {name!r} raised {type(error).__name__}: {error}") from error
    score, note = getattr(value, "score", value), getattr(value, "feedback", "")
    if isinstance(score, bool) or not isinstance(score, int | float):
        if not isinstance(score, bool):
            raise QueryError(f"the metric {name!r} must return a number or a bool, not {score!r:.60}")
        score = float(score)
    if not 0 <= score <= 1:
        raise QueryError(f"the metric {name!r} must return a number between 0 and 1, not {score!r:.60}")
    return Grade(answer, float(score), (), str(note or ""))


def _arguments(metric: Any, query: Query, answer: str) -> tuple[Any, ...]:
    try:
        names = list(inspect.signature(metric).parameters)
    except (TypeError, ValueError):
        names = []
    if names[:2] in _PLAIN_METRIC:
        return query, answer
    example = query.example
    if example is None:
        example = SimpleNamespace(**{"question": query.problem, "problem": query.problem} | dict(query.metadata))
    return example, SimpleNamespace(answer=answer, response=answer, solution=answer)
