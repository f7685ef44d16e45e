"""Statements as the text of a function's body, for the modules that adapters write."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flowreasoner.workflow.unparse import unparse

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["indented", "statement", "without_unused"]


def statement(text: str) -> ast.stmt:
    """Returns a statement of our own making, parsed."""
    return ast.parse(text).body[0]


def indented(statements: Sequence[ast.stmt], by: int = 4) -> list[str]:
    """Returns statements as lines, indented."""
    text = unparse(ast.fix_missing_locations(ast.Module(list(statements), [])))
    return [" " * by + line if line else "" for line in text.split("\n")] if text else []


def without_unused(statements: list[ast.stmt]) -> list[ast.stmt]:
    """Leaves out variables of a function that nothing in it reads."""
    read = {
        part.id
        for item in statements
        for part in ast.walk(item)
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load)
    }
    read |= {
        part.target.id
        for item in statements
        for part in ast.walk(item)
        if isinstance(part, ast.AugAssign) and isinstance(part.target, ast.Name)
    }

    class Unused(ast.NodeTransformer):
        def visit_Assign(self, node: ast.Assign) -> ast.AST | None:
            match node.targets:
                case [ast.Name(id=name)] if name not in read:
                    return None if isinstance(node.value, ast.Name | ast.Constant) else ast.Expr(node.value)
            return node

        def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.AST:
            self.generic_visit(node)
            node.body = node.body or [ast.Pass()]
            if node.name and node.name not in read:
                node.name = None
            return node

    made: list[ast.stmt] = []
    for item in statements:
        changed = Unused().visit(item)
        if changed is not None:
            made.append(changed)
    return [_filled(item) for item in made]


def _filled(node: ast.stmt) -> ast.stmt:
    """Puts `pass` where a block has become empty."""
    for part in ast.walk(node):
        if isinstance(part, ast.If | ast.For | ast.While | ast.Try) and not part.body:
            part.body = [ast.Pass()]
    return node
