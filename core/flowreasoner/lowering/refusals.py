"""The error for what no target framework can express."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flowreasoner.errors import WorkflowInvalid
from flowreasoner.workflow.diagnostics import Diagnostic

if TYPE_CHECKING:
    import ast

__all__ = ["refused"]


def refused(node: ast.AST, code: str, message: str, remedy: str) -> WorkflowInvalid:
    """Returns the error to raise, with the place of the code in question.

    Args:
        node: The code.
        code: Stable name of the reason; docs/backends.md lists them.
        message: What cannot be expressed.
        remedy: What to write instead.
    """
    line, column = getattr(node, "lineno", 0), getattr(node, "col_offset", -1) + 1
    return WorkflowInvalid([Diagnostic(line, column, code, "error", message, remedy)])
