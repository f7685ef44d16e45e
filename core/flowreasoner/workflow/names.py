"""Which names a piece of code binds, reads and changes."""

from __future__ import annotations

import ast
from collections import Counter
from typing import TYPE_CHECKING

from flowreasoner.workflow.language import BUILTINS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flowreasoner.workflow.program import Method

__all__ = ["bound_names", "changed_names", "names_bound_twice", "read_names"]


def bound_names(method: Method) -> set[str]:
    """Returns the names that a method binds, those of its lambdas' parameters among them."""
    names = set()
    for node in method.walk():
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.ExceptHandler(name=str(name)):
                names.add(name)
            case ast.arg(arg=name) if name not in BUILTINS:
                names.add(name)
    return names


def names_bound_twice(body: Iterable[ast.stmt]) -> set[str]:
    """Returns the names that statements assign in more than one place."""
    stored = Counter(
        node.id
        for statement in body
        for node in ast.walk(statement)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    )
    return {name for name, times in stored.items() if times > 1}


def read_names(node: ast.AST) -> set[str]:
    """Returns the names that an expression reads."""
    return {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Load)}


def changed_names(body: Iterable[ast.stmt]) -> set[str]:
    """Returns the names that statements assign or may change by a method call or a subscript."""
    changed = set()
    for statement in body:
        for node in ast.walk(statement):
            match node:
                case ast.Name(id=name, ctx=ast.Store()):
                    changed.add(name)
                case ast.Call(func=ast.Attribute(value=ast.Name(id=name))):
                    changed.add(name)
                case ast.Subscript(value=ast.Name(id=name), ctx=ast.Store()):
                    changed.add(name)
    return changed
