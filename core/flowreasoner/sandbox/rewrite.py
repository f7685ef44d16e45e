"""Rewrites test modules: asserts record how they came out, and tests that are not kept disappear."""

from __future__ import annotations

import ast
from functools import partial
from typing import TYPE_CHECKING

from flowreasoner.python_source import parse_python

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from typing import TypeGuard

__all__ = ["Sites", "is_test", "keep_methods", "keep_sites"]

_SITE, _RECORD = "__site__", "__record__"  # the harness offers the first; the second is what it yields


class Sites(ast.NodeTransformer):
    """Turns each assert into a block that records it, so that one failure does not hide the rest.

    ``assert f(x) == y`` becomes ``with __site__(n) as __record__: __record__(f(x), y)``, which can report
    both sides; any other assert becomes a block with ``__record__(condition)``.

    Attributes:
        sources: The asserts as they are shown, by number.
        unreachable: Whether each is an ``assert False``.
    """

    def __init__(self, first: int = 0, *, one_site: bool = False) -> None:
        self.first, self.one_site = first, one_site
        self.sources: list[str] = []
        self.unreachable: list[bool] = []

    def visit_Assert(self, node: ast.Assert) -> ast.With:
        """Replaces one assert."""
        number = self.first + (0 if self.one_site else len(self.sources))
        self.sources.append(ast.unparse(ast.Assert(node.test)))
        self.unreachable.append(isinstance(node.test, ast.Constant) and not node.test.value)
        match node.test:
            case ast.Compare(left=left, ops=[ast.Eq()], comparators=[right]):
                sides = [left, right]
            case condition:
                sides = [condition]
        site = ast.Call(ast.Name(_SITE, ast.Load()), [ast.Constant(number)], [])
        record = ast.Expr(ast.Call(ast.Name(_RECORD, ast.Load()), sides, []))
        block = ast.With([ast.withitem(site, ast.Name(_RECORD, ast.Store()))], [record])
        return ast.fix_missing_locations(ast.copy_location(block, node))


def _number_of(node: ast.AST) -> ast.Constant | None:
    """Returns the number of a recording block, None for any other node."""
    match node:
        case ast.With(
            items=[ast.withitem(context_expr=ast.Call(func=ast.Name(id=name), args=[ast.Constant() as number]))]
        ) if name == _SITE:
            return number
    return None


def keep_sites(source: str, kept: Collection[int]) -> str:
    """Returns a rewritten check module with only the `kept` sites, renumbered from 0.

    Statements between the tests stay where a kept test may rest on what they did, that is, where they call
    something. What only served the tests that are gone goes with them: loops, constants and helpers.
    """
    tree = parse_python(source)
    before = _read_names(tree)

    def is_other(node: ast.AST) -> bool:
        number = _number_of(node)
        return number is not None and number.value not in kept

    _Without(is_other).visit(tree)
    order = {old: new for new, old in enumerate(sorted(kept))}
    for site in filter(None, map(_number_of, ast.walk(tree))):
        site.value = order[site.value]  # type: ignore[index]  # `Sites` wrote an integer
    return _tidied(tree, before)


def keep_methods(source: str, names: Collection[str]) -> str:
    """Returns a unittest module with only the test methods in `names`, each ``Class.method``."""
    tree = parse_python(source)
    before = _read_names(tree)
    emptied = []
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            tests = [member for member in node.body if is_test(member)]
            gone = [test for test in tests if f"{node.name}.{test.name}" not in names]
            node.body = [member for member in node.body if member not in gone] or [ast.Pass()]
            emptied += [node] if tests and len(gone) == len(tests) else []
    read = _read_names(tree)
    tree.body = [node for node in tree.body if node not in emptied or node.name in read]
    return _tidied(tree, before)


def is_test(node: ast.AST) -> TypeGuard[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Tells whether a member of a class is a test method."""
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test")


class _Without(ast.NodeTransformer):
    """Takes out statements, and the loops and conditions that held nothing else."""

    def __init__(self, unwanted: Callable[[ast.AST], bool]) -> None:
        self.unwanted = unwanted
        self.taken = 0

    def visit(self, node: ast.AST) -> ast.AST | None:
        """Returns the node without what is unwanted in it, None for an unwanted node."""
        if self.unwanted(node):
            self.taken += 1
            return None
        self.generic_visit(node)
        if isinstance(node, ast.Try | ast.TryStar) and not node.handlers and not node.finalbody:
            node.finalbody = [ast.Pass()]
        if getattr(node, "body", None) == []:
            match node:
                case ast.While(orelse=[]):  # it might now never end
                    return None
                case ast.For(orelse=[], iter=header) | ast.If(orelse=[], test=header) if _is_pure(header):
                    return None
            node.body = [ast.Pass()]  # type: ignore[attr-defined]  # it has a body, and that is a list
        return node


def _tidied(tree: ast.Module, before: Collection[str]) -> str:
    """Takes out the constants and helpers that were read before and are no longer, and returns the source."""
    taken = 1
    while taken:
        assigned = {id(target) for node in ast.walk(tree) for target in _constant_targets(node)}
        unread = set(before) - _read_names(tree)
        unread -= {
            node.id
            for node in ast.walk(tree)
            if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load) and id(node) not in assigned
        }
        tidy = _Without(partial(_serves_only, names=unread))
        tidy.visit(tree)
        taken = tidy.taken
    return ast.unparse(ast.fix_missing_locations(tree))


def _serves_only(node: ast.AST, names: Collection[str]) -> bool:
    """Tells whether a node does nothing but give a value to some of the names."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return node.name in names and not node.decorator_list
    targets = _constant_targets(node)
    return bool(targets) and all(target.id in names for target in targets)


def _constant_targets(node: ast.AST) -> list[ast.Name]:
    """Returns the names that an assignment binds to a value that calls nothing; none for any other node."""
    match node:
        case ast.Assign(targets=targets, value=value) if _is_pure(value):
            names = [target for target in targets if isinstance(target, ast.Name)]
            return names if len(names) == len(targets) else []
        case ast.AnnAssign(target=ast.Name() as target, value=ast.expr() as value) if _is_pure(value):
            return [target]
    return []


def _is_pure(node: ast.AST) -> bool:
    effects = (ast.Call, ast.Await, ast.Yield, ast.YieldFrom, ast.NamedExpr)
    return not any(isinstance(part, effects) for part in ast.walk(node))


def _read_names(tree: ast.AST) -> set[str]:
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
