"""The operators by which an object sees what it is compared with."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

__all__ = ["ARRAYS", "EQUALITY", "OPERATORS", "missing"]

EQUALITY = frozenset({"__eq__", "__ne__"})
ARRAYS = frozenset({"__array_ufunc__", "__array_function__"})
"""By which numpy asks an object to compare itself."""

_ORDERING = {"__lt__", "__le__", "__gt__", "__ge__"}
_SIGNS = "add sub mul matmul truediv floordiv mod divmod pow lshift rshift and xor or".split()
_ARITHMETIC = {f"__{way}{sign}__" for sign in _SIGNS for way in ("", "r", "i")} - {"__idivmod__"}
OPERATORS = EQUALITY | ARRAYS | _ORDERING | _ARITHMETIC | {"__contains__"}


def missing(value: Any, name: str, *others: Any) -> Any:
    """Does what the interpreter does where a class has no such operator."""
    if name != "__contains__":
        return NotImplemented
    return any(item is others[0] or item == others[0] for item in iter(value))
