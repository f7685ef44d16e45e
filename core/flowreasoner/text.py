"""Text that comes from outside: made fit to be sent, stored and printed."""

from __future__ import annotations

__all__ = ["shorten", "well_formed"]


def well_formed(text: str) -> str:
    """Returns text in which lone surrogates, which cannot be sent or stored, are question marks."""
    return text.encode("utf-8", "replace").decode()


def shorten(text: str, width: int) -> str:
    """Returns text as one line of at most `width` characters."""
    line = " ".join(text.split())
    return line if len(line) <= width else f"{line[: width - 1]}…"
