"""Foreign text on its way into the page: nothing in it steers how it is shown, and nothing is without end."""

from __future__ import annotations

import json
from typing import Any

from flowreasoner.text import well_formed
from flowreasoner_plugins.cli.wording import printable

__all__ = ["MOST_CHARACTERS", "shown", "shown_values"]

MOST_CHARACTERS = 20_000
"""Characters of one text that get into the page; what is cut is told."""


def shown(text: str) -> str:
    """Returns text with control characters made visible, and cut where it is very long."""
    kept = printable(well_formed(text[:MOST_CHARACTERS].replace("\r\n", "\n")))
    left = len(text) - MOST_CHARACTERS
    return kept if left <= 0 else f"{kept}\n… {left:,} more characters, which this page leaves out"


def shown_values(values: dict[str, Any]) -> dict[str, str]:
    """Returns arguments or results by name, each as text; what is no text is written as JSON."""
    return {
        shown(str(name)): shown(value if isinstance(value, str) else json.dumps(value, indent=1))
        for name, value in values.items()
    }
