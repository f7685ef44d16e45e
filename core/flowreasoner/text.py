"""Text that comes from outside, made fit to be sent, stored and printed; and how names are shown in messages."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["did_you_mean", "listing", "shorten", "well_formed"]

_LONGEST_NAME = 60
_MOST_NAMES = 500


def well_formed(text: str) -> str:
    """Returns text in which lone surrogates, which cannot be sent or stored, are question marks."""
    return text.encode("utf-8", "replace").decode()


def shorten(text: str, width: int) -> str:
    """Returns text as one line of at most `width` characters."""
    line = " ".join(text.split())
    return line if len(line) <= width else f"{line[: width - 1]}…"


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Returns ``", did you mean 'x'?"`` for the closest known name, or an empty string."""
    known = list(known)
    by_fold = {item.lower().replace("_", ""): item for item in known}
    close = by_fold.get(name.lower().replace("_", ""))
    if close is None and len(name) <= _LONGEST_NAME and len(known) <= _MOST_NAMES:  # comparing takes its time
        short = [item for item in known if len(item) <= _LONGEST_NAME]
        close = next(iter(difflib.get_close_matches(name, short, n=1, cutoff=0.6)), None)
    return f", did you mean {close!r}?" if close else ""


def listing(names: Iterable[str], limit: int = 12) -> str:
    """Returns names as readable text: ``a, b and c``, cut after `limit` of them."""
    items = sorted(names)
    if not items:
        return "none"
    if len(items) > limit:
        return ", ".join(items[:limit]) + f" and {len(items) - limit} more"
    return " and ".join(filter(None, [", ".join(items[:-1]), items[-1]]))
