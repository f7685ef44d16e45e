"""Python values as JSON and back, between a program and its tests.

What arrives is built from exact built-in types only, so that no method of the sender's is ever called:
an `int` subclass that claims to equal everything arrives as the plain number it holds. What is not data
crosses as a reference, if the two sides have agreed on one.
"""

from __future__ import annotations

import builtins
import collections
import datetime
import decimal
import fractions
import functools
import uuid
from typing import TYPE_CHECKING

from .wire import WireError

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Refer = Callable[[Any], list[Any]]
    Resolve = Callable[[list[Any]], Any]

MOST_NODES = 200_000
DEEPEST = 150
_MOST_FIELDS = 100
_EXACT_INT = 1 << 53  # JSON readers elsewhere may hold numbers as doubles; larger ones cross as text
_SEQUENCES: dict[type, str] = {list: "l", tuple: "t", set: "s", frozenset: "z", collections.deque: "q"}
_MAPPINGS: dict[type, str] = {
    dict: "d", collections.Counter: "m", collections.OrderedDict: "o", collections.defaultdict: "u",
}  # fmt: skip
_MAKE_MAPPING: dict[str, Callable[[dict[Any, Any]], Any]] = {
    "d": lambda items: items,
    "m": collections.Counter,
    "o": collections.OrderedDict,
    "u": lambda items: collections.defaultdict(None, items),
}


@functools.lru_cache(maxsize=64)
def _named(name: str, *fields: str) -> type:
    """Returns the class of named tuples with these fields."""
    if len(fields) > _MOST_FIELDS:
        raise WireError("too many fields")
    return collections.namedtuple(name, fields)


_BUILDERS: dict[str, Callable[[list[Any]], Any]] = {
    "l": list,
    "t": tuple,
    "s": set,
    "z": frozenset,
    "q": collections.deque,
    "k": lambda items: dict.fromkeys(items).keys(),
    "v": lambda items: dict(enumerate(items)).values(),
    "w": lambda items: dict(items).items(),
    "I": iter,
    "S": lambda items: slice(*items),
    "N": lambda items: _named(*map(str, items[0]))(*items[1:]),
}
_VIEWS: dict[type, str] = {type({}.keys()): "k", type({}.values()): "v", type({}.items()): "w"}
_TYPES = {
    name: kind
    for name, kind in vars(builtins).items()
    if isinstance(kind, type) and (issubclass(kind, BaseException) or kind in {
        int, str, float, bool, list, dict, set, tuple, frozenset, bytes, bytearray, complex, range, object, type,
    })
}  # fmt: skip
_NAMES = {kind: name for name, kind in _TYPES.items()}


def refuse(value: Any) -> list[Any]:
    """Refers to nothing: for values of which only data may cross."""
    raise WireError(f"a {type(value).__name__} is not plain data")


class Encoder:
    """Turns values into JSON.

    Args:
        refer: Returns the reference that stands for a value that is not data.
    """

    def __init__(self, refer: Refer = refuse) -> None:
        self._refer = refer
        self._left = MOST_NODES

    def encode(self, value: Any, depth: int = 0) -> Any:
        """Returns a value in its JSON form.

        Raises:
            WireError: If it is too large or nested too deeply.
        """
        self._left -= 1
        if self._left < 0 or depth > DEEPEST:
            raise WireError("the value is too large or nested too deeply to be compared")
        kind: type = type(value)
        if value is None or kind is bool:
            return value
        if kind is str:
            self._left -= len(value) >> 6
            return value
        if kind is int:
            return value if -_EXACT_INT < value < _EXACT_INT else ["i", hex(value)]
        if kind is float:
            return value if value - value == 0 else ["f", repr(value)]
        tag = _SEQUENCES.get(kind) or _VIEWS.get(kind)
        if tag:
            return [tag, *[self.encode(item, depth + 1) for item in value]]
        if kind in _MAPPINGS:
            return [_MAPPINGS[kind], *[self.encode(part, depth + 1) for item in value.items() for part in item]]
        return self._rarer(value, kind, depth)

    def _rarer(self, value: Any, kind: type, depth: int) -> Any:
        if kind is bytes or kind is bytearray:
            self._left -= len(value) >> 6
            return ["b" if kind is bytes else "B", value.hex()]
        if kind is complex:
            return ["c", repr(value.real), repr(value.imag)]
        if kind is range:
            return ["r", *map(self.encode, (value.start, value.stop, value.step))]
        if kind is type and value in _NAMES:
            return ["y", _NAMES[value]]
        if kind.__module__ == "numpy":
            found = self._numpy(value, depth)
            if found is not None:
                return found
        if kind.__module__ in _LIBRARY and kind.__name__ in _LIBRARY[kind.__module__]:
            return ["x", kind.__name__, *map(self.encode, _PARTS[kind.__name__](value))]
        return self._subclass(value, depth)

    def _subclass(self, value: Any, depth: int) -> Any:
        """Takes a subclass of a data type as the data that it holds, by the base's own methods."""
        plain: Any
        if isinstance(value, bool | int):
            plain = int.__index__(value)
        elif isinstance(value, float):
            plain = float.__float__(value)
        elif isinstance(value, str):
            plain = "".join(str.__iter__(value))
        elif isinstance(value, dict):
            plain = dict(dict.items(value))
        elif isinstance(value, list):
            plain = list(list.__iter__(value))
        elif isinstance(value, tuple):
            plain = tuple(tuple.__iter__(value))
            fields = getattr(type(value), "_fields", None)
            if type(fields) is tuple and len(fields) == len(plain):
                names = ["l", type(value).__name__, *map(str, fields)]
                return ["N", names, *[self.encode(item, depth + 1) for item in plain]]
        else:
            return self._refer(value)
        return self.encode(plain, depth)

    def _numpy(self, value: Any, depth: int) -> Any:
        if type(value).__name__ == "ndarray":
            if value.dtype.kind in "biufc":
                items = [self.encode(item) for item in value.ravel().tolist()]
                return ["n", str(value.dtype), list(value.shape), *items]
            return None
        return self.encode(value.item(), depth + 1) if hasattr(value, "item") and hasattr(value, "dtype") else None


def unresolved(reference: list[Any]) -> Any:
    """Resolves nothing."""
    raise WireError(f"a reference to nothing: {reference!r:.80}")


def decode(form: Any, resolve: Resolve = unresolved, depth: int = 0) -> Any:
    """Returns the value of a JSON form.

    Args:
        form: What `Encoder.encode` returned, or what a hostile sender made up.
        resolve: Returns what a reference stands for.
        depth: How deep in a value this form is.

    Raises:
        WireError: If it is no such form.
    """
    if form is None or type(form) in {bool, int, float, str}:
        return form
    if type(form) is not list or not form or type(form[0]) is not str or depth > DEEPEST:
        raise WireError("not a value")
    tag, parts = form[0], form[1:]
    if tag in _BUILDERS:
        return _BUILDERS[tag]([decode(part, resolve, depth + 1) for part in parts])
    if tag in _MAKE_MAPPING:
        items = [decode(part, resolve, depth + 1) for part in parts]
        return _MAKE_MAPPING[tag](dict(zip(items[::2], items[1::2], strict=True)))
    if tag in _SCALARS:
        return _SCALARS[tag](parts)
    return resolve(form)


def decoded(form: Any, resolve: Resolve = unresolved) -> Any:
    """Returns the value of a JSON form, as `decode`, with one exception for all that a hostile form can cause."""
    try:
        return decode(form, resolve)
    except (WireError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError, ImportError) as error:
        raise WireError(f"not a value: {error}"[:200]) from None
    except (MemoryError, RecursionError):
        raise WireError("not a value: too large") from None


def _array(parts: list[Any]) -> Any:
    import numpy  # type: ignore[import-not-found, unused-ignore]  # only where the program uses it

    kind = numpy.dtype(str(parts[0]))
    if kind.kind not in "biufc":
        raise WireError("not a kind of number")
    return numpy.array([decode(part) for part in parts[2:]], dtype=kind).reshape([int(size) for size in parts[1]])


def _library(parts: list[Any]) -> Any:
    name, *values = parts
    return _MAKERS[name](*[decode(value) for value in values])


_SCALARS: dict[str, Callable[[list[Any]], Any]] = {
    "i": lambda parts: int(parts[0], 16),
    "f": lambda parts: float(parts[0]),
    "c": lambda parts: complex(float(parts[0]), float(parts[1])),
    "b": lambda parts: bytes.fromhex(parts[0]),
    "B": lambda parts: bytearray.fromhex(parts[0]),
    "r": lambda parts: range(*[int(decode(part)) for part in parts]),
    "y": lambda parts: _TYPES[parts[0]],
    "n": _array,
    "x": _library,
}
_LIBRARY = {
    "decimal": {"Decimal"},
    "fractions": {"Fraction"},
    "datetime": {"date", "datetime", "time", "timedelta"},
    "uuid": {"UUID"},
}
_PARTS: dict[str, Callable[[Any], tuple[Any, ...]]] = {
    "Decimal": lambda value: (str(value),),
    "Fraction": lambda value: (value.numerator, value.denominator),
    "UUID": lambda value: (value.hex,),
    "date": lambda value: (value.isoformat(),),
    "datetime": lambda value: (value.isoformat(),),
    "time": lambda value: (value.isoformat(),),
    "timedelta": lambda value: (value.days, value.seconds, value.microseconds),
}
_MAKERS: dict[str, Callable[..., Any]] = {
    "Decimal": lambda text: decimal.Decimal(str(text)),
    "Fraction": lambda top, bottom: fractions.Fraction(int(top), int(bottom)),
    "UUID": lambda text: uuid.UUID(hex=str(text)),
    "date": datetime.date.fromisoformat,
    "datetime": datetime.datetime.fromisoformat,
    "time": datetime.time.fromisoformat,
    "timedelta": lambda days, seconds, micro: datetime.timedelta(int(days), int(seconds), int(micro)),
}


def shown(value: Any, most: int = 300) -> str:
    """Returns a short text for any value, even one whose repr raises."""
    try:
        text = repr(value)
    except Exception as error:
        text = f"<{type(value).__name__}: its repr raised {type(error).__name__}>"
    return text if len(text) <= most else text[:most] + "…"


def said(error: BaseException, most: int = 300) -> str:
    """Returns an exception as ``Type: message``, cut to a readable length."""
    try:
        text = str(error)
    except BaseException:
        text = "<unprintable>"
    return f"{type(error).__name__}: {text}"[:most]
