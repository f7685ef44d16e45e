"""Tries results on values that no honest result equals, to find those that claim to equal everything.

What is asked, how often and in which order is drawn anew for each result, and each question is asked twice: an
object must not be able to tell the questions from those of the tests.
"""

from __future__ import annotations

import operator
import random
import string
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

__all__ = ["contradiction", "is_heap_type", "objects_in"]

_DEEPEST, _MOST_PROBED = 3, 200
_FEWEST, _MOST = 6, 14
_PLAIN = {type(None), bool, int, float, complex, str, bytes, bytearray, range}
_HEAP_TYPE = 1 << 9
_CONTAINERS = (list, tuple, set, frozenset, dict)
_flags_of, _ancestors_of = (vars(type)[name].__get__ for name in ("__flags__", "__mro__"))
# What a metaclass says of itself does not count.
_draw = random.SystemRandom()  # not to be guessed by a program that knows the seed


def is_heap_type(kind: type) -> bool:
    """Tells whether a class was made while the interpreter ran, whatever its metaclass says."""
    return bool(_flags_of(kind) & _HEAP_TYPE)


def objects_in(value: Any, depth: int = 0) -> Iterator[Any]:
    """Yields what is no plain data in a result, in any order, which may be the result itself."""
    kind = type(value)
    if kind in _PLAIN:
        return
    if kind in _CONTAINERS and depth < _DEEPEST:
        parts = [*value.keys(), *value.values()] if kind is dict else list(value)
        parts = _draw.sample(parts, min(len(parts), _MOST_PROBED))
        for part in parts:
            yield from objects_in(part, depth + 1)
    else:
        yield value


def contradiction(value: Any) -> str:
    """Returns what is impossible about the answers of one object, or an empty text."""
    numbers, texts = _numbers(), _texts()
    questions: list[Callable[[], str]] = [
        lambda: _equals_several(value, numbers),
        lambda: _equals_several(value, texts),
        lambda: _equals_several(value, [_draw.random() * _draw.choice((1, 1000)) for _ in _times()]),
        lambda: _equals_several(value, [[_draw.randrange(100)] for _ in _times()]),
        lambda: _equals_several(value, [_draw.choice(numbers), _draw.choice(texts), [], {}, None]),
        lambda: _on_both_sides(value),
        lambda: _at_one_distance(value, *_draw.sample(sorted(set(numbers)), 2)),
        lambda: _contains_everything(value),
    ]
    questions *= 2
    _draw.shuffle(questions)
    return next((found for ask in questions if (found := ask())), "")


def _times() -> range:
    return range(_draw.randint(_FEWEST, _MOST))


def _numbers() -> list[int]:
    """Returns different numbers of all sizes, small ones and neighbours among them."""
    middle = _draw.choice((0, _draw.randrange(-20, 200), _draw.randrange(-1000, 10**6)))
    return [*{*range(middle, middle + 3), *[_draw.randrange(10 ** _draw.randint(1, 6)) for _ in _times()]}]


def _texts() -> list[str]:
    letters = string.ascii_letters + string.digits + " .,-"
    return ["".join(_draw.choices(letters, k=_draw.randrange(1, 9))) for _ in _times()]


def _equals_several(value: Any, values: list[Any]) -> str:
    """Asks for each value whether it is equal, each twice."""
    distinct = [item for number, item in enumerate(values) if item not in values[:number]]
    _draw.shuffle(distinct)
    for same in (lambda item: value == item, lambda item: not operator.ne(value, item)):
        first, again = [[_holds(same, item) for item in distinct] for _ in range(2)]
        if sum(first) > 1 or sum(again) > 1:
            return "a result equals different values"
        if first != again:
            return "a result equals a value at one time and not at another"
    return ""


def _on_both_sides(value: Any) -> str:
    for low, high in ((-(10**9), 10**9), ("", "~")):
        below, above = _holds(operator.lt, value, low), _holds(operator.gt, value, low)
        if below and (above or _holds(operator.gt, value, high)):
            return "a result lies on both sides of a value"
    return ""


def _at_one_distance(value: Any, first: int, second: int) -> str:
    def same(distance: Callable[[int], Any]) -> bool:
        found = distance(first), distance(second)
        return found[0] == found[1] and {*map(type, found)} <= _PLAIN

    if _holds(same, lambda other: value - other) or _holds(same, lambda other: other - value):
        return "a result is at the same distance from different values"
    return ""


def _contains_everything(value: Any) -> str:
    if not any("__contains__" in vars(kind) for kind in _ancestors_of(type(value))):
        return ""  # to look for something in it would use it up
    strangers = [object(), _draw.random()]
    return "a result contains everything" if all(_holds(lambda item: item in value, item) for item in strangers) else ""


def _holds(relation: Callable[..., Any], *values: Any) -> bool:
    """Tells whether something is plainly true."""
    try:
        return relation(*values) is True
    except Exception:  # most results cannot be compared with most values
        return False
