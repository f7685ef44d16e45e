"""The values that workflows compute with: sizes, copies, settling what is pending, sets in a stable order."""

from __future__ import annotations

from collections import Counter
from collections.abc import ItemsView, Iterable, Iterator, KeysView, MappingView, MutableSet, ValuesView
from fractions import Fraction
from itertools import islice
from typing import TYPE_CHECKING, Any

from flowreasoner.engine.pending import Original, Pending, Promise

if TYPE_CHECKING:
    from flowreasoner.budget import Meter

__all__ = [
    "ELEMENT",
    "MAX_BITS",
    "OrderedSet",
    "depth_of",
    "drain",
    "has_pending",
    "hashed",
    "settle",
    "size_of",
    "snapshot",
    "weigh",
]

MAX_BITS = 65_536
"""Largest integer, in bits."""

ELEMENT = 16
"""What an element of a container costs, in characters."""

_MAX_DEPTH = 60
_CHUNK = 1_000


class OrderedSet(MutableSet[Any]):
    """A set that iterates in insertion order, so that a run does not depend on hash randomisation."""

    def __init__(self, items: Iterable[Any] = ()) -> None:
        self._items = dict.fromkeys(items)

    def __contains__(self, item: object) -> bool:
        return item in self._items

    def __iter__(self) -> Iterator[Any]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __repr__(self) -> str:
        return "{" + ", ".join(map(repr, self._items)) + "}" if self._items else "set()"

    def add(self, item: Any) -> None:
        """Adds an item."""
        self._items[item] = None

    def discard(self, item: Any) -> None:
        """Removes an item, if it is there."""
        self._items.pop(item, None)

    def copy(self) -> OrderedSet:
        """Returns a shallow copy."""
        return OrderedSet(self)

    def update(self, *others: Iterable[Any]) -> None:
        """Adds all items of the others."""
        for other in others:
            for item in other:
                self.add(item)

    def union(self, *others: Iterable[Any]) -> OrderedSet:
        """Returns the items of this set and of all others."""
        result = self.copy()
        result.update(*others)
        return result

    def intersection(self, *others: Iterable[Any]) -> OrderedSet:
        """Returns the items that all others have too."""
        kept = [set(other) for other in others]
        return OrderedSet(item for item in self if all(item in other for other in kept))

    def difference(self, *others: Iterable[Any]) -> OrderedSet:
        """Returns the items that no other has."""
        gone = [set(other) for other in others]
        return OrderedSet(item for item in self if not any(item in other for other in gone))

    def symmetric_difference(self, other: Iterable[Any]) -> OrderedSet:
        """Returns the items that exactly one of the two has."""
        other = OrderedSet(other)
        return self.difference(other).union(other.difference(self))

    def issubset(self, other: Iterable[Any]) -> bool:
        """Tells whether the other has all items."""
        other = set(other)
        return all(item in other for item in self)

    def issuperset(self, other: Iterable[Any]) -> bool:
        """Tells whether this set has all items of the other."""
        return all(item in self for item in other)


def size_of(value: Any) -> int:
    """Returns the size of a value itself, without what it contains, in characters."""
    if isinstance(value, str):
        return len(value)
    if isinstance(value, list | tuple | dict | OrderedSet | MappingView):
        return len(value) * ELEMENT
    if isinstance(value, int):
        return value.bit_length() >> 5
    if isinstance(value, Fraction):
        return (value.numerator.bit_length() + value.denominator.bit_length()) >> 5
    return 1


def _children(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return [item for pair in value.items() for item in pair]
    return value if isinstance(value, list | tuple | OrderedSet | KeysView | ValuesView | ItemsView) else ()


def weigh(meter: Meter, *values: Any) -> None:
    """Charges the size of whole values, counting shared parts as often as they occur.

    Printing, comparing or copying a value takes that long, however little memory it holds.

    Raises:
        BudgetExceeded: If they are too large.
        ValueError: If they are nested too deeply.
    """
    stack = [(value, 0) for value in values]
    while stack:
        value, depth = stack.pop()
        meter.allocate(size_of(value) + ELEMENT)
        if depth > _MAX_DEPTH:
            raise ValueError(f"a value nests more than {_MAX_DEPTH} levels deep")
        stack.extend((child, depth + 1) for child in _children(value))


def hashed(meter: Meter, key: Any) -> Any:
    """Charges for hashing a key, and returns it.

    A tuple's hash goes through all that the tuple contains, shared parts as often as they occur.

    Raises:
        BudgetExceeded: If it is too large.
    """
    if isinstance(key, tuple):
        weigh(meter, key)
    return key


def _pending_in(value: Any) -> Iterator[Pending]:
    """Yields the pending values in a value, those inside shared parts once."""
    seen: dict[int, Any] = {}  # with what was seen, so that no other value gets its id meanwhile
    stack = [value]
    while stack:
        current = stack.pop()
        if isinstance(current, Pending):
            yield current
        elif isinstance(current, list | tuple | dict | MappingView) and id(current) not in seen:
            seen[id(current)] = current
            stack.extend(_children(current))


def has_pending(value: Any) -> bool:
    """Tells whether a value is pending or contains something that is."""
    return next(_pending_in(value), None) is not None


def depth_of(value: Any) -> int:
    """Returns the length of the longest chain of postponed operations in a value."""
    return max((pending.depth for pending in _pending_in(value)), default=0)


def snapshot(meter: Meter, value: Any) -> Any:
    """Returns a copy that later changes of the program do not reach; pending parts stay as they are."""
    if isinstance(value, list | tuple | dict | OrderedSet):
        weigh(meter, value)
    return _copy(value)


def _copy(value: Any) -> Any:
    if isinstance(value, Promise):
        return Original(value) if value.untouched else _copy(value.taken)
    if isinstance(value, list):
        return [_copy(item) for item in value]
    if isinstance(value, tuple):
        return tuple(_copy(item) for item in value)
    if isinstance(value, Counter):
        return Counter(value)
    if isinstance(value, dict):
        return {key: _copy(item) for key, item in value.items()}
    return value.copy() if isinstance(value, OrderedSet) else value


async def settle(value: Any) -> Any:
    """Waits for everything pending in a value; lists and dictionaries are filled in place."""
    if isinstance(value, Pending):
        value = await value.value()
    if not has_pending(value):
        return value
    return await _settle_inside(value, {})


async def _settle_inside(value: Any, done: dict[int, tuple[Any, Any]]) -> Any:
    """Settles a value; `done` holds what was settled before by its `id`, both before and after."""
    if isinstance(value, Pending):
        value = await value.value()
    if not isinstance(value, list | dict | tuple | MappingView):
        return value
    if id(value) not in done:
        if isinstance(value, list | dict | MappingView):
            done[id(value)] = value, value  # known before its parts are, as it may contain itself
        done[id(value)] = value, await _settle_parts(value, done)
    return done[id(value)][1]


async def _settle_parts(value: Any, done: dict[int, tuple[Any, Any]]) -> Any:
    if isinstance(value, list | dict):
        for key, item in list(enumerate(value) if isinstance(value, list) else value.items()):
            value[key] = await _settle_inside(item, done)
        return value
    parts = [await _settle_inside(item, done) for item in value]
    if isinstance(value, tuple):
        return tuple(parts)
    # A view's dictionary cannot be reached from it, so this is a view of another one.
    return dict(parts).items() if isinstance(value, ItemsView) else dict(enumerate(parts)).values()


def drain(meter: Meter, items: Iterable[Any]) -> list[Any]:
    """Returns the items of an iterable as a list, charging for them as they come."""
    if isinstance(items, list | tuple | dict | OrderedSet | str | KeysView | ValuesView | ItemsView):
        meter.allocate(len(items) * ELEMENT)
        return list(items)
    iterator, result = iter(items), []
    while chunk := list(islice(iterator, _CHUNK)):
        meter.allocate(len(chunk) * ELEMENT)
        result.extend(chunk)
    return result
