"""Turns unittest classes into their contrary: each assertion is changed so that a right program fails it.

Where program and tests share a process, a program can make assertions pass, read what they expect, or return
what equals everything. It cannot tell tests from their contrary without knowing the right answers, so whatever
passes both has proved nothing.
"""

from __future__ import annotations

import ast
import random
from dataclasses import replace
from typing import TYPE_CHECKING

from flowreasoner.python_source import parse_python
from flowreasoner.sandbox.rewrite import is_test

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
    "assertEqual", "assertAlmostEqual", "assertListEqual", "assertDictEqual", "assertTupleEqual", "assertSetEqual",
    "assertCountEqual", "assertSequenceEqual", "assertMultiLineEqual",
}  # fmt: skip


def contrary_of(suite: Suite) -> tuple[Suite, set[str]]:
    """Returns the contrary of a suite, and the ids of the tests in it that were changed.

    Args:
        suite: A suite of unittest classes.
    """
    tree = parse_python(suite.body)
    changed = set()
    for node in tree.body:
        for method in node.body if isinstance(node, ast.ClassDef) else ():
            if isinstance(node, ast.ClassDef) and is_test(method):
                change = _Contrary()
                change.visit(method)
                if change.changes:
                    changed.add(f"{node.name}.{method.name}")
    return replace(suite, body=ast.unparse(ast.fix_missing_locations(tree))), changed


class _Contrary(ast.NodeTransformer):
    """Changes what assertions expect where that is written out, and turns the others round."""

    def __init__(self) -> None:
        self.changes = 0
        self._random = random.SystemRandom()

    def visit_Assert(self, node: ast.Assert) -> ast.Assert:
        """Turns a plain assertion round."""
        self.changes += 1
        return ast.Assert(ast.UnaryOp(ast.Not(), node.test), node.msg)

    def visit_Call(self, node: ast.Call) -> ast.Call:
        """Changes an assertion of the framework's."""
        self.generic_visit(node)
        match node.func:
            case ast.Attribute(value=ast.Name(id="self"), attr=name):
                written = [n for n, arg in enumerate(node.args[:2]) if name in _EQUALITIES and _is_written_out(arg)]
                if written:
                    node.args[written[-1]] = self._another(node.args[written[-1]])
                    self.changes += 1
                elif name in _OPPOSITES:
                    node.func.attr = _OPPOSITES[name]
                    self.changes += 1
        return node

    def _another(self, node: ast.expr) -> ast.expr:
        """Returns a value of the same kind that is another one."""
        match node:
            case ast.Constant(value=bool(value)):
                return ast.Constant(not value)
            case ast.Constant(value=int() | float() as value):
                return ast.Constant(value + self._random.randrange(1000, 100_000))
            case ast.Constant(value=str(value)):
                return ast.Constant(
                    "".join(self._random.choices("abcdefghijklmnopqrstuvwxyz", k=len(value) or 1)) + value
                )
            case ast.Constant(value=bytes(value)):
                return ast.Constant(self._random.randbytes(2) + value)
            case ast.UnaryOp(op=op, operand=operand):
                return ast.UnaryOp(op, self._another(operand))
            case ast.List(elts=[*_, last]) | ast.Tuple(elts=[*_, last]) | ast.Set(elts=[*_, last]):
                node.elts[-1] = self._another(last)
                return node
            case ast.Dict(values=[*_, last]):
                node.values[-1] = self._another(last)
                return node
        return ast.Constant(self._random.randrange(1000, 100_000))


def _is_written_out(node: ast.expr) -> bool:
    try:
        ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False
    return True
