"""Values as JSON and back: nothing is lost, nothing is executed, and whatever a hostile sender makes up is refused."""

import collections
import contextlib
import datetime
import decimal
import fractions
import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowreasoner.sandbox.inside.values import Encoder, decoded
from flowreasoner.sandbox.inside.wire import WireError, length, pack, unpack

KEYS = st.one_of(st.integers(), st.text(), st.booleans(), st.none(), st.binary(), st.fractions(), st.dates())
PLAIN = st.one_of(
    KEYS,
    st.floats(),
    st.complex_numbers(allow_nan=False),
    st.decimals(allow_nan=False),
    st.datetimes(),
    st.times(),
    st.timedeltas(),
    st.binary().map(bytearray),
    st.integers(0, 9).map(range),
    st.uuids(),
)
VALUES = st.recursive(
    PLAIN,
    lambda inner: st.one_of(
        st.lists(inner),
        st.lists(inner).map(tuple),
        st.lists(inner).map(collections.deque),
        st.sets(KEYS),
        st.frozensets(KEYS),
        st.dictionaries(KEYS, inner),
        st.dictionaries(KEYS, inner).map(collections.OrderedDict),
        st.lists(KEYS).map(collections.Counter),
    ),
    max_leaves=20,
)


def there_and_back(value):
    return decoded(json.loads(json.dumps(Encoder().encode(value))))


def same(left, right):
    """Equality that knows types, and that a NaN is a NaN."""
    if type(left) is not type(right):
        return False
    if isinstance(left, float):
        return left == right or (math.isnan(left) and math.isnan(right))
    if isinstance(left, list | tuple | collections.deque):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    return bool(left == right)


@settings(deadline=None)
@given(VALUES)
def test_values_arrive_as_they_were(value):
    assert same(there_and_back(value), value)


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.text(max_size=3), inner, max_size=3),
        st.tuples(st.sampled_from("lctdszqnxifbBrkvwyumoehpa"), inner, inner).map(list),
    ),
    max_leaves=15,
)


@settings(deadline=None)  # the first array may import numpy
@given(JSON)
def test_what_anybody_makes_up_is_a_value_or_an_error_of_ours(form):
    with contextlib.suppress(WireError):
        decoded(form)


class Liar(int):
    def __eq__(self, other):
        return True

    def __hash__(self):
        return 1

    def __index__(self):
        raise RuntimeError("called")


class Text(str):
    def __iter__(self):
        raise RuntimeError("called")

    def __str__(self):
        raise RuntimeError("called")


class Items(dict):
    def items(self):
        raise RuntimeError("called")


@pytest.mark.parametrize(("value", "plain"), [(Liar(7), 7), (Text("a"), "a"), (Items(a=1), {"a": 1}), ([Liar(7)], [7])])
def test_subclasses_arrive_as_the_data_that_they_hold_and_their_methods_are_not_called(value, plain):
    got = there_and_back(value)
    assert same(got, plain)


@pytest.mark.parametrize(
    "form",
    [
        ["l"] * 0, ["?"], ["x", "eval", "1"], ["x", "Decimal", ["l"]],
        ["y", "eval"], ["y", "open"], ["i", "zz"], ["d", 1],
        ["s", ["l"]], ["n", "object", [1], 1], ["n", "O8", [1], 1], ["f", "x"], ["b", "zz"], ["h", 1, "X", "object"],
        {"a": 1}, ["r"], ["e", []], ["x", "date", "no"], [[1]],
    ],
)  # fmt: skip
def test_forms_that_mean_nothing_are_refused(form):
    with pytest.raises(WireError):
        decoded(form)


def test_depth_and_size_are_bounded_on_both_sides():
    deep = []
    for _ in range(1000):
        deep = [deep]
    for value in (deep, [0] * 300_000, ["x" * 20_000_000, 1]):
        with pytest.raises(WireError):
            Encoder().encode(value)
    form = 1
    for _ in range(1000):
        form = ["l", form]
    with pytest.raises(WireError):
        decoded(form)
    with pytest.raises(WireError):
        unpack(b"[" * 100_000)
    with pytest.raises(WireError):
        pack("x" * (9 << 20))
    with pytest.raises(WireError):
        length(b"\xff\xff\xff\xff")


def test_numbers_keep_their_kind():
    for value in (1, 1.0, True, 10**400, -(1 << 53), 0.1, decimal.Decimal("1.10"), fractions.Fraction(1, 3)):
        assert type(there_and_back(value)) is type(value)
        assert there_and_back(value) == value
    assert there_and_back(datetime.date(2024, 2, 29)) == datetime.date(2024, 2, 29)
