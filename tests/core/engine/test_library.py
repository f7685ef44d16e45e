import math
import random
from fractions import Fraction

import pytest

from flowreasoner.budget import Budget, Meter
from flowreasoner.engine.library import FUNCTIONS, MODULE_FUNCTIONS, random_functions
from flowreasoner.engine.methods import call_method, methods_of
from flowreasoner.engine.values import MAX_BITS, OrderedSet
from flowreasoner.errors import BudgetExceeded

ENDLESS = range(10**12)
PAIRS = enumerate(range(10**12))


def short(value):
    """Names a parameter whose own text may be too long a number to print."""
    return type(value).__name__ if isinstance(value, int | Fraction | tuple | list) else None


@pytest.fixture
def meter():
    return Meter(Budget())


def module(name, meter):
    return lambda *args, **kwargs: MODULE_FUNCTIONS[name.split(".")[0]][name.split(".")[1]](meter, *args, **kwargs)


@pytest.fixture
def call(meter):
    """Calls a function by its name: a built-in, or one of a module."""
    chance = random_functions(random.Random(0))

    def called(name, *args, **kwargs):
        if name.startswith("random."):
            return chance[name.removeprefix("random.")](meter, *args, **kwargs)
        function = module(name, meter) if "." in name else lambda *a, **k: FUNCTIONS[name](meter, *a, **k)
        return function(*args, **kwargs)

    return called


@pytest.mark.parametrize(
    "name",
    [
        "list",
        "tuple",
        "set",
        "dict",
        "sum",
        "math.prod",
        "math.fsum",
        "collections.Counter",
        "random.sample",
        "random.choices",
    ],
)
def test_endless_iterables_exceed_the_budget(name, call):
    arguments = {"random.sample": (ENDLESS, 1), "random.choices": ([1], ENDLESS), "dict": (PAIRS,)}
    with pytest.raises(BudgetExceeded) as caught:
        call(name, *arguments.get(name, (ENDLESS,)))
    assert caught.value.limit == "memory"


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("int", ("f" * 20_000, 16), "80,000 bits"),
        ("pow", (3, 10**9), "bits"),
        ("pow", (3, 5, 2**5_000), "modulus of 5,001 bits"),
        ("round", (1.5, 401), "401 digits"),
        ("math.factorial", (10**9,), "math.factorial of a number over 3,000"),
        ("math.comb", (10**9, 10**8), "math.comb"),
        ("math.perm", (10**6,), "math.perm"),
        ("math.prod", ([2**60_000] * 2,), "120,002 bits"),
        ("math.prod", ([Fraction(1, 3**20_000)] * 3,), "bits"),
        ("math.lcm", tuple(3**5_000 + k for k in range(20)), "math.lcm"),
        ("fractions.Fraction", ("1e100000",), "exponent"),
        ("fractions.Fraction", ("1E+99999",), "exponent"),
        ("sum", ([Fraction(1, 3**2_000 + k) for k in range(30)],), "bits"),
    ],
    ids=short,
)
def test_numbers_that_would_be_too_long_are_refused(name, arguments, words, call):
    with pytest.raises(OverflowError, match=words):
        call(name, *arguments)


@pytest.mark.parametrize("name", ["math.prod", "math.fsum", "math.lcm"])
@pytest.mark.parametrize("item", ["a", [1], None])
def test_functions_of_numbers_take_nothing_that_a_product_repeats(name, item, call):
    with pytest.raises(TypeError, match=f"takes numbers, not {type(item).__name__}"):
        call(name, *([item, 10**12] if name == "math.lcm" else [[item, 10**12]]))


@pytest.mark.parametrize("digits", [4_301, 5_000])
def test_numbers_too_long_to_print_fail_as_in_python(digits, call):
    with pytest.raises(ValueError, match="4300 digits"):
        call("str", 10**digits)
    with pytest.raises(ValueError, match="4300"):
        call("int", "9" * digits)


def test_sum_refuses_strings_as_python_does(call):
    with pytest.raises(TypeError, match="sum"):
        call("sum", ["a", "b"], "")


def test_sum_of_lists_is_charged_for(call):
    with pytest.raises(BudgetExceeded):
        call("sum", [[0] * 1_000] * 3_000, [])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"indent": 17}, "an indent of 17"),
        ({"indent": 10**12}, "an indent of 1000000000000"),
        ({"indent": "x" * 17}, "an indent of 'xxxx"),
        ({"separators": ("x" * 17, ":")}, "separators of over 16"),
    ],
)
def test_json_does_not_inflate(options, words, call):
    with pytest.raises(ValueError, match=words):
        call("json.dumps", [1], **options)


@pytest.mark.parametrize("option", ["cls", "default", "skipkeys", "indents"])
def test_json_options_that_run_code_or_do_not_exist_are_refused(option, call):
    with pytest.raises(TypeError, match=f"json.dumps has no option '{option}'"):
        call("json.dumps", [1], **{option: 1})


@pytest.mark.parametrize("value", [OrderedSet([1]), [Fraction(1)]])
def test_json_refuses_what_it_cannot_hold(value, call):
    with pytest.raises(TypeError, match="is not JSON serializable"):
        call("json.dumps", value)


def test_json_that_nests_without_end_is_refused(call):
    with pytest.raises(RecursionError):
        call("json.loads", "[" * 100_000)
    with pytest.raises(ValueError, match="60 levels"):
        call("json.loads", "[" * 100 + "]" * 100)


def test_random_choices_are_charged_for(call):
    with pytest.raises(BudgetExceeded):
        call("random.choices", [1], k=10**12)


def test_random_repeats_itself_per_seed(meter):
    first, second = (random_functions(random.Random(3)) for _ in range(2))
    assert [first["random"](meter) for _ in range(3)] == [second["random"](meter) for _ in range(3)]
    first["seed"](meter, "x")
    second["seed"](meter, "x")
    assert first["randint"](meter, 0, 10**9) == second["randint"](meter, 0, 10**9)


def test_shuffling_works_in_place(meter):
    items = list(range(50))
    assert random_functions(random.Random(0))["shuffle"](meter, items) is None
    assert items != list(range(50))
    assert sorted(items) == list(range(50))


def test_isqrt_and_gcd_take_numbers_up_to_the_limit(call):
    largest = 2**MAX_BITS - 1
    assert call("math.isqrt", largest) == math.isqrt(largest)
    assert call("math.gcd", largest, 3) == math.gcd(largest, 3)


# --- methods ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "name", "arguments", "named"),
    [
        ("a", "center", (10**12,), {}),
        ("a", "ljust", (10**12,), {}),
        ("a", "rjust", (10**12,), {}),
        ("a", "zfill", (10**12,), {}),
        ("\t" * 10, "expandtabs", (10**9,), {}),
        ("\t" * 10, "expandtabs", (), {"tabsize": 10**9}),
        ("a" * 100_000, "replace", ("a", "b" * 100_000), {}),
        ("a" * 100_000, "replace", ("", "b" * 1_000), {}),
        ("a" * 1_000_000, "join", (["b"] * 1_000,), {}),
        ("", "join", (ENDLESS,), {}),
        ("{0}" * 10_000, "format", ("a" * 10_000,), {}),
        ("a" * 6_000_000, "split", ("a",), {}),
        ("\n" * 6_000_000, "splitlines", (), {}),
        ([], "extend", (ENDLESS,), {}),
        ({}, "update", (PAIRS,), {}),
        (OrderedSet(), "update", (ENDLESS,), {}),
        (OrderedSet(), "union", (ENDLESS,), {}),
        (OrderedSet([1]), "difference", (ENDLESS,), {}),
        (OrderedSet([1]), "intersection", (ENDLESS,), {}),
        (OrderedSet(), "symmetric_difference", (ENDLESS,), {}),
        (OrderedSet([-1]), "issubset", (ENDLESS,), {}),
        (OrderedSet([-1]), "isdisjoint", (ENDLESS,), {}),
        (OrderedSet([1]), "issuperset", (ENDLESS,), {}),
    ],
)
def test_methods_that_would_make_too_much_exceed_the_budget(value, name, arguments, named, meter):
    with pytest.raises(BudgetExceeded) as caught:
        call_method(meter, value, name, arguments, named)
    assert caught.value.limit == "memory"


def doubled(value):
    for _ in range(50):
        value = (value, value)
    return value


@pytest.mark.parametrize(
    ("value", "name", "arguments"),
    [
        ({}, "get", (doubled(()),)),
        ({}, "setdefault", (doubled(()), 1)),
        ({}, "pop", (doubled(()), 1)),
        ({}, "update", ([(doubled(()), 1)],)),
        (OrderedSet(), "add", (doubled(()),)),
        (OrderedSet(), "discard", (doubled(()),)),
        (OrderedSet(), "update", ([doubled(())],)),
        ([], "index", (doubled(()),)),
        ([], "count", (doubled(()),)),
        ([], "remove", (doubled(()),)),
        ([doubled(())], "sort", ()),
        ((1,), "index", (doubled(()),)),
    ],
)
def test_methods_that_would_hash_or_compare_without_end_exceed_the_budget(value, name, arguments):
    with pytest.raises(BudgetExceeded):
        call_method(Meter(Budget(memory=100_000)), value, name, arguments, {})


@pytest.mark.parametrize("name", ["append", "insert", "copy", "setdefault"])
def test_storing_is_charged_for(name, meter):
    value, arguments = {
        "setdefault": ({}, ("k", 1)),
        "insert": ([1], (0, 1)),
        "copy": ([1, 2], ()),
        "append": ([], (1,)),
    }[name]
    call_method(meter, value, name, arguments, {})
    assert meter.memory >= 16


@pytest.mark.parametrize("value", [None, len, object(), range(3), ValueError("x"), {}.values(), iter([])])
def test_other_values_have_no_methods(value):
    assert methods_of(value) == frozenset()
