"""Reads the logs of a training, ``log.jsonl``: one JSON object per step."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from flowreasoner.errors import QueryError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["read_log"]


def read_log(path: Path) -> list[dict[str, float]]:
    """Returns the numbers of each step, in order.

    Of a step that was made twice, as after a resumption, the later line counts. Lines that were cut short are left out.

    Raises:
        QueryError: If it cannot be read, or no line has a step.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise QueryError(f"cannot read the log {str(path)!r}: {error}") from None
    by_step: dict[float, dict[str, float]] = {}
    for line in lines:
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if isinstance(record, dict) and isinstance(record.get("step"), int):
            numbers = {name: float(value) for name, value in record.items() if isinstance(value, int | float)}
            by_step[numbers["step"]] = numbers
    if not by_step:
        raise QueryError(f"the log {str(path)!r} has no line with a step; give the log.jsonl of a training")
    return [by_step[step] for step in sorted(by_step)]
