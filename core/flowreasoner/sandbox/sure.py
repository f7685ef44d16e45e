"""Finds the assertions of a test that are reached whenever all before them hold."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["may_be_left", "sure_assertions"]

_LEAVES = (ast.Return, ast.Raise, ast.Break, ast.Continue)
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
_CATCH = ("assertRaises", "suppress", "raises")


def sure_assertions(statements: Sequence[ast.stmt]) -> Iterator[ast.Assert | ast.Call]:
    """Yields assert statements and calls that stand alone, down to the first statement that may leave the test.

    Args:
        statements: Body of a test.
    """
    for statement in statements:
        match statement:
            case ast.Assert():
                yield statement
            case ast.Expr(value=ast.Call() as call):
                yield call
            case ast.With(body=body) | ast.AsyncWith(body=body) if not may_be_left(statement):
                yield from sure_assertions(body)
            case ast.For(iter=ast.List(elts=[_, *_]) | ast.Tuple(elts=[_, *_]), body=body):
                yield from sure_assertions(body)
        if any(isinstance(node, _LEAVES) or _skips(node) for node in _within(statement)):
            return


def may_be_left(block: ast.With | ast.AsyncWith) -> bool:
    """Tells whether a block catches what is raised in it, so that its end may not be reached."""
    return any(name in ast.unparse(item) for item in block.items for name in _CATCH)


def _within(node: ast.AST) -> Iterator[ast.AST]:
    """Yields the parts of a statement that run with it."""
    if not isinstance(node, _SCOPES):
        yield node
        for part in ast.iter_child_nodes(node):
            yield from _within(part)


def _skips(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and node.attr in {"skipTest", "SkipTest"}
