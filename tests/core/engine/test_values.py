from collections import Counter
from fractions import Fraction

import pytest

from flowreasoner.budget import Budget, Meter
from flowreasoner.engine.pending import Lazy
from flowreasoner.engine.values import (
    ELEMENT,
    OrderedSet,
    depth_of,
    drain,
    has_pending,
    hashed,
    settle,
    size_of,
    snapshot,
    weigh,
)
from flowreasoner.errors import BudgetExceeded


@pytest.fixture
def meter():
    return Meter(Budget(memory=500_000))


def later(value, *, depth=1):
    lazy = Lazy(lambda: value, (), str)
    for _ in range(depth - 1):
        lazy = Lazy(lambda inner: inner, (lazy,), str)
    return lazy


def doubled(value, times):
    """Returns a value of `times` levels, each of which holds the one below twice."""
    for _ in range(times):
        value = type(value)([value, value])
    return value


# --- sets ------------------------------------------------------------------------------------------------------


def test_sets_iterate_in_the_order_of_insertion():
    items = OrderedSet("banana")
    items.add("x")
    items.discard("a")
    items.add("a")
    assert list(items) == ["b", "n", "x", "a"]


@pytest.mark.parametrize("other", [[], [2, 3], [1, 2, 3], [4]])
@pytest.mark.parametrize(
    "name",
    ["union", "intersection", "difference", "symmetric_difference", "issubset", "issuperset", "isdisjoint"],
)
def test_set_methods_do_what_pythons_do(name, other):
    ours, theirs = getattr(OrderedSet([1, 2]), name)(other), getattr({1, 2}, name)(other)
    assert (set(ours) if isinstance(ours, OrderedSet) else ours) == theirs


@pytest.mark.parametrize(
    "operator", ["__or__", "__and__", "__sub__", "__xor__", "__le__", "__lt__", "__eq__", "__ge__"]
)
@pytest.mark.parametrize("other", [set(), {2}, {1, 2}, {1, 2, 3}])
def test_set_operators_do_what_pythons_do(operator, other):
    ours, theirs = getattr(OrderedSet([1, 2]), operator)(OrderedSet(other)), getattr({1, 2}, operator)(other)
    assert (set(ours) if isinstance(ours, OrderedSet) else ours) == theirs


def test_several_sets_can_be_combined_at_once():
    assert list(OrderedSet([1, 2, 3]).difference([1], [2])) == [3]
    assert list(OrderedSet([1]).union([2], [3])) == [1, 2, 3]
    assert list(OrderedSet([1, 2, 3]).intersection([1, 2], [2, 3])) == [2]


def test_copies_of_sets_are_their_own():
    items = OrderedSet([1])
    items.copy().add(2)
    assert list(items) == [1]


# --- sizes -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ("abc", 3),
        ([1, 2], 2 * ELEMENT),
        ((), 0),
        ({1: 2}, ELEMENT),
        (OrderedSet([1]), ELEMENT),
        ({1: 2}.values(), ELEMENT),
        (7, 0),
        (2**320, 10),
        (Fraction(2**320, 3**320), 25),
        (1.5, 1),
        (None, 1),
        (True, 0),
    ],
)
def test_sizes_are_in_characters(value, size):
    assert size_of(value) == size


def test_weighing_counts_shared_parts_each_time(meter):
    part = ["x" * 100]
    weigh(meter, [part, part])
    assert meter.memory == (2 * ELEMENT + ELEMENT) + 2 * (ELEMENT + ELEMENT) + 2 * (100 + ELEMENT)


@pytest.mark.parametrize("make", [list, tuple])
def test_weighing_ends_on_what_doubles_with_each_level(make, meter):
    with pytest.raises(BudgetExceeded) as caught:
        weigh(meter, doubled(make(), 50))
    assert caught.value.limit == "memory"


@pytest.mark.parametrize("view", [dict.values, dict.items])
def test_weighing_looks_into_views(view, meter):
    with pytest.raises(BudgetExceeded):
        weigh(meter, view({1: doubled([], 50)}))


def test_weighing_ends_on_a_value_that_contains_itself(meter):
    value = []
    value += [value, value]
    with pytest.raises(ValueError, match="nests more than 60 levels deep"):
        weigh(meter, value)


def test_hashing_charges_for_tuples_only(meter):
    assert hashed(meter, "a" * 1000) == "a" * 1000
    assert meter.memory == 0
    assert hashed(meter, ("a",)) == ("a",)
    assert meter.memory > 0
    with pytest.raises(BudgetExceeded):
        hashed(meter, doubled((), 50))


@pytest.mark.parametrize(
    "items", [[1, 2], (1, 2), {1: 0, 2: 0}, OrderedSet([1, 2]), {1: 0, 2: 0}.keys(), range(1, 3), iter([1, 2])]
)
def test_draining_lists_and_charges(items, meter):
    assert drain(meter, items) == [1, 2]
    assert meter.memory == 2 * ELEMENT


@pytest.mark.parametrize("items", [range(10**12), zip(range(10**12)), iter(range(10**12)), enumerate(range(10**12))])
def test_draining_stops_at_the_budget(items, meter):
    with pytest.raises(BudgetExceeded):
        drain(meter, items)


@pytest.mark.parametrize("value", [3, None, len])
def test_draining_refuses_what_has_no_items(value, meter):
    with pytest.raises(TypeError, match="is not iterable"):
        drain(meter, value)


# --- pending values --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrap",
    [
        lambda value: value,
        lambda value: [value],
        lambda value: (1, (value,)),
        lambda value: {"k": [value]},
        lambda value: {"k": value}.values(),
        lambda value: {"k": value}.items(),
        lambda value: [{"k": value}.items()],
    ],
)
async def test_pending_values_are_found_and_settled_wherever_they_are(wrap):
    value, expected = wrap(later("v")), wrap("v")
    assert has_pending(value)
    settled = await settle(value)
    assert not has_pending(settled)
    assert str(settled) == str(expected)


async def test_values_without_pending_parts_are_handed_back_as_they_are():
    value = [1, {"a": (2,)}]
    assert not has_pending(value)
    assert await settle(value) is value


async def test_lists_and_dictionaries_are_settled_in_place():
    inner = [later("v")]
    outer = {"k": inner}
    assert await settle(outer) is outer
    assert outer == {"k": ["v"]}
    assert inner == ["v"]


async def test_settling_ends_on_a_value_that_contains_itself():
    value = [later("v")]
    value.append(value)
    settled = await settle(value)
    assert settled[0] == "v"
    assert settled[1] is settled


@pytest.mark.parametrize("make", [list, tuple])
async def test_settling_visits_shared_parts_once(make):
    settled = await settle(doubled(make([later("v")]), 50))
    for _ in range(50):
        assert settled[0] is settled[1]
        settled = settled[0]
    assert settled == make(["v"])


def test_depth_is_that_of_the_longest_chain():
    assert depth_of("x") == 0
    assert depth_of(later("x")) == 1
    assert depth_of([later("x"), {"k": (later("y", depth=5),)}]) == 5


# --- snapshots -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value", [[1, [2]], {"a": [1]}, (1, [2]), OrderedSet([1]), Counter("aab"), "text", 3, None, [{"a": ([1], {2: 3})}]]
)
def test_snapshots_are_equal_and_of_the_same_type(value, meter):
    copied = snapshot(meter, value)
    assert copied == value
    assert type(copied) is type(value)


def test_later_changes_do_not_reach_a_snapshot(meter):
    value = [1, {"a": [2]}, OrderedSet([3])]
    copied = snapshot(meter, value)
    value[1]["a"].append(4)
    value[2].add(5)
    value.append(6)
    assert copied == [1, {"a": [2]}, OrderedSet([3])]


def test_snapshots_are_charged_for(meter):
    with pytest.raises(BudgetExceeded):
        snapshot(meter, doubled([], 50))


async def test_snapshots_keep_what_is_pending(meter):
    copied = snapshot(meter, [later("v")])
    assert has_pending(copied)
    assert await settle(copied) == ["v"]
