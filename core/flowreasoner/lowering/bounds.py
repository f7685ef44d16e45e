"""How many steps a run takes at most: what a framework's limit on steps should follow from."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flowreasoner.lowering.syntax import awaits, is_gather
from flowreasoner.workflow.program import self_call

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flowreasoner.workflow.program import Method, Program

__all__ = ["most_steps"]

_MOST = 100_000
_FAN_OUT = 3  # the step that asks, the samples, the step that collects


def most_steps(program: Program, method: Method, unbounded: int) -> int:
    """Returns the number of steps that a run of a lowered method takes at most.

    Args:
        program: The lowered program.
        method: One of its methods.
        unbounded: Rounds that a loop without a visible bound counts for.
    """
    return min(_MOST, _block(program, method.body, unbounded, 0) + 3)


def _block(program: Program, statements: Sequence[ast.stmt], unbounded: int, depth: int) -> int:
    return min(_MOST, sum(_statement(program, item, unbounded, depth) for item in statements))


def _statement(program: Program, node: ast.stmt, unbounded: int, depth: int) -> int:
    def inside(statements: Sequence[ast.stmt]) -> int:
        return _block(program, statements, unbounded, depth)

    match node:
        case ast.Assign(value=ast.Await(value=value)):
            name = self_call(value)
            if name in program.helpers and depth < 12:
                return 1 + _block(program, program.helpers[name].body, unbounded, depth + 1)
            return _FAN_OUT if is_gather(value) or not name else 1
        case ast.If(body=body, orelse=orelse):
            return 1 + max(inside(body), inside(orelse))
        case ast.For(iter=items, body=body, orelse=orelse) if _leaves_nodes(node):
            return 2 + _rounds(items, unbounded) * (1 + inside(body)) + inside(orelse)
        case ast.While(body=body, orelse=orelse) if _leaves_nodes(node):
            return 2 + unbounded * (1 + inside(body)) + inside(orelse)
        case ast.Try(body=body, handlers=handlers, orelse=orelse, finalbody=finalbody):
            return (
                3 + inside(body) + inside(orelse) + 2 * inside(finalbody) + sum(inside(item.body) for item in handlers)
            )
        case ast.Return():
            return 1
    return 0


def _leaves_nodes(node: ast.stmt) -> bool:
    """Tells whether a loop becomes steps of a graph, rather than a statement of one."""
    return awaits(node) or any(isinstance(part, ast.Return) for part in ast.walk(node))


def _rounds(items: ast.expr, unbounded: int) -> int:
    """Returns how often a loop goes round, where that is written down."""
    match items:
        case ast.Call(func=ast.Name(id="range"), args=args) if args and all(_number(arg) is not None for arg in args):
            return len(range(*(_number(arg) or 0 for arg in args))) if len(args) < 3 or _number(args[2]) else unbounded
        case ast.Call(func=ast.Name(id=("enumerate" | "list" | "reversed" | "sorted")), args=[inner, *_]):
            return _rounds(inner, unbounded)
        case ast.List(elts=elements) | ast.Tuple(elts=elements):
            return len(elements)
    return unbounded


def _number(node: ast.expr) -> int | None:
    match node:
        case ast.Constant(value=int(value)):
            return value
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int(value))):
            return -value
    return None
