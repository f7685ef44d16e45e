"""Other values that look like a given one, for tests that must not be told from the right ones by what they expect."""

from __future__ import annotations

import ast
import math
import random
import string
from typing import Any

__all__ = ["another", "written"]

_draw = random.SystemRandom()
_KINDS = (string.ascii_lowercase, string.ascii_uppercase, string.digits, " \t\n", string.punctuation)
_TRIES = 20


def another(value: Any, tolerance: float = 0.0, *, none_of: tuple[Any, ...] = ()) -> Any:
    """Returns plain data that differs from other data as little as wrong answers do.

    Args:
        value: Plain data: numbers, texts and containers of them.
        tolerance: By how much numbers may differ and still count as equal; what is returned differs by more.
        none_of: What it must not be either.
    """
    for _ in range(_TRIES):
        found = _changed(value, tolerance)
        if found != value and found not in none_of:
            return found
    return _draw.randrange(1000, 100_000) + tolerance


def _changed(value: Any, tolerance: float) -> Any:
    match value:
        case bool():
            return not value
        case int():
            return _integer(value, tolerance)
        case float() | complex():
            return _number(value, tolerance)
        case str():
            return _text(value)
        case bytes():
            place = _draw.randrange(len(value) or 1)
            return value[:place] + bytes([_draw.randrange(256)]) + value[place + 1 :]
        case dict():
            key = _draw.choice(list(value) or [_draw.randrange(10)])
            return value | {key: _changed(value.get(key), tolerance)}
        case list() | tuple() | set():
            items = list(value) or [None]
            place = _draw.randrange(len(items))
            items[place] = _changed(items[place], tolerance)
            return type(value)(items)
    return _draw.choice((0, 1, "", False))


def _integer(value: int, tolerance: float) -> int:
    """Returns a neighbour, or a number with one digit changed."""
    digits = list(str(abs(value)))
    if tolerance >= 1 or len(digits) == 1 or _draw.randrange(2):
        return value + _draw.choice((-1, 1)) * (math.ceil(2 * tolerance) + _draw.randint(1, 2))
    place = _draw.randrange(len(digits))
    digits[place] = _draw.choice("123456789")
    return int("".join(digits)) * (-1 if value < 0 else 1)


def _number(value: Any, tolerance: float) -> Any:
    """Returns a number that is off by some per cent, or by some of the smallest steps that are told apart."""
    if not math.isfinite(abs(value)):
        return 1.0
    part = abs(value) * _draw.choice((0.003, 0.02, 0.1)) or _draw.choice((0.01, 0.5, 1.0))
    step = max(part, tolerance * 3) * _draw.uniform(1.0, 2.0)
    other = value + _draw.choice((-1, 1)) * step
    places = max(0, 3 - math.floor(math.log10(step)))
    return round(other, places) if isinstance(other, float) else other


def _text(value: str) -> str:
    """Returns a text of the same length with one character changed for one of its kind, or two exchanged."""
    if not value:
        return _draw.choice(string.ascii_lowercase)
    place = _draw.randrange(len(value))
    if place and _draw.randrange(4) == 0:
        return value[: place - 1] + value[place] + value[place - 1] + value[place + 1 :]
    kind = next((kind for kind in _KINDS if value[place] in kind), string.ascii_letters)
    return value[:place] + _draw.choice(kind) + value[place + 1 :]


def written(value: Any) -> ast.expr:
    """Returns plain data as it is written in a program."""
    match value:
        case dict():
            return ast.Dict([written(key) for key in value], [written(item) for item in value.values()])
        case list():
            return ast.List([written(item) for item in value], ast.Load())
        case tuple():
            return ast.Tuple([written(item) for item in value], ast.Load())
        case set() if value:
            return ast.Set([written(item) for item in value])
        case set():
            return ast.Call(ast.Name("set", ast.Load()), [], [])
    return ast.Constant(value)
