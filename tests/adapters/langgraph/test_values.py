"""Values of the state: plain JSON, and back to the same; values that variables share stay shared."""

import json
import math
from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("langgraph")

from flowreasoner.engine import Request
from flowreasoner.engine.values import OrderedSet
from flowreasoner.errors import OperatorError, WorkflowFailed
from flowreasoner_adapters.langgraph.values import (
    UNSET,
    alike,
    exception_named,
    freeze,
    links_of,
    relink,
    thaw,
    thaw_variables,
)

_KEYS = st.one_of(st.text(max_size=3), st.integers(), st.booleans(), st.none(), st.sampled_from(["$set", "$dict", "$"]))
_LEAVES = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=5))
_HASHABLE = st.one_of(_LEAVES, st.tuples(_LEAVES, _LEAVES), st.fractions())
_VALUES = st.recursive(
    st.one_of(_HASHABLE, st.builds(Counter, st.text(max_size=4)), st.builds(range, st.integers(-5, 5))),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(_KEYS, inner, max_size=3),
        st.builds(OrderedSet, st.lists(_HASHABLE, max_size=3)),
    ),
    max_leaves=8,
)


def _exactly(one, other):
    """Equal, and of the same kinds all the way down: 1, 1.0 and True are three values."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        pairs = zip(one.items(), other.items(), strict=True)
        return len(one) == len(other) and all(_exactly(a, b) and _exactly(c, d) for (a, c), (b, d) in pairs)
    if isinstance(one, list | tuple | OrderedSet):
        return len(one) == len(other) and all(map(_exactly, one, other))
    return one == other and (not isinstance(one, float) or math.copysign(1, one) == math.copysign(1, other))


@given(_VALUES)
def test_any_value_comes_back_as_it_was_through_json(value):
    frozen = freeze(value)
    stored = json.loads(json.dumps(frozen))
    assert alike(stored, frozen)
    assert _exactly(thaw(stored), value)


@given(_VALUES)
def test_frozen_values_share_nothing_with_the_variables(value):
    frozen = freeze([value, value])
    assert frozen[0] == frozen[1]
    if isinstance(frozen[0], dict | list):
        assert frozen[0] is not frozen[1]


@pytest.mark.parametrize(
    "error",
    [
        ValueError("text"),
        KeyError("key"),
        KeyError(3),
        IndexError(),
        ZeroDivisionError("division by zero"),
        NameError("name 'x' is not defined"),
        OperatorError("Custom failed"),
        TypeError("a", 1),
        StopIteration("end"),
    ],
)
def test_errors_come_back_as_their_kind_with_their_text(error):
    back = thaw(json.loads(json.dumps(freeze(error))))
    assert type(back) is type(error)
    assert str(back) == str(error)


def test_an_error_of_json_comes_back():
    with pytest.raises(json.JSONDecodeError) as raised:
        json.loads("{")
    back = thaw(json.loads(json.dumps(freeze(raised.value))))
    assert isinstance(back, json.JSONDecodeError)
    assert back.msg == raised.value.msg


@pytest.mark.parametrize("name", ["SystemExit", "KeyboardInterrupt", "eval", "os.system", "Warning", "nothing"])
def test_a_name_in_a_state_is_no_way_to_any_object(name):
    assert exception_named(name) is RuntimeError
    assert type(thaw({"$error": [name, "text"]})) is RuntimeError


def test_unknown_errors_become_runtime_errors_with_their_text():
    class Unknown(Exception):
        pass

    back = thaw(freeze(Unknown("what happened")))
    assert (type(back), str(back)) == (RuntimeError, "what happened")


def test_requests_come_back():
    back = thaw(json.loads(json.dumps(freeze(Request("custom_1", {"input": ("a", 1)})))))
    assert (back.step, back.inputs) == ("custom_1", {"input": ("a", 1)})


@pytest.mark.parametrize("value", [lambda: 1, iter([]), object(), (i for i in "ab"), zip("a", "b", strict=True)])
def test_what_cannot_be_stored_is_refused_with_the_variables_name(value):
    with pytest.raises(WorkflowFailed, match=r"the variable 'pairs' holds a .*, which the state of a graph cannot"):
        freeze([value], "pairs")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 1.0),
        (1, True),
        (0, False),
        ("1", 1),
        ([1], [True]),
        ({"a": 1}, {"a": 1.0}),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
    ],
)
def test_values_that_only_look_alike_are_told_apart(one, other):
    assert not alike(one, other)


def test_variables_without_a_value_are_left_out():
    assert thaw_variables({"a": 1, "b": UNSET, "c": {"$tuple": [1]}}, ["a", "b", "c", "d"]) == {"a": 1, "c": (1,)}


def test_a_number_that_is_none_stays_one():
    assert math.isnan(thaw(freeze(float("nan"))))
    assert thaw(freeze(float("inf"))) == math.inf


# --- sharing ---


def _through_json(variables):
    links = json.loads(json.dumps(links_of(variables)))
    back = {name: thaw(value) for name, value in json.loads(json.dumps(freeze(variables))).items()}
    relink(back, links)
    return back


def test_variables_that_share_a_list_share_it_again():
    texts = ["a"]
    back = _through_json({"one": texts, "two": texts, "other": ["a"]})
    assert back["one"] is back["two"] is not back["other"]


def test_values_inside_of_others_are_shared_again():
    texts = ["a"]
    back = _through_json({"rows": [texts, texts], "table": {"k": texts}, "copy": [["a"]]})
    assert back["rows"][0] is back["rows"][1] is back["table"]["k"] is not back["copy"][0]


def test_values_that_were_edited_apart_are_not_shared():
    texts = ["a"]
    variables = {"one": texts, "two": texts}
    links = links_of(variables)
    back = {"one": ["edited"], "two": ["a"]}
    relink(back, links)
    assert back == {"one": ["edited"], "two": ["a"]}


@pytest.mark.parametrize("back", [{}, {"one": 3}, {"one": {}, "two": []}, {"one": [], "two": None}])
def test_links_of_values_that_are_gone_do_nothing(back):
    texts = [["a"]]
    before = dict(back)
    relink(back, links_of({"one": texts, "two": texts}))
    assert back == before


def test_values_of_their_own_have_no_links():
    assert links_of({"a": ["x"], "b": ["x"], "c": {"k": ["x"]}, "n": 1}) == []


def test_fractions_and_counters_keep_what_they_are():
    back = _through_json({"half": Fraction(1, 2), "counts": Counter("aab")})
    assert back == {"half": Fraction(1, 2), "counts": Counter("aab")}
    assert isinstance(back["counts"], Counter)
