"""The workflows of a page, each text once: source, prompts, drawing; and what changed from one to the next."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

from flowreasoner.errors import WorkflowInvalid
from flowreasoner.workflow import check
from flowreasoner_plugins.report.drawing import drawing
from flowreasoner_plugins.report.texts import shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flowreasoner.operators import Operator

__all__ = ["Workflows", "changes"]

_MOST_LINES = 1500
"""Lines of a text that is compared with another: comparing takes the square of their number."""


class Workflows:
    """Collects workflows; rounds name them by number.

    Args:
        operators: Operators that workflows may use, by class name.
    """

    def __init__(self, operators: Mapping[str, Operator]) -> None:
        self._operators = operators
        self._numbers: dict[tuple[str, str], int] = {}
        self.listed: list[dict[str, Any]] = []

    def number_of(self, source: str, prompt: str) -> int:
        """Returns the number of a workflow, which is taken up if it is new."""
        key = (source, prompt)
        if key not in self._numbers:
            self._numbers[key] = len(self.listed)
            self.listed.append(self._described(source, prompt))
        return self._numbers[key]

    def _described(self, source: str, prompt: str) -> dict[str, Any]:
        """Describes a workflow; it is checked anew, as only texts are stored."""
        report = check(source, prompt, self._operators)
        described: dict[str, Any] = {
            "source": shown(source),
            "prompt": shown(prompt),
            "prompts": None,
            "repairs": [shown(repair) for repair in report.repairs],
            "drawing": None,
            "undrawn": "",
        }
        if report.workflow is None:
            described["undrawn"] = "The checker refuses this workflow, so there is nothing to draw."
            return described
        described["prompts"] = {name: shown(text) for name, text in report.workflow.prompts.items()}
        try:
            described["drawing"] = drawing(report.workflow.program, self._operators)
        except WorkflowInvalid as error:
            described["undrawn"] = f"No graph can express this workflow: {shown(str(error))}"
        return described


def changes(before: str, after: str) -> list[list[str]] | None:
    """Returns the lines of two texts in one list, each with a mark.

    Returns:
        Pairs of ``"-"`` (only before), ``"+"`` (only after) or ``" "``, and the line; None where the texts are equal,
        or too long to be compared.
    """
    old, new = before.splitlines(), after.splitlines()
    if old == new or len(old) + len(new) > _MOST_LINES:
        return None
    lines: list[list[str]] = []
    for tag, old_start, old_end, new_start, new_end in difflib.SequenceMatcher(
        None, old, new, autojunk=False
    ).get_opcodes():
        if tag == "equal":
            lines += [[" ", line] for line in new[new_start:new_end]]
            continue
        lines += [["-", line] for line in old[old_start:old_end]]
        lines += [["+", line] for line in new[new_start:new_end]]
    return [[mark, shown(line)] for mark, line in lines]
