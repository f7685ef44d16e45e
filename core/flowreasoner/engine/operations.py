"""Operators of the language with a price: no operation may take more time or memory than the budget has."""

from __future__ import annotations

import ast
import operator
import re
import string
from collections.abc import MappingView
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from flowreasoner.engine.values import MAX_BITS, OrderedSet, drain, hashed, size_of, weigh

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from flowreasoner.budget import Meter

__all__ = ["binary", "compare", "format_template", "format_value", "subscript", "unary"]

_WIDEST = 10_000
_NUMBER = re.compile(r"\d+")
_STAR = re.compile(r"(?:^|[^%])(?:%%)*%(?:\([^)]*\))?[-#0 +]*(?:\*|\d*\.\*)")
_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
    ast.LShift: operator.lshift,
    ast.RShift: operator.rshift,
    ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_,
    ast.BitXor: operator.xor,
}
_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
}
_SIZED = (str, list, tuple, dict, OrderedSet)
_UNARY: dict[type[ast.unaryop], Callable[[Any], Any]] = {
    ast.UAdd: operator.pos,
    ast.USub: operator.neg,
    ast.Invert: operator.invert,
}


def binary(meter: Meter, kind: type[ast.operator], left: Any, right: Any) -> Any:
    """Applies a binary operator to values that are not pending.

    Raises:
        BudgetExceeded: If the result has no room.
        Exception: Whatever the operation itself raises in Python.
    """
    if kind is ast.Pow:
        _check_power(left, right)
    elif kind is ast.LShift and isinstance(left, int) and isinstance(right, int):
        _check_bits(left.bit_length() + max(right, 0))
    elif kind is ast.Mult:
        _check_product(meter, left, right)
    elif kind is ast.Mod and isinstance(left, str):
        _check_percent(meter, left, right)
    elif isinstance(left, MappingView) or isinstance(right, MappingView):
        weigh(meter, left, right)
    elif isinstance(left, _SIZED) and isinstance(right, _SIZED):
        meter.allocate(size_of(left) + size_of(right))
    result = _BINARY[kind](left, right)
    if isinstance(result, int | Fraction):
        _check_bits(size_of(result) << 5)
        meter.allocate(size_of(result))
    return result


def _check_bits(bits: int) -> None:
    if bits > MAX_BITS:
        raise OverflowError(f"the number would have {bits:,} bits; workflows compute with up to {MAX_BITS:,}")


def _check_power(base: Any, exponent: Any) -> None:
    """Refuses a power that would be too long; a whole `Fraction` counts as the number it is."""
    if isinstance(base, int | Fraction) and isinstance(exponent, int | Fraction) and exponent.denominator == 1:
        longest = max(base.numerator.bit_length(), base.denominator.bit_length())
        _check_bits(longest * abs(exponent.numerator) if longest > 1 else 0)


def _check_percent(meter: Meter, template: str, values: Any) -> None:
    """Charges for ``template % values``: each named placeholder may show all of the values."""
    if _STAR.search(template):
        raise ValueError(f"a format width of '*' is refused: {template[:60]!r}")
    _check_widths(template)
    meter.allocate(len(template) + sum(map(int, _NUMBER.findall(template))))
    for _ in range(max(template.count("%("), 1)):
        weigh(meter, values)


def _check_product(meter: Meter, left: Any, right: Any) -> None:
    for sequence, count in ((left, right), (right, left)):
        if isinstance(sequence, str | list | tuple) and isinstance(count, int):
            meter.allocate(size_of(sequence) * max(count, 0))
    if isinstance(left, int) and isinstance(right, int):
        _check_bits(left.bit_length() + right.bit_length())


def unary(kind: type[ast.unaryop], value: Any) -> Any:
    """Applies a unary operator other than `not`."""
    return _UNARY[kind](value)


def compare(meter: Meter, kind: type[ast.cmpop], left: Any, right: Any) -> Any:
    """Applies one comparison to settled values."""
    if kind in _COMPARE:
        if kind not in {ast.Is, ast.IsNot} and not (isinstance(left, int | float) and isinstance(right, int | float)):
            weigh(meter, left, right)
        return _COMPARE[kind](left, right)
    if isinstance(right, range) and not isinstance(left, int):
        right = drain(meter, right)
    elif isinstance(right, str | list | tuple | MappingView):
        weigh(meter, right)
    elif isinstance(right, dict | OrderedSet):
        hashed(meter, left)
    return (left in right) is (kind is ast.In)


def subscript(meter: Meter, value: Any, key: Any) -> Any:
    """Reads ``value[key]``."""
    if isinstance(key, slice):
        if not isinstance(value, str | list | tuple | range):
            raise TypeError(f"{type(value).__name__!r} object cannot be sliced")
        result = value[key]
        meter.allocate(size_of(result))
        return result
    if not isinstance(value, str | list | tuple | dict | range):
        if type(value).__name__ == "Match":
            return value[key]
        raise TypeError(f"{type(value).__name__!r} object is not subscriptable")
    return value[hashed(meter, key)]


# --- formatting ------------------------------------------------------------------------------------------


def _check_widths(spec: str) -> None:
    """Refuses a width or precision that would itself be a bomb."""
    if any(len(number) > 5 or int(number) > _WIDEST for number in _NUMBER.findall(spec)):
        raise ValueError(f"a format width over {_WIDEST:,} is refused: {spec[:60]!r}")


def format_value(meter: Meter, value: Any, conversion: int, spec: str) -> str:
    """Formats one placeholder of an f-string."""
    _check_widths(spec)
    weigh(meter, value)
    if conversion == ord("r"):
        value = repr(value)
    elif conversion in {ord("s"), ord("a")}:
        value = str(value)
    result = format(value, spec)
    meter.allocate(len(result))
    return result


class _Template(string.Formatter):
    """`str.format` that fills in values and lets nothing reach into them."""

    def __init__(self, meter: Meter) -> None:
        self.meter = meter

    def get_field(self, field_name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[Any, str]:
        if "." in field_name or "[_" in field_name:
            raise ValueError(f"the format field {{{field_name}}} reaches into an object")
        value, key = super().get_field(field_name, args, kwargs)
        weigh(self.meter, value)
        return value, str(key)

    def format_field(self, value: Any, format_spec: str) -> str:
        _check_widths(format_spec)
        result = str(super().format_field(value, format_spec))
        self.meter.allocate(len(result))
        return result


def format_template(meter: Meter, template: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> str:
    """Does what `str.format` does, within the budget."""
    meter.allocate(len(template))
    return _Template(meter).vformat(template, args, kwargs)
