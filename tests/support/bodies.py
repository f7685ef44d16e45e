"""Statements that tests of the engine put into workflows, and workers' replies that fail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["CALL", "SAMPLES", "failing"]

CALL = "await self.custom(input=problem, instruction='i')"
SAMPLES = f"texts = []\nfor i in range(5):\n    r = {CALL}\n    texts.append(r['response'])\n"


def failing(**by_instruction: Exception) -> Callable[[str, dict[str, Any]], dict[str, Any]]:
    """Returns a worker's reply that raises what is given for the call's instruction."""

    def reply(_: str, inputs: dict[str, Any]) -> dict[str, Any]:
        error = by_instruction.get(inputs.get("instruction", ""))
        if error is not None:
            raise error
        return {}

    return reply
