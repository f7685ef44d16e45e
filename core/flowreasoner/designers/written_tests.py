"""Tests for a query that comes without any: the worker writes them, and the result says so."""

from __future__ import annotations

import ast
import random
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from flowreasoner.errors import OperatorError, QueryError
from flowreasoner.events import TestsWritten
from flowreasoner.operators import WRITE_TESTS
from flowreasoner.operators.toolkit import ModelToolkit
from flowreasoner.python_source import parse_python
from flowreasoner.sandbox import Suite

if TYPE_CHECKING:
    from flowreasoner.designers.workbench import Workbench
    from flowreasoner.query import Query

__all__ = ["usable_asserts", "with_written_tests"]

_MOST_TESTS = 8


async def with_written_tests(query: Query, bench: Workbench) -> Query:
    """Returns the query with feedback tests, written by the worker where it has neither tests nor metric.

    Raises:
        QueryError: If the worker wrote none that can be used.
    """
    if query.feedback is not None or query.metric is not None:
        return query
    draw = f"{bench.seed}/tests"
    source = random.Random(draw)  # noqa: S311 - reproducible on purpose
    meter = bench.meter
    toolkit = ModelToolkit(
        bench.worker, bench.sandbox, None, query.entry_point, draw, source, meter.charge, meter.permit
    )
    named = query.entry_point or _named_function(query.problem)
    inputs = {"problem": query.problem, "entry_point": named or "the_function"}
    try:
        reply = await WRITE_TESTS(toolkit, inputs)
    except OperatorError as error:
        raise QueryError(f"{_NO_TESTS}: {error}") from None
    tests = usable_asserts(reply["tests"], named)
    if not tests:
        raise QueryError(_NO_TESTS)
    entry_point = named or _tested_function(tests[0])
    bench.emit(TestsWritten(tuple(tests)))
    suite = Suite.asserts(tests, entry_point)
    return replace(query, feedback=suite, entry_point=entry_point, policy="written")


_NO_TESTS = (
    "the query has no tests, and the worker wrote none that can be used; give tests in the query file, "
    "a command with --check, or a metric; another seed asks the worker anew"
)
_NAMED = re.compile(r"\b(?:function|def|write|implement|define|complete)\s+`?([A-Za-z_]\w*)\(", re.I)


def _named_function(problem: str) -> str:
    """Returns the function that a problem names, as in "Write a function is_leap(year)", or nothing."""
    found = _NAMED.search(problem)
    return found[1] if found else ""


def usable_asserts(code: str, entry_point: str) -> list[str]:
    """Returns the plain ``assert f(...) == ...`` statements among what a worker wrote, without repeats.

    Args:
        code: The worker's code.
        entry_point: Function that each must call; any single one when empty.
    """
    try:
        tree = parse_python(code)
    except SyntaxError:
        return []
    found: dict[str, None] = {}
    for node in tree.body:
        if not isinstance(node, ast.Assert):
            continue
        text = ast.unparse(ast.Assert(node.test))
        name = _tested_function(text)
        if name and (not entry_point or name == entry_point):
            entry_point = entry_point or name
            found[text] = None
    return list(found)[:_MOST_TESTS]


def _tested_function(test: str) -> str:
    """Returns the function that an assert calls first; builtins around it, such as `sorted`, do not count."""
    calls = [node for node in ast.walk(ast.parse(test)) if isinstance(node, ast.Call)]
    names = [call.func.id for call in calls if isinstance(call.func, ast.Name)]
    around = {"abs", "dict", "len", "list", "round", "set", "sorted", "str", "sum", "tuple", "isinstance"}
    return next((name for name in names if name not in around), "")
