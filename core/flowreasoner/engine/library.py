"""The functions that workflows may call: built-ins on settled values, and pure functions of six modules.

Each takes the meter first and charges for what it makes. Functions that call back into the workflow
(`sorted` with a key, `map`) are the interpreter's own.
"""

from __future__ import annotations

import ast
import json
import math
from collections import Counter
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from flowreasoner.engine.operations import binary, format_value
from flowreasoner.engine.regular import REGULAR
from flowreasoner.engine.values import ELEMENT, MAX_BITS, OrderedSet, drain, hashed, size_of, weigh

if TYPE_CHECKING:
    import random

    from flowreasoner.budget import Meter

__all__ = ["CONSTANTS", "FUNCTIONS", "MODULE_FUNCTIONS", "TYPES", "pairs", "random_functions"]

Function = Callable[..., Any]

_LARGEST_FACTORIAL = 3_000
_LARGEST_MODULUS = 4_096
_MOST_DIGITS = 400
_LONGEST_EXPONENT = 4
_WIDEST_INDENT = 16


def _str(meter: Meter, value: Any = "") -> str:
    weigh(meter, value)
    return str(value)


def _repr(meter: Meter, value: Any) -> str:
    weigh(meter, value)
    return repr(value)


def _int(meter: Meter, value: Any = 0, base: Any = None) -> int:
    weigh(meter, value)
    result = int(value) if base is None else int(value, base)
    if result.bit_length() > MAX_BITS:
        raise OverflowError(f"the number would have {result.bit_length():,} bits")
    return result


def _float(meter: Meter, value: Any = 0.0) -> float:
    weigh(meter, value)
    return float(value)


def _list(meter: Meter, items: Any = ()) -> list[Any]:
    return drain(meter, items)


def _tuple(meter: Meter, items: Any = ()) -> tuple[Any, ...]:
    return tuple(drain(meter, items))


def _set(meter: Meter, items: Any = ()) -> OrderedSet:
    return OrderedSet(hashed(meter, item) for item in drain(meter, items))


def _dict(meter: Meter, items: Any = (), **more: Any) -> dict[Any, Any]:
    if not isinstance(items, dict):
        items = pairs(meter, items)
    meter.allocate((len(items) + len(more)) * ELEMENT)
    return {**items, **more}


def pairs(meter: Meter, items: Any) -> dict[Any, Any]:
    """Returns the dictionary of an iterable of pairs."""
    every = [drain(meter, pair) for pair in drain(meter, items)]
    return dict([hashed(meter, part) for part in pair] for pair in every)


def _len(_: Meter, value: Any) -> int:
    return len(value)


def _range(_: Meter, *bounds: Any) -> range:
    return range(*bounds)


def _sum(meter: Meter, items: Any, start: Any = 0) -> Any:
    total = start
    for item in drain(meter, items):
        if isinstance(item, str):
            raise TypeError("sum() cannot add strings; use ''.join(...)")
        total = binary(meter, ast.Add, total, item)
    return total


def _round(_: Meter, value: Any, digits: Any = None) -> Any:
    if digits is not None and abs(digits) > _MOST_DIGITS:
        raise OverflowError(f"round() to {digits} digits is refused; at most {_MOST_DIGITS}")
    return round(value) if digits is None else round(value, digits)


def _format(meter: Meter, value: Any, spec: str = "") -> str:
    return format_value(meter, value, -1, spec)


def _pow(meter: Meter, base: Any, exponent: Any, modulus: Any = None) -> Any:
    if modulus is None:
        return binary(meter, ast.Pow, base, exponent)
    if isinstance(modulus, int) and modulus.bit_length() > _LARGEST_MODULUS:
        raise OverflowError(f"pow() with a modulus of {modulus.bit_length():,} bits is refused")
    return pow(base, exponent, modulus)


def _enumerate(_: Meter, items: Any, start: int = 0) -> Any:
    return enumerate(items, start)


def _zip(_: Meter, *iterables: Any) -> Any:
    return zip(*iterables, strict=False)


TYPES: dict[str, Any] = {
    "str": str,
    "int": int,
    "float": float,
    "bool": bool,
    "list": list,
    "dict": dict,
    "tuple": tuple,
    "set": OrderedSet,
}
"""What `isinstance` means by a type's name."""

FUNCTIONS: dict[str, Function] = {
    "abs": lambda _, value: abs(value),
    "bool": lambda _, value=False: bool(value),
    "chr": lambda _, code: chr(code),
    "dict": _dict,
    "divmod": lambda _, left, right: divmod(left, right),
    "enumerate": _enumerate,
    "float": _float,
    "format": _format,
    "int": _int,
    "len": _len,
    "list": _list,
    "ord": lambda _, char: ord(char),
    "pow": _pow,
    "range": _range,
    "repr": _repr,
    "reversed": lambda _, items: reversed(items),
    "round": _round,
    "set": _set,
    "str": _str,
    "sum": _sum,
    "tuple": _tuple,
    "zip": _zip,
}


# --- modules ---------------------------------------------------------------------------------------------


def _loads(meter: Meter, text: str) -> Any:
    meter.allocate(len(text))
    value = json.loads(text)
    weigh(meter, value)
    return value


def _dumps(meter: Meter, value: Any, **options: Any) -> str:
    weigh(meter, value)
    indent, separators = options.get("indent"), options.get("separators")
    if (isinstance(indent, int) and indent > _WIDEST_INDENT) or len(str(indent)) > _WIDEST_INDENT:
        raise ValueError(f"an indent of {indent!r:.40} is refused; at most {_WIDEST_INDENT}")
    if separators is not None and any(len(text) > _WIDEST_INDENT for text in separators):
        raise ValueError(f"separators of over {_WIDEST_INDENT} characters are refused")
    unknown = options.keys() - {"indent", "ensure_ascii", "sort_keys", "separators"}
    if unknown:
        raise TypeError(f"json.dumps has no option {sorted(unknown)[0]!r} here")
    result = json.dumps(_jsonable(value), **options)
    meter.allocate(len(result))
    return result


def _jsonable(value: Any) -> Any:
    if isinstance(value, OrderedSet):
        raise TypeError("Object of type set is not JSON serializable")
    return value


def _fraction(meter: Meter, numerator: Any = 0, denominator: Any = None) -> Fraction:
    weigh(meter, numerator)
    if isinstance(numerator, str):
        exponent = numerator.lower().partition("e")[2].strip().lstrip("+-")
        if len(exponent) > _LONGEST_EXPONENT:
            raise OverflowError(f"the exponent of {numerator[:40]!r} is too large")
    return Fraction(numerator, denominator)


def _counter(meter: Meter, items: Any = ()) -> Counter[Any]:
    return Counter(items if isinstance(items, dict) else [hashed(meter, item) for item in drain(meter, items)])


def _small(name: str, largest: int) -> Function:
    """Wraps a function of whole numbers whose result grows beyond bounds."""
    function = getattr(math, name)

    def call(_: Meter, *numbers: Any) -> Any:
        if any(isinstance(number, int) and number > largest for number in numbers):
            raise OverflowError(f"math.{name} of a number over {largest:,} is refused")
        return function(*numbers)

    return call


def _plain(name: str) -> Function:
    function = getattr(math, name)
    return lambda _, *args, **kwargs: function(*args, **kwargs)


def _drained(name: str) -> Function:
    """Wraps a function of an iterable of numbers."""
    function = getattr(math, name)

    def call(meter: Meter, items: Any, **kwargs: Any) -> Any:
        numbers = drain(meter, items)
        _check_numbers(name, [*numbers, *kwargs.values()])
        return function(numbers, **kwargs)

    return call


def _lcm(_: Meter, *numbers: Any) -> int:
    _check_numbers("lcm", numbers)
    return math.lcm(*numbers)


def _check_numbers(name: str, numbers: Sequence[Any]) -> None:
    """Refuses numbers whose product would be too long, and what is no number: a product may repeat it."""
    bits = 0
    for number in numbers:
        if not isinstance(number, int | float | Fraction):
            raise TypeError(f"math.{name} takes numbers, not {type(number).__name__}")
        if isinstance(number, int | Fraction):
            bits += number.numerator.bit_length()
        if isinstance(number, Fraction):
            bits += number.denominator.bit_length()
    if bits > MAX_BITS:
        raise OverflowError(f"the result of math.{name} would have up to {bits:,} bits")


_PLAIN_MATH = """ceil cos exp fabs floor fmod gcd hypot isclose isfinite isinf isnan isqrt log log10 log2
    pow sin sqrt tan trunc""".split()

MODULE_FUNCTIONS: dict[str, dict[str, Function]] = {
    "collections": {"Counter": _counter},
    "fractions": {"Fraction": _fraction},
    "json": {"loads": _loads, "dumps": _dumps},
    "math": {
        **{name: _plain(name) for name in _PLAIN_MATH},
        **{name: _small(name, _LARGEST_FACTORIAL) for name in ("factorial", "comb", "perm")},
        **{name: _drained(name) for name in ("fsum", "prod")},
        "lcm": _lcm,
    },
    "re": REGULAR,
}

CONSTANTS: dict[str, dict[str, Any]] = {
    "math": {"e": math.e, "inf": math.inf, "nan": math.nan, "pi": math.pi},
    "re": {
        "ASCII": 256,
        "DOTALL": 16,
        "I": 2,
        "IGNORECASE": 2,
        "M": 8,
        "MULTILINE": 8,
        "S": 16,
        "VERBOSE": 64,
        "X": 64,
    },
}


def random_functions(source: random.Random) -> dict[str, Function]:
    """Returns the functions of `random` over a source that is seeded per run."""

    def choices(meter: Meter, items: Any, weights: Any = None, k: int = 1) -> list[Any]:
        meter.allocate(max(k, 0) * ELEMENT)
        return source.choices(items, None if weights is None else drain(meter, weights), k=k)

    def seed(meter: Meter, value: Any = None) -> None:
        weigh(meter, value)
        source.seed(str(value))

    def shuffle(meter: Meter, items: list[Any]) -> None:
        meter.allocate(size_of(items))
        source.shuffle(items)

    return {
        "choice": lambda _, items: source.choice(items),
        "choices": choices,
        "randint": lambda _, low, high: source.randint(low, high),
        "random": lambda _: source.random(),
        "randrange": lambda _, *bounds: source.randrange(*bounds),
        "sample": lambda meter, items, k: source.sample(drain(meter, items), k),
        "seed": seed,
        "shuffle": shuffle,
        "uniform": lambda _, low, high: source.uniform(low, high),
    }
