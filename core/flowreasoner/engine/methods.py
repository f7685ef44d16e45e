"""Methods of values, within the budget."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from flowreasoner.engine.library import pairs
from flowreasoner.engine.operations import format_template
from flowreasoner.engine.values import ELEMENT, OrderedSet, drain, hashed, size_of, weigh
from flowreasoner.workflow.language import METHODS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from flowreasoner.budget import Meter

__all__ = ["call_method", "methods_of"]

_OF_ONE = frozenset({"add", "discard", "remove"})
_WIDE = frozenset({"center", "ljust", "rjust", "zfill", "expandtabs"})


def methods_of(value: Any) -> frozenset[str]:
    """Returns the methods that a value offers to workflows."""
    match value:
        case str():
            return METHODS["str"]
        case list():
            return METHODS["list"]
        case Counter():
            return METHODS["dict"] | METHODS["Counter"]
        case dict():
            return METHODS["dict"]
        case OrderedSet():
            return METHODS["set"]
        case tuple():
            return METHODS["tuple"]
        case Fraction():
            return METHODS["Fraction"]
        case float():
            return METHODS["float"]
        case int():
            return METHODS["int"]
    return METHODS["Match"] if type(value).__name__ == "Match" else frozenset()


def call_method(meter: Meter, value: Any, name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """Calls a method that `methods_of` lists, on settled arguments.

    Raises:
        BudgetExceeded: If the result has no room.
        Exception: Whatever the method itself raises.
    """
    if isinstance(value, str):
        return _call_str(meter, value, name, args, kwargs)
    if isinstance(value, dict | OrderedSet):
        args = _hashed_arguments(meter, value, name, args)
    if name in {"count", "index", "remove", "sort", "most_common", "elements"}:
        weigh(meter, value, *args)
    elif name == "extend":
        args = [drain(meter, items) for items in args]
    elif name in {"copy", "union", "intersection", "difference", "symmetric_difference"}:
        meter.allocate(size_of(value))
    else:
        meter.allocate(ELEMENT)
    return getattr(value, name)(*args, **kwargs)


def _hashed_arguments(meter: Meter, value: Any, name: str, args: Sequence[Any]) -> Sequence[Any]:
    """Returns the arguments of a dictionary's or set's method, charged for what of them is hashed."""
    if isinstance(value, OrderedSet):
        return [hashed(meter, item) if name in _OF_ONE else _hashed_items(meter, item) for item in args]
    if name == "update" and isinstance(value, Counter):
        return [items if isinstance(items, dict) else _hashed_items(meter, items) for items in args]
    if name == "update":
        return [items if isinstance(items, dict) else pairs(meter, items) for items in args]
    return [hashed(meter, args[0]), *args[1:]] if args else args


def _hashed_items(meter: Meter, items: Any) -> list[Any]:
    return [hashed(meter, item) for item in drain(meter, items)]


def _call_str(meter: Meter, text: str, name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    special = _STR.get(name)
    if special is not None:
        return special(meter, text, *args, **kwargs)
    if name in _WIDE:
        widest = max([arg for arg in (*args, *kwargs.values()) if isinstance(arg, int)], default=8)
        meter.allocate(max(widest, 0) * (text.count("\t") + 1 if name == "expandtabs" else 1))
    meter.allocate(len(text) + 1)
    result = getattr(text, name)(*args, **kwargs)
    if isinstance(result, list):
        meter.allocate(size_of(result))
    return result


def _join(meter: Meter, separator: str, items: Any) -> str:
    parts = drain(meter, items)
    meter.allocate(sum(len(part) if isinstance(part, str) else 1 for part in parts) + len(separator) * len(parts))
    return separator.join(parts)


def _replace(meter: Meter, text: str, old: Any, new: Any, count: Any = -1) -> str:
    if isinstance(old, str) and isinstance(new, str) and isinstance(count, int):
        found = text.count(old)
        times = found if count < 0 else min(found, count)
        meter.allocate(len(text) + times * len(new))
    return text.replace(old, new, count)


def _format(meter: Meter, text: str, *args: Any, **kwargs: Any) -> str:
    return format_template(meter, text, args, kwargs)


_STR: dict[str, Callable[..., Any]] = {"join": _join, "replace": _replace, "format": _format}
