"""How amounts and foreign text are written for people."""

from __future__ import annotations

from flowreasoner.text import shorten

__all__ = ["clock", "model_name", "money", "one_line", "price", "printable", "told"]

_LONGEST_TOLD = 200

_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160)) if chr(code) not in "\n\t"}
_CONTROLS |= {code: f"\\u{code:04x}" for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))}  # text direction


def money(usd: float) -> str:
    """Returns dollars, with as many digits as small amounts need."""
    return f"${usd:.2f}" if usd >= 1 or usd == 0 else f"${usd:.4f}"


def price(usd: float, unpriced_calls: int) -> str:
    """Returns dollars, or what is known of them where the price of some calls is not."""
    if not unpriced_calls:
        return money(usd)
    return f"over {money(usd)}" if usd else "price unknown"


def clock(seconds: float) -> str:
    """Returns seconds as ``0.4 s``, ``12 s`` or ``3:05``."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def model_name(name: str) -> str:
    """Returns a model's name without its settings, which the stored run and ``--json`` have."""
    return name.partition("?")[0]


def printable(text: str) -> str:
    """Returns text without control characters: what a model wrote must not steer the terminal."""
    return text.translate(_CONTROLS)


def told(modification: str, *, valid: bool) -> str:
    """Returns what a round changed, in the meta-agent's words, as one line of which a screen holds several."""
    words = one_line(shorten(modification, _LONGEST_TOLD))
    if not valid:
        return f"refused: {words}" if words else "refused"
    return words or "not described"


def one_line(text: str) -> str:
    """Returns text as one printable line."""
    return printable(" ".join(text.split()))
