"""What the checker says about a workflow: diagnostics with stable codes, and repairs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning"]

_LONGEST = 600
"""Longest message and remedy: both end up in prompts, and a hostile text could have names of any length."""


@dataclass(frozen=True, slots=True, order=True)
class Diagnostic:
    """One finding about a workflow.

    Attributes:
        line: 1-based line in the text that was given, 0 when the whole text is meant.
        column: 1-based column, 0 when the whole line is meant.
        code: Stable kebab-case identifier, listed in `docs/workflow-language.md`.
        severity: An ``"error"`` stops the workflow; a ``"warning"`` travels with it.
        message: What is wrong, naming the offending value.
        remedy: What to do about it.
    """

    line: int
    column: int
    code: str
    severity: Severity
    message: str
    remedy: str

    def __post_init__(self) -> None:
        for name in ("message", "remedy"):
            text = getattr(self, name)
            if len(text) > _LONGEST:
                object.__setattr__(self, name, f"{text[:_LONGEST]}…")

    def __str__(self) -> str:
        where = f"line {self.line}: " if self.line else ""
        return f"{where}{self.message} [{self.code}]; {self.remedy}"

    def to_json(self) -> dict[str, str | int]:
        """Returns the finding as the JSON object that ``flowreasoner check --json`` prints."""
        return {
            "code": self.code,
            "severity": self.severity,
            "line": self.line,
            "column": self.column,
            "message": self.message,
            "remedy": self.remedy,
        }
