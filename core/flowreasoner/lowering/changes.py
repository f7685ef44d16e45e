"""Which helper methods change what they are given, in place."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flowreasoner.lowering.effects import CHANGING
from flowreasoner.workflow.program import self_call

if TYPE_CHECKING:
    from flowreasoner.workflow.program import Method, Program

__all__ = ["changes_arguments"]


def changes_arguments(program: Program, method: Method, called: frozenset[str] = frozenset()) -> bool:
    """Tells whether a method changes a list, dictionary or set that it is given.

    A parameter that the method binds to something new counts as the method's own.

    Args:
        program: The program, for the helpers that the method calls.
        method: The method.
        called: Methods that are looked at already.
    """
    given = _aliases(method)
    called |= {method.name}
    for node in method.walk():
        match node:
            case ast.Call() if (name := self_call(node)) in program.helpers.keys() - called:
                handed = [*node.args, *(item.value for item in node.keywords)]
                if any(map(given.__contains__, map(_owner, handed))) and changes_arguments(
                    program, program.helpers[name], called
                ):
                    return True
            case ast.Call(func=ast.Attribute(value=owner, attr=change)) if change in CHANGING:
                if _owner(owner) in given:
                    return True
            case ast.Subscript(value=owner, ctx=ast.Store()) if _owner(owner) in given:
                return True
            case ast.AugAssign(target=target, value=ast.List() | ast.ListComp()) if _owner(target) in given:
                return True
    return False


def _aliases(method: Method) -> set[str]:
    """Returns the variables that may hold what the method was given."""
    bound = [node for node in method.walk() if isinstance(node, ast.Assign)]
    own = {target.id for node in bound for target in node.targets if isinstance(target, ast.Name)}
    given = {*method.parameters} - own
    changed = True
    while changed:
        found = {
            target.id
            for node in bound
            if _owner(node.value) in given
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        changed = not found <= given
        given |= found
    return given


def _owner(node: ast.expr) -> str:
    """Returns the variable of ``name``, ``name[0]["key"]``; an empty text for any other expression."""
    while isinstance(node, ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""
