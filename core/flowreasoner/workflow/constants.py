"""Constants of a workflow: what counts as one, and where its value can stand in its place."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flowreasoner.workflow.language import BUILTINS

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Sequence

    from flowreasoner.workflow.structure import Structure

__all__ = ["CHANGING", "check_default", "is_literal", "only_read", "touched_names"]

_MOST_PARTS = 100

CHANGING = frozenset("add append clear discard extend insert pop popitem remove reverse setdefault sort update".split())
"""Methods that change what they are called on."""

_IN_DEFAULTS = (
    ast.Constant, ast.List, ast.Tuple, ast.Dict, ast.Set, ast.UnaryOp, ast.BinOp,
    ast.operator, ast.unaryop, ast.expr_context,
)  # fmt: skip


def is_literal(node: ast.expr) -> bool:
    """Tells whether an expression is a constant, or a non-empty display of constants.

    An empty list or dictionary is no constant: it is there to be filled, and a workflow has no state but its
    local variables. Nor is one that holds another: what is taken out of it could be changed.
    """
    match node:
        case ast.Constant():
            return True
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float())):
            return True
        case ast.List(elts=parts) | ast.Tuple(elts=parts) | ast.Set(elts=parts):
            return 0 < len(parts) <= _MOST_PARTS and all(map(_is_fixed, parts))
        case ast.Dict(keys=keys, values=values):
            parts = [key for key in keys if key is not None]
            whole = 0 < len(keys) == len(parts) <= _MOST_PARTS
            return whole and all(map(_is_fixed, [*parts, *values]))
    return False


def _is_fixed(node: ast.expr) -> bool:
    return is_literal(node) and not isinstance(node, ast.List | ast.Dict | ast.Set)


def touched_names(statements: Iterable[ast.stmt]) -> list[str]:
    """Returns the names that module-level statements set more than once, conditionally, or otherwise touch."""
    names: list[str] = []
    once: set[str] = set()
    for statement in statements:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                names += [name] if name in once else []
                once.add(name)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef() | ast.Import() | ast.ImportFrom():
                pass
            case _:
                names += [node.id for node in ast.walk(statement) if isinstance(node, ast.Name)]
    return names


def only_read(node: ast.AST, helpers: Container[str]) -> Sequence[ast.expr]:
    """Returns the parts of a node that it only reads, so that a constant can stand there."""
    match node:
        case ast.For(iter=part) | ast.comprehension(iter=part) | ast.Subscript(value=part, ctx=ast.Load()):
            return [part]
        case ast.Compare(comparators=parts):
            return parts
        case ast.FormattedValue(value=part):
            return [part]
        case ast.BinOp(left=left, right=right):
            return [left, right]
        case ast.Call(func=ast.Attribute(value=ast.Name(id="self"), attr=name)) if name not in helpers:
            return [*node.args, *(keyword.value for keyword in node.keywords)]  # operators get copies
        case ast.Call(func=ast.Name(id=name), args=parts) if name in BUILTINS:
            return parts
        case ast.Call(func=ast.Attribute(value=ast.Name(id="random"), attr=name), args=parts) if name != "shuffle":
            return parts
        case ast.Call(func=ast.Attribute(value=ast.Name(id="json" | "math")), args=parts):
            return parts
        case ast.Call(func=ast.Attribute(value=part, attr=name), args=parts) if name not in CHANGING:
            return [part, *parts] if name == "join" else [part]
    return []


def check_default(default: ast.expr, found: Structure) -> ast.expr:
    """Refuses a default that is not made of constants: nothing else looks into it."""
    plain = (str, int, float, type(None))
    for part in ast.walk(default):
        if not isinstance(part, _IN_DEFAULTS) or (isinstance(part, ast.Constant) and not isinstance(part.value, plain)):
            message = f"the default {ast.unparse(default)[:60]!r} is no constant"
            found.refuse(default, "forbidden-syntax", message, "write a constant, or None and an if in the method")
            break
    return default
