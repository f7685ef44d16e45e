"""Which operations on strings may be postponed: those that cannot fail, whatever the strings are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flowreasoner.engine.pending import Pending
from flowreasoner.engine.values import depth_of, settle

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Settled", "is_plain_slice", "is_text", "total_method"]

# String methods that cannot fail on strings: type of the result, and how many string arguments they take.
_TOTAL: dict[str, tuple[type, range]] = {
    **dict.fromkeys(["capitalize", "casefold", "expandtabs", "lower", "swapcase", "title", "upper"], (str, range(1))),
    **dict.fromkeys(["lstrip", "rstrip", "strip"], (str, range(2))),
    **dict.fromkeys(["removeprefix", "removesuffix"], (str, range(1, 2))),
    "replace": (str, range(2, 3)),
    **dict.fromkeys(["endswith", "startswith"], (bool, range(1, 2))),
    **dict.fromkeys(["isalpha", "isdigit", "isspace"], (bool, range(1))),
}


def total_method(name: str, args: Sequence[Any]) -> type | None:
    """Returns the type of a string method's result where the call cannot fail, else None."""
    kind, counts = _TOTAL.get(name, (None, range(0)))
    return kind if len(args) in counts and all(type(arg) is str for arg in args) else None


def is_text(value: Any) -> bool:
    """Tells whether a value is a string, or certain to become one."""
    return isinstance(value, str) or (isinstance(value, Pending) and value.kind is str)


def is_plain_slice(key: Any) -> bool:
    """Tells whether a key is a slice that fits every string."""
    if not isinstance(key, slice) or key.step is not None:
        return False
    return all(bound is None or isinstance(bound, int) for bound in (key.start, key.stop))


class Settled(Pending):
    """An operand of a lazy operation: a value with pending parts, settled when it is needed."""

    __slots__ = ("_inner",)

    def __init__(self, inner: Any) -> None:
        self.kind, self.depth = None, depth_of(inner)
        self._inner = inner

    async def value(self) -> Any:
        """Waits for everything pending in the value."""
        return await settle(self._inner)
