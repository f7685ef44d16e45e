"""What happened in a run: each operator call, each model call in it, and what the workflow logged."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from flowreasoner.budget import Spending

__all__ = ["Call", "CallStatus", "Trace"]

CallStatus = Literal["running", "ok", "failed", "cancelled"]


@dataclass(slots=True)
class Call:
    """One operator call.

    Attributes:
        path: Position in the program's own order, e.g. ``"3"``, or ``"4.2.1"`` inside a gather; it does not
            depend on timing.
        operator: Operator class name.
        site: Name of the call site, e.g. ``custom_1``.
        line: Line of the call in the given text.
        inputs: Arguments, once they are known.
        outputs: Results, once they are known.
        start: Seconds since the run began when the operator started its work.
        end: Seconds since the run began when it ended.
        status: How it ended.
        error: What went wrong.
        spending: Tokens and dollars of its model calls.
    """

    path: str
    operator: str
    site: str
    line: int
    inputs: dict[str, Any] = field(default_factory=dict)
    outputs: dict[str, Any] = field(default_factory=dict)
    start: float | None = None
    end: float | None = None
    status: CallStatus = "running"
    error: str = ""
    spending: Spending = field(default_factory=Spending)

    def to_json(self) -> dict[str, Any]:
        """Returns the call as a JSON object."""
        return {
            "path": self.path,
            "operator": self.operator,
            "site": self.site,
            "line": self.line,
            "inputs": {name: _plain(value) for name, value in self.inputs.items()},
            "outputs": {name: _plain(value) for name, value in self.outputs.items()},
            "start": self.start,
            "end": self.end,
            "status": self.status,
            "error": self.error,
            "spending": self.spending.to_json(),
        }


@dataclass(slots=True)
class Trace:
    """All calls of one run in the program's order, and its log."""

    calls: list[Call] = field(default_factory=list)
    log: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Returns the trace as a JSON object."""
        return {"calls": [call.to_json() for call in self.calls], "log": self.log}


def _plain(value: Any) -> Any:
    """Returns a value as JSON can hold it."""
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    return value if isinstance(value, str | int | float | bool | None) else str(value)
