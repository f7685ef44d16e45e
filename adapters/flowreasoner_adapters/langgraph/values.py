"""The state's values: plain data that every checkpointer can store, and back to what a workflow computes with.

Strings, numbers, lists and dictionaries stand for themselves; what else a workflow may hold is an object of one
key that begins with a dollar sign.
"""

from __future__ import annotations

import builtins
import json
import re
from collections import Counter
from collections.abc import ItemsView, KeysView, MutableSet, ValuesView
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from flowreasoner.engine import Request
from flowreasoner.engine.values import OrderedSet
from flowreasoner.errors import OperatorError, WorkflowFailed
from flowreasoner.workflow.language import EXCEPTIONS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

__all__ = ["UNSET", "alike", "exception_named", "freeze", "links_of", "relink", "thaw", "thaw_variables"]

UNSET = {"$unset": True}
"""What the state holds for a variable without a value; LangGraph forgets no key."""

_PLAIN = (str, int, float, bool, type(None))
_SPECIAL = {"json.JSONDecodeError": json.JSONDecodeError, "re.error": re.error, "OperatorError": OperatorError}


class _NotStorable(TypeError):
    """A value is of a kind that no state holds."""


def freeze(value: Any, name: str = "") -> Any:
    """Returns a value as plain data, a copy.

    Args:
        value: What a workflow's variable holds.
        name: The variable, for the message.

    Raises:
        WorkflowFailed: If it holds a function, an iterator or the like.
    """
    try:
        return _freeze(value)
    except _NotStorable as problem:
        raise WorkflowFailed(f"the variable {name!r} holds {problem}, which the state of a graph cannot") from None


def _freeze(value: Any) -> Any:
    if isinstance(value, _PLAIN):
        return value
    match value:
        case Counter():
            return {"$counter": [[_freeze(key), count] for key, count in value.items()]}
        case dict() if all(isinstance(key, str) and not key.startswith("$") for key in value):
            return {key: _freeze(item) for key, item in value.items()}
        case dict():
            return {"$dict": [[_freeze(key), _freeze(item)] for key, item in value.items()]}
        case list() | KeysView() | ValuesView() | ItemsView():
            return [_freeze(item) for item in value]
        case tuple():
            return {"$tuple": [_freeze(item) for item in value]}
        case MutableSet():
            return {"$set": [_freeze(item) for item in value]}
        case range():
            return {"$range": [value.start, value.stop, value.step]}
        case Fraction():
            return {"$fraction": str(value)}
        case BaseException():
            return _freeze_error(value)
        case Request():
            return {"$call": {"step": value.step, "inputs": _freeze(value.inputs)}}
    raise _NotStorable(f"a {type(value).__name__}")


def _freeze_error(error: BaseException) -> dict[str, Any]:
    kind = type(error)
    name = next((known for known, other in _SPECIAL.items() if other is kind), kind.__name__)
    arguments = [str(error)]
    if name not in _SPECIAL and all(isinstance(item, _PLAIN) for item in error.args):
        arguments = list(error.args)
    return {"$error": [name, *arguments]}


def thaw(value: Any) -> Any:
    """Returns plain data as what it stands for, a copy."""
    if isinstance(value, list):
        return [thaw(item) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        key = next(iter(value))
        if key in _THAWED:
            try:
                return _THAWED[key](value[key])
            except (TypeError, ValueError, AttributeError, LookupError) as problem:
                raise WorkflowFailed(f"the state holds {key} with what it cannot stand for: {problem}") from None
    return {key: thaw(item) for key, item in value.items()}


def thaw_variables(state: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Returns those variables of a state that have a value."""
    return {name: thaw(state[name]) for name in names if name in state and state[name] != UNSET}


def _thaw_fraction(text: str) -> Fraction:
    if not re.fullmatch(r"-?\d{1,20000}(?:/\d{1,20000})?", text):
        raise ValueError(f"{text[:40]!r} is no fraction")
    return Fraction(text)


def _thaw_error(parts: list[Any]) -> BaseException:
    name, *arguments = parts
    if name == "json.JSONDecodeError":
        return json.JSONDecodeError(str(arguments[0]).partition(": line ")[0], "", 0)
    return exception_named(name)(*arguments)


def exception_named(name: str) -> type[Exception]:
    """Returns the exception class of a name in a workflow; `RuntimeError` for one that workflows do not know."""
    if name in _SPECIAL:
        return _SPECIAL[name]
    known = getattr(builtins, name, None) if name in EXCEPTIONS or name.endswith("Error") else None
    return known if isinstance(known, type) and issubclass(known, Exception) else RuntimeError


_THAWED: dict[str, Any] = {
    "$counter": lambda items: Counter({thaw(key): count for key, count in items}),
    "$dict": lambda items: {thaw(key): thaw(item) for key, item in items},
    "$tuple": lambda items: tuple(thaw(item) for item in items),
    "$set": lambda items: OrderedSet(thaw(item) for item in items),
    "$range": lambda bounds: range(*bounds),
    "$fraction": _thaw_fraction,
    "$error": _thaw_error,
    "$call": lambda call: Request(call["step"], thaw(call["inputs"])),
}


def alike(one: Any, other: Any) -> bool:
    """Tells whether two plain values are the same, kinds of numbers included."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return list(one) == list(other) and all(alike(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(alike, one, other))
    return bool(one == other)


# --- values that variables share ---


def links_of(variables: Mapping[str, Any]) -> list[list[list[Any]]]:
    """Returns the places of lists, dictionaries and sets that can be reached in more than one way.

    A place is the variable's name, then plain data for each key or index on the way.
    """
    places: dict[int, list[list[Any]]] = {}
    held = []  # so that no identity is given twice
    for path, value in _changeable(variables):
        places.setdefault(id(value), []).append(path)
        held.append(value)
    return [found for found in places.values() if len(found) > 1]


def relink(variables: dict[str, Any], links: list[list[list[Any]]]) -> None:
    """Makes variables share values again that were the same before they were stored, unless they were edited."""
    for first, *others in links:
        try:
            value = _reach(variables, first)
            for path in others:
                if _reach(variables, path) == value:
                    _put(variables, path, value)
        except (LookupError, NameError, TypeError):
            continue  # edited meanwhile


def _changeable(variables: Mapping[str, Any]) -> Iterator[tuple[list[Any], Any]]:
    """Yields the containers that can change, with their places; tuples are gone through as often as they occur."""
    seen: set[int] = set()
    stack: list[tuple[list[Any], Any]] = [([name], value) for name, value in variables.items()][::-1]
    while stack:
        path, value = stack.pop()
        if isinstance(value, list | dict | MutableSet):
            yield path, value
            if id(value) in seen:
                continue
            seen.add(id(value))
        if isinstance(value, list | tuple):
            stack += [([*path, index], item) for index, item in enumerate(value)]
        elif isinstance(value, dict):
            stack += [([*path, _freeze(key)], item) for key, item in value.items()]


def _reach(value: Any, path: list[Any]) -> Any:
    for key in path:
        value = value[thaw(key)]
    return value


def _put(variables: dict[str, Any], path: list[Any], value: Any) -> None:
    """Puts a value into its place; tuples on the way are made anew."""
    owner, key = _reach(variables, path[:-1]), thaw(path[-1])
    if isinstance(owner, tuple):
        _put(variables, path[:-1], (*owner[:key], value, *owner[key + 1 :]))
    else:
        owner[key] = value
