"""Operators: the kinds of step that a workflow is made of."""

from flowreasoner.operators.builtin import BUILTIN, WRITE_TESTS, by_name, describe_failures
from flowreasoner.operators.replies import ReplyUnreadable, extract_code
from flowreasoner.operators.spec import REQUIRED, FieldKind, Operator, OperatorField, Toolkit

__all__ = [
    "BUILTIN",
    "REQUIRED",
    "WRITE_TESTS",
    "FieldKind",
    "Operator",
    "OperatorField",
    "ReplyUnreadable",
    "Toolkit",
    "by_name",
    "describe_failures",
    "extract_code",
]
