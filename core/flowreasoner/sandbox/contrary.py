"""Turns unittest classes into their contrary: in each test an assertion is changed so that a right program fails it.

Where program and tests share a process, a program can make assertions pass, read what they expect, or return
what equals everything. It cannot tell tests from their contrary without knowing the right answers, so whatever
passes both has proved nothing.
"""

from __future__ import annotations

import ast
import random
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from flowreasoner.python_source import parse_python
from flowreasoner.sandbox.near import another, written
from flowreasoner.sandbox.rewrite import is_test
from flowreasoner.sandbox.sure import may_be_left, sure_assertions

if TYPE_CHECKING:
    from flowreasoner.sandbox.suite import Suite

__all__ = ["contrary_of"]

_OPPOSITES = {
    "assertEqual": "assertNotEqual",
    "assertAlmostEqual": "assertNotAlmostEqual",
    "assertTrue": "assertFalse",
    "assertIs": "assertIsNot",
    "assertIsNone": "assertIsNotNone",
    "assertIn": "assertNotIn",
    "assertIsInstance": "assertNotIsInstance",
    "assertGreater": "assertLessEqual",
    "assertLess": "assertGreaterEqual",
    "assertRegex": "assertNotRegex",
}
_OPPOSITES |= {opposite: name for name, opposite in _OPPOSITES.items()}
_EQUALITIES = {
    "assertEqual", "assertListEqual", "assertDictEqual", "assertTupleEqual", "assertSetEqual", "assertCountEqual",
    "assertSequenceEqual", "assertMultiLineEqual",
}  # fmt: skip
_NOT_WRITTEN_OUT = object()
_draw = random.SystemRandom()


def contrary_of(suite: Suite) -> tuple[Suite, set[str]]:
    """Returns the contrary of a suite, and the ids of the tests in it that were changed.

    In a test with assertions that are reached for certain, only one of these is changed, drawn anew each time:
    were all changed, one that an otherwise wrong program holds honestly would hide that it passes the others
    whatever they expect. Where what an assertion expects is written out, it becomes another value that looks
    like it; other assertions are turned round.

    Args:
        suite: A suite of unittest classes.
    """
    tree = parse_python(suite.body)
    changed = set()
    for node in tree.body:
        for method in node.body if isinstance(node, ast.ClassDef) else ():
            if isinstance(node, ast.ClassDef) and is_test(method) and _turn(method):
                changed.add(f"{node.name}.{method.name}")
    return replace(suite, body=ast.unparse(ast.fix_missing_locations(tree))), changed


def _turn(method: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Changes what a test asserts, and tells whether it could."""
    if any("expectedFailure" in ast.unparse(decorator) for decorator in method.decorator_list):
        return False  # its contrary might pass as well as it
    sure = [node for node in sure_assertions(method.body) if _can_be_turned(node)]
    plain = [node for node in sure if _finds_written_out(node)]
    if plain and _draw.randrange(4):
        sure = plain
    change = _Contrary(_draw.choice(sure) if sure else None)
    change.visit(method)
    return change.changes > 0


class _Contrary(ast.NodeTransformer):
    """Changes what assertions expect where that is written out, and turns the others round.

    Args:
        only: The one assertion to change, None for all.
    """

    def __init__(self, only: ast.AST | None) -> None:
        self.changes = 0
        self._only = only

    def visit_Assert(self, node: ast.Assert) -> ast.Assert:
        """Changes a plain assertion."""
        if self._only in {None, node}:
            self.changes += 1
            if not _expects_another(node.test):
                return ast.Assert(ast.UnaryOp(ast.Not(), node.test), node.msg)
        return node

    def visit_With(self, node: ast.With) -> ast.With:
        """Leaves alone what is meant to raise: assertions that come after it are never reached."""
        return node if may_be_left(node) else self.generic_visit(node)  # type: ignore[return-value]

    def visit_AsyncWith(self, node: ast.AsyncWith) -> ast.AsyncWith:
        """Does the same where the block is asynchronous."""
        return node if may_be_left(node) else self.generic_visit(node)  # type: ignore[return-value]

    def visit_Call(self, node: ast.Call) -> ast.Call:
        """Changes an assertion of the framework's."""
        self.generic_visit(node)
        if self._only in {None, node} and _can_be_turned(node):
            self.changes += 1
            if not _finds_written_out(node) or not _expects_another(node):
                node.func.attr = _OPPOSITES[_assertion(node)]  # type: ignore[attr-defined]  # it has such a name
        return node


def _assertion(node: ast.AST) -> str:
    """Returns the name of the assertion that a call makes, or an empty text."""
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id="self"), attr=name)) if name.startswith("assert"):
            return name
    return ""


def _can_be_turned(node: ast.AST) -> bool:
    return isinstance(node, ast.Assert) or _assertion(node) in _OPPOSITES or _finds_written_out(node)


def _finds_written_out(node: ast.AST) -> bool:
    return _expectation(node) is not None


def _expects_another(node: ast.AST) -> bool:
    """Replaces what is expected by a value that looks like it, and tells whether it could."""
    found = _expectation(node)
    if found is None:
        return False
    holder, place, tolerance = found
    value = _value_of(holder[place])
    if _assertion(node) == "assertIn":
        holder[place] = written(type(value)(another(item, none_of=tuple(value)) for item in value))
    else:
        holder[place] = written(another(value, tolerance))
    return True


def _expectation(node: ast.AST) -> tuple[list[ast.expr], int, float] | None:
    """Returns where an assertion says what it expects, and by how much that may be missed."""
    match node:
        case ast.Assert(test=test):
            return _expectation(test)
        case ast.Compare(left=left, ops=[ast.Eq()], comparators=[right]) if _is_written_out(right):
            return (node.comparators, 0, 0.0) if not _is_written_out(left) else None
        case ast.Call(args=[ast.Compare() as test]) if _assertion(node) == "assertTrue":
            return _expectation(test)
        case ast.Call(args=[_, ast.List() | ast.Tuple() | ast.Set() as items]) if _assertion(node) == "assertIn":
            return (node.args, 1, 0.0) if _is_written_out(items) else None
        case ast.Call(args=args) if _assertion(node) in _EQUALITIES or _assertion(node) == "assertAlmostEqual":
            places = [place for place, arg in enumerate(args[:2]) if _is_written_out(arg)]
            tolerance = 0.0 if _assertion(node) in _EQUALITIES else _tolerance(node)
            return (args, places[-1], tolerance) if places and tolerance is not None else None
    return None


def _tolerance(node: ast.Call) -> float | None:
    """Returns by how much the sides of ``assertAlmostEqual`` may differ, None if that is not written out."""
    given = dict(zip(("first", "second", "places", "msg", "delta"), node.args, strict=False))
    given |= {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg}
    places, delta = (_value_of(given[name]) if name in given else None for name in ("places", "delta"))
    if delta is not None:
        return float(delta) if isinstance(delta, int | float) else None
    places = 7 if places is None else places
    return 10.0**-places if isinstance(places, int) else None


def _is_written_out(node: ast.expr) -> bool:
    return _value_of(node) is not _NOT_WRITTEN_OUT


def _value_of(node: ast.expr) -> Any:
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return _NOT_WRITTEN_OUT
