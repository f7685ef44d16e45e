"""What the rewriting of one method has at hand, and which variables a statement certainly binds."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flowreasoner.lowering.syntax import operator_call, variables_read

if TYPE_CHECKING:
    from flowreasoner.lowering.effects import Effects
    from flowreasoner.lowering.kinds import Kinds
    from flowreasoner.lowering.names import Names
    from flowreasoner.lowering.totality import Totality
    from flowreasoner.workflow.program import Method, Program

__all__ = ["MethodScope", "bound_after"]


@dataclass(frozen=True)
class MethodScope:
    """What is known of the method that is being rewritten.

    Attributes:
        program: The flat program.
        method: The method as it was.
        names: Gives new names.
        kinds: Kinds of the variables.
        totality: What cannot fail.
        effects: What code reads and changes.
        added: Helper methods that the rewriting adds.
    """

    program: Program
    method: Method
    names: Names
    kinds: Kinds
    totality: Totality
    effects: Effects
    added: dict[str, Method]

    def site(self, statement: ast.stmt) -> str:
        """Returns the name of the call site in an operator call's statement."""
        call = operator_call(statement, self.program)
        assert call is not None  # noqa: S101 - asked of operator calls only
        return self.program.site_of(call).name

    def used_outside(self, name: str, loop: ast.stmt) -> bool:
        """Tells whether a variable is read anywhere in the method but in one loop, found by its place."""
        inside = {
            (node.lineno, node.col_offset) for node in ast.walk(loop) if isinstance(node, ast.Name) and node.id == name
        }
        return any(
            node.id == name and (node.lineno, node.col_offset) not in inside
            for node in variables_read(self.method.body)
        )


def bound_after(node: ast.stmt) -> set[str]:
    """Returns the variables that certainly have a value once a statement was passed."""
    match node:
        case ast.Assign(targets=targets):
            return {
                part.id
                for target in targets
                for part in ast.walk(target)
                if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)
            }
        case ast.AugAssign(target=ast.Name(id=name)):
            return {name}
        case ast.If(body=body, orelse=orelse):
            return _of_block(body) & _of_block(orelse)
    return set()


def _of_block(statements: list[ast.stmt]) -> set[str]:
    return {name for statement in statements for name in bound_after(statement)}
