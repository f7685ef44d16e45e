"""Makes faulty variants of a correct program, as the wrong half of a pool of known quality."""

from __future__ import annotations

import ast
import copy
from typing import TYPE_CHECKING

from flowreasoner.python_source import parse_python

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["mutants"]

_SWAPS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.Lt: ast.GtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.LtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.And: ast.Or,
    ast.Or: ast.And,
}


def mutants(source: str, most: int = 24) -> list[str]:
    """Returns distinct programs that each differ from a correct one in a single place.

    Args:
        source: A correct program.
        most: How many at most.

    Returns:
        Programs that parse. A few may be equivalent to the original; nothing here runs them.
    """
    tree = parse_python(source)
    original = ast.unparse(tree)
    found: dict[str, None] = {}
    for changed in _changes(tree):
        text = ast.unparse(ast.fix_missing_locations(changed))
        if text != original:
            found[text] = None
    texts = list(found)
    step = max(1, len(texts) // most)
    return texts[::step][:most]


def _changes(tree: ast.Module) -> Iterator[ast.Module]:
    for index, node in enumerate(ast.walk(tree)):
        for variant in _variants(node):
            other = copy.deepcopy(tree)
            target = next(item for position, item in enumerate(ast.walk(other)) if position == index)
            if variant(target):
                yield other


def _variants(node: ast.AST) -> list[Callable[[ast.AST], bool]]:
    match node:
        case ast.BinOp() | ast.BoolOp() if type(node.op) in _SWAPS:
            return [_swap_operator]
        case ast.Compare() if type(node.ops[0]) in _SWAPS:
            return [_swap_comparison]
        case ast.Constant(value=int()) if not isinstance(node.value, bool):
            return [_shift]
        case ast.Return(value=ast.expr()):
            return [_return_none]
        case ast.If():
            return [_negate]
        case ast.AugAssign() if type(node.op) in _SWAPS:
            return [_swap_operator]
    return []


def _swap_operator(node: ast.AST) -> bool:
    node.op = _SWAPS[type(node.op)]()  # type: ignore[attr-defined]
    return True


def _swap_comparison(node: ast.AST) -> bool:
    node.ops[0] = _SWAPS[type(node.ops[0])]()  # type: ignore[attr-defined]
    return True


def _shift(node: ast.AST) -> bool:
    node.value += 1  # type: ignore[attr-defined]
    return True


def _return_none(node: ast.AST) -> bool:
    node.value = None  # type: ignore[attr-defined]
    return True


def _negate(node: ast.AST) -> bool:
    node.test = ast.UnaryOp(ast.Not(), node.test)  # type: ignore[attr-defined]
    return True
