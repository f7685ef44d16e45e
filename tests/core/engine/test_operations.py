import ast
import operator
import re
from fractions import Fraction

import pytest

from flowreasoner.budget import Budget, Meter
from flowreasoner.engine.operations import binary, compare, format_template, format_value, subscript, unary
from flowreasoner.engine.values import MAX_BITS, OrderedSet
from flowreasoner.errors import BudgetExceeded

BINARY = {
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
COMPARE = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
    ast.In: lambda a, b: a in b,
    ast.NotIn: lambda a, b: a not in b,
}
VALUES = [0, 1, -7, 2.5, True, "a", "%s", "", [1], [], (1,), {"a": 1}, Fraction(1, 3), None]


def short(value):
    """Names a parameter whose own text may be too long a number to print."""
    return value.__name__ if isinstance(value, type) else type(value).__name__


@pytest.fixture
def meter():
    return Meter(Budget())


def outcome(function, *arguments):
    try:
        return function(*arguments)
    except Exception as error:
        return type(error)


@pytest.mark.parametrize("kind", BINARY)
def test_binary_operators_do_what_pythons_do(kind, meter):
    for left in VALUES:
        for right in VALUES:
            assert outcome(binary, meter, kind, left, right) == outcome(BINARY[kind], left, right)


@pytest.mark.parametrize("kind", COMPARE)
def test_comparisons_do_what_pythons_do(kind, meter):
    for left in VALUES:
        for right in [*VALUES, range(3), {"a": 1}.keys()]:
            assert outcome(compare, meter, kind, left, right) == outcome(COMPARE[kind], left, right)


@pytest.mark.parametrize(
    ("kind", "function"), [(ast.USub, operator.neg), (ast.UAdd, operator.pos), (ast.Invert, operator.invert)]
)
def test_unary_operators_do_what_pythons_do(kind, function):
    for value in VALUES:
        assert outcome(unary, kind, value) == outcome(function, value)


@pytest.mark.parametrize("key", [0, -1, 5, "a", slice(1, None), slice(None, None, -1), None])
def test_subscripts_do_what_pythons_do(key, meter):
    for value in ["abc", [1, 2], (1, 2), {"a": 1, 0: 2, None: 3}, range(5), OrderedSet([1]), 3, None]:
        expected = outcome(operator.getitem, value, key)
        if isinstance(key, slice) and isinstance(value, dict):
            expected = TypeError
        assert outcome(subscript, meter, value, key) == expected


# --- numbers -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "left", "right"),
    [
        (ast.Pow, 9, 9**9),
        (ast.Pow, 2, 10**6),
        (ast.Pow, -2, 10**9),
        (ast.Pow, 10**1000, 10**3),
        (ast.Pow, Fraction(1, 3), 10**9),
        (ast.Pow, Fraction(1, 3), -(10**9)),
        (ast.Pow, 2, Fraction(10**9)),
        (ast.Pow, Fraction(2, 3), Fraction(10**9)),
        (ast.Pow, True + 1, 10**9),
        (ast.LShift, 1, 10**12),
        (ast.LShift, 1, MAX_BITS),
        (ast.Mult, 2**40_000, 2**40_000),
        (ast.Add, Fraction(1, 3**30_000), Fraction(1, 5**20_000)),
    ],
    ids=short,
)
def test_numbers_that_would_be_too_long_are_refused(kind, left, right, meter):
    with pytest.raises(OverflowError, match=f"workflows compute with up to {MAX_BITS:,}"):
        binary(meter, kind, left, right)


@pytest.mark.parametrize(
    ("kind", "left", "right"),
    [
        (ast.Pow, 10, 300),
        (ast.Pow, 1, 10**12),
        (ast.Pow, -1, 10**12 + 1),
        (ast.Pow, 0, 10**12),
        (ast.Pow, 2.0, 100),
        (ast.Pow, 2, -3),
        (ast.Pow, Fraction(1), 10**12),
        (ast.Pow, 4, Fraction(1, 2)),
        (ast.LShift, 1, 1000),
        (ast.Mult, 2**30_000, 2**30_000),
        (ast.Pow, True, 10**12),
    ],
    ids=short,
)
def test_numbers_of_reasonable_length_are_computed(kind, left, right, meter):
    assert binary(meter, kind, left, right) == BINARY[kind](left, right)


def test_long_numbers_are_charged_for(meter):
    binary(meter, ast.LShift, 1, 6_400)
    assert meter.memory == 200


# --- sequences ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "left", "right"),
    [
        (ast.Mult, "a", 10**12),
        (ast.Mult, 10**12, "a"),
        (ast.Mult, [0], 10**9),
        (ast.Mult, (0,), 10**9),
        (ast.Mult, "a", 10**400),
        (ast.Add, "a" * 20_000_000, "b" * 20_000_000),
        (ast.Add, [0] * 10**6, [0] * 1_100_000),
        (ast.BitOr, dict.fromkeys(range(10**6)), dict.fromkeys(range(1_100_000))),
        (ast.Mod, "%(x)s" * 10_000, {"x": "a" * 10_000}),
        (ast.Mod, "%s", "a" * 40_000_000),
    ],
)
def test_sequences_that_would_be_too_large_exceed_the_budget(kind, left, right, meter):
    with pytest.raises(BudgetExceeded) as caught:
        binary(meter, kind, left, right)
    assert caught.value.limit == "memory"


def test_multiplying_by_nothing_costs_nothing(meter):
    assert binary(meter, ast.Mult, "a", -(10**12)) == ""
    assert meter.memory == 0


def test_comparing_charges_for_whole_values():
    value = ["a"]
    for _ in range(40):
        value = [value, value]
    with pytest.raises(BudgetExceeded):
        compare(Meter(Budget(memory=100_000)), ast.Eq, value, [])


def test_a_float_is_searched_in_a_range_within_the_budget(meter):
    assert compare(meter, ast.In, 2.0, range(5)) is True
    with pytest.raises(BudgetExceeded):
        compare(meter, ast.In, 0.5, range(10**12))


# --- formatting --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("spec", ["10001", ">99999999", ".10001f", "0>123456", "1000000000000d"])
@pytest.mark.parametrize(
    "form",
    [
        lambda m, s: format_value(m, 1, -1, s),
        lambda m, s: format_template(m, f"{{:{s}}}", [1], {}),
        lambda m, s: binary(m, ast.Mod, f"%{s}d", 1),
    ],
)
def test_wide_formats_are_refused(spec, form, meter):
    with pytest.raises(ValueError, match=r"a format width over 10,000 is refused"):
        form(meter, spec)


@pytest.mark.parametrize("template", ["%*d", "%%%*d", "%.*f", "%-*s", "%(a)*d", "a %5.*f"])
def test_widths_taken_from_the_values_are_refused(template, meter):
    with pytest.raises(ValueError, match=re.escape(repr(template))):
        binary(meter, ast.Mod, template, (10**9, 1))


@pytest.mark.parametrize(
    ("template", "values"), [("%d%%*", 5), ("100 %s *", "a"), ("%5.1f*", 2.25), ("%s*%s", (1, 2)), ("%%%d%%*", 3)]
)
def test_stars_that_are_no_widths_are_kept(template, values, meter):
    assert binary(meter, ast.Mod, template, values) == template % values


@pytest.mark.parametrize(
    ("template", "args", "kwargs"),
    [
        ("{} {}", ["a", 1], {}),
        ("{1}{0}", ["a", "b"], {}),
        ("{x!r:>5}", [], {"x": "a"}),
        ("{{}}", [], {}),
        ("{:{}}", ["a", 5], {}),
        ("{0[k]}{0[n][1]}", [{"k": 1, "n": [2, 3]}], {}),
        ("{:.2f}", [1.234], {}),
        ("", [1], {}),
    ],
)
def test_templates_are_filled_as_by_python(template, args, kwargs, meter):
    assert format_template(meter, template, args, kwargs) == template.format(*args, **kwargs)


@pytest.mark.parametrize("template", ["{}", "{x}", "{0} {}", "{", "}", "{0[k]}", "{:q}"])
def test_templates_that_do_not_fit_fail_as_in_python(template, meter):
    args = ["a"] if ":" in template or "[" in template or "0" in template else []
    assert outcome(format_template, meter, template, args, {}) == outcome(lambda: template.format(*args))


@pytest.mark.parametrize("template", ["{0.__class__}", "{x.real}", "{0[__class__]}", "{0[a].b}", "{:{0.x}}", "{0[_a]}"])
def test_templates_cannot_reach_into_objects(template, meter):
    with pytest.raises(ValueError, match="reaches into an object"):
        format_template(meter, template, [{"a": "b"}], {"x": 1})


def test_filling_a_value_in_again_and_again_is_charged_for(meter):
    with pytest.raises(BudgetExceeded):
        format_template(meter, "{0}" * 10_000, ["a" * 10_000], {})


@pytest.mark.parametrize(("conversion", "text"), [(-1, "a"), (ord("r"), "'a'"), (ord("s"), "a")])
def test_conversions_of_placeholders(conversion, text, meter):
    assert format_value(meter, "a", conversion, "") == text
    assert format_value(meter, "a", conversion, ">5") == text.rjust(5)
