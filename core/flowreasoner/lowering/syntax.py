"""Small makers and readers of syntax trees that the passes of lowering share."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, TypeVar

from flowreasoner.workflow.program import self_call

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from flowreasoner.workflow.program import Program

__all__ = [
    "as_list",
    "assign",
    "awaits",
    "escapes",
    "gathered",
    "is_gather",
    "name_of",
    "operator_call",
    "place",
    "variables_read",
]

_Node = TypeVar("_Node", bound=ast.AST)


def awaits(node: ast.AST) -> bool:
    """Tells whether something is awaited in a piece of code."""
    return any(isinstance(part, ast.Await) for part in ast.walk(node))


def escapes(node: ast.stmt) -> bool:
    """Tells whether control may leave a statement for somewhere else than the next one."""
    if isinstance(node, ast.Return | ast.Break | ast.Continue):
        return True
    match node:
        case ast.For(body=body, orelse=orelse) | ast.While(body=body, orelse=orelse):
            return any(isinstance(part, ast.Return) for item in body for part in ast.walk(item)) or any(
                map(escapes, orelse)
            )
        case ast.If(body=body, orelse=orelse):
            return any(map(escapes, [*body, *orelse]))
        case ast.Try():
            inner = [*node.body, *node.orelse, *node.finalbody, *(part for item in node.handlers for part in item.body)]
            return any(map(escapes, inner))
    return False


def variables_read(nodes: Iterable[ast.AST]) -> Iterator[ast.Name]:
    """Yields the places where code reads a variable; ``name += value`` reads it, too."""
    for node in nodes:
        for part in ast.walk(node):
            if isinstance(part, ast.Name) and not isinstance(part.ctx, ast.Store):
                yield part
            elif isinstance(part, ast.AugAssign) and isinstance(part.target, ast.Name):
                yield part.target


def place(node: _Node, at: ast.AST) -> _Node:
    """Gives a new node, and the new nodes in it, the place of another."""
    for part in ast.walk(node):
        if not hasattr(part, "lineno") and "lineno" in part._attributes:
            ast.copy_location(part, at)
    return node


def name_of(name: str, at: ast.AST) -> ast.Name:
    """Returns a variable to read."""
    return ast.copy_location(ast.Name(name, ast.Load()), at)


def assign(name: str, value: ast.expr, at: ast.AST) -> ast.Assign:
    """Returns the statement ``name = value``."""
    return place(ast.Assign([ast.Name(name, ast.Store())], value), at)


def as_list(items: ast.expr) -> ast.expr:
    """Returns an expression for a new list of what a loop goes through."""
    match items:
        case ast.List() | ast.ListComp() | ast.Call(func=ast.Name(id=("list" | "sorted"))):
            return items
        case ast.Tuple(elts=elements):
            return ast.copy_location(ast.List(elements, ast.Load()), items)
    return ast.Call(ast.Name("list", ast.Load()), [items], [])


def gathered(awaitables: Iterable[ast.expr], at: ast.AST) -> ast.Await:
    """Returns the expression ``await asyncio.gather(...)``."""
    function = ast.Attribute(ast.Name("asyncio", ast.Load()), "gather", ast.Load())
    return place(ast.Await(ast.Call(function, list(awaitables), [])), at)


def is_gather(node: ast.AST) -> bool:
    """Tells whether an expression is a call of `asyncio.gather`."""
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id="asyncio"), attr="gather")):
            return not self_call(node)
    return False


def operator_call(node: ast.stmt, program: Program) -> ast.Call | None:
    """Returns the call in ``name = await self.operator(...)``, None for any other statement."""
    match node:
        case ast.Assign(targets=[ast.Name()], value=ast.Await(value=ast.Call() as call)):
            return call if self_call(call) in program.bindings else None
    return None
