"""Leaves out the money spent so far, which other frameworks count in their own way."""

from __future__ import annotations

import ast
import copy
from dataclasses import replace
from typing import TYPE_CHECKING

from flowreasoner.lowering.refusals import refused
from flowreasoner.lowering.syntax import variables_read
from flowreasoner.workflow.program import Program, is_cost

if TYPE_CHECKING:
    from flowreasoner.workflow.program import Method

__all__ = ["without_cost"]


def without_cost(program: Program) -> Program:
    """Returns a program that returns its answer alone.

    Raises:
        WorkflowInvalid: If the workflow uses the cost for anything else than to return it.
    """
    entry = program.entry
    body = [_Answers().visit(copy.deepcopy(statement)) for statement in entry.body]
    read = {name.id for name in variables_read(body)}
    body = [_Unread(read).visit(statement) for statement in body]
    entry = replace(entry, body=tuple(body))
    helpers = dict(program.helpers)
    for method in (entry, *helpers.values()):
        _check(method)
    return Program(program.bindings, entry, helpers, program.origin or program)


class _Answers(ast.NodeTransformer):
    """Keeps the first of what is returned."""

    def visit_Return(self, node: ast.Return) -> ast.AST:
        match node.value:
            case ast.Tuple(elts=[answer, *rest]) if all(isinstance(item, ast.Name) or is_cost(item) for item in rest):
                node.value = answer
        return node


class _Unread(ast.NodeTransformer):
    """Drops variables that were only there to return the cost."""

    def __init__(self, read: set[str]) -> None:
        self.read = read

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if name not in self.read and is_cost(value):
                return ast.copy_location(ast.Pass(), node)
        return node


def _check(method: Method) -> None:
    for node in method.walk():
        if is_cost(node):
            message = "the workflow decides by what was spent so far, which the framework does not tell it"
            raise refused(node, "cost-unknown", message, "return it beside the answer, or count rounds instead")
