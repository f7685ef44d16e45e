"""Complexity of a workflow's syntax tree, a term of the paper's reward (§4.2) and a tie-breaker (Eq. 5)."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flowreasoner.workflow.program import Program

__all__ = ["Complexity", "complexity"]

_HALF = 12.0
"""Raw complexity that scores 0.5: about that of a test-and-retry workflow with five operator calls."""

_BRANCHES = (ast.If, ast.For, ast.While, ast.ExceptHandler, ast.IfExp, ast.comprehension)
_NESTING = (ast.If, ast.For, ast.While, ast.Try)


@dataclass(frozen=True, slots=True)
class Complexity:
    """The parts of a program's complexity.

    Attributes:
        cyclomatic: Independent paths: 1 + branches + boolean operators, over all methods.
        sites: Operator call sites.
        nesting: Deepest nesting of branches, loops and try statements.
    """

    cyclomatic: int
    sites: int
    nesting: int

    @property
    def raw(self) -> int:
        """Sum of the parts."""
        return self.cyclomatic + self.sites + self.nesting

    @property
    def score(self) -> float:
        """Complexity in [0, 1): ``raw / (raw + 12)``."""
        return self.raw / (self.raw + _HALF)


def complexity(program: Program) -> Complexity:
    """Measures a program."""
    nodes = [node for method in program.methods for node in method.walk()]
    branches = sum(isinstance(node, _BRANCHES) for node in nodes)
    booleans = sum(len(node.values) - 1 for node in nodes if isinstance(node, ast.BoolOp))
    nesting = max(_depth(statement) for method in program.methods for statement in method.body)
    return Complexity(1 + branches + booleans, len(program.sites), nesting)


def _depth(node: ast.AST) -> int:
    match node:
        case ast.If(orelse=[ast.If() as following]):  # an `elif` stands beside its `if`, not inside it
            return max(1 + max(map(_depth, node.body)), _depth(node.test), _depth(following))
    inner = max(map(_depth, ast.iter_child_nodes(node)), default=0)
    return inner + isinstance(node, _NESTING)
