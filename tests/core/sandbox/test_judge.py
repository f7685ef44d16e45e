"""What tests can do with a program that lives in another process, and what they cannot be talked into."""

import asyncio

import pytest
from sandboxes import details, outcomes

from flowreasoner.sandbox import Limits, Pool, Suite


@pytest.fixture(scope="module")
def sandbox():
    pool = Pool("process", workers=1, limits=Limits(test_s=1.0, wall_s=5.0))
    yield pool
    asyncio.run(pool.aclose())


SHAPES = """
import asyncio, collections, datetime, decimal, enum, fractions
LIMIT = 7

class Stack:
    MOST = 3
    def __init__(self, *items): self.items = list(items)
    def push(self, item):
        if len(self.items) >= self.MOST: raise Full(item, code=self.MOST)
        self.items.append(item)
        return self
    def pop(self): return self.items.pop()
    def __len__(self): return len(self.items)
    def __contains__(self, item): return item in self.items
    def __getitem__(self, index): return self.items[index]
    def __setitem__(self, index, item): self.items[index] = item
    def __iter__(self): return iter(self.items)
    def __enter__(self): return self
    def __exit__(self, *_): self.items.clear()
    def __str__(self): return f"<{self.items}>"
    @classmethod
    def of(cls, n): return cls(*range(n))

class Full(ValueError):
    def __init__(self, item, code):
        super().__init__(f"no room for {item}")
        self.code = code

class Vector:
    def __init__(self, x, y): self.x, self.y = x, y
    def __eq__(self, other): return (self.x, self.y) == (other.x, other.y)
    def __hash__(self): return hash((self.x, self.y))
    def __add__(self, other): return Vector(self.x + other.x, self.y + other.y)
    def __mul__(self, k): return Vector(self.x * k, self.y * k)
    __rmul__ = __mul__
    def __neg__(self): return Vector(-self.x, -self.y)
    def __abs__(self): return (self.x ** 2 + self.y ** 2) ** 0.5
    def __lt__(self, other): return abs(self) < abs(other)

def double(xs):
    for n, x in enumerate(xs): xs[n] = 2 * x
    return xs
def apply(function, x): return function(x)
def compose(f, g): return lambda x: f(g(x))
def count():
    n = 0
    while True:
        n += 1
        yield n
async def later(x):
    await asyncio.sleep(0)
    return 2 * x
def echo(x): return x
class Cache(collections.OrderedDict):
    def __init__(self, most):
        super().__init__()
        self.most = most
    def put(self, key, value):
        self[key] = value
        if len(self) > self.most: self.popitem(last=False)
Pair = collections.namedtuple("Pair", "low high")
def pair(x): return Pair(x, x + 1)
class Dice:
    def __init__(self, n): self.n = n
    def __index__(self): return self.n
    def __float__(self): return float(self.n)
    def __round__(self): return self.n
class Only:
    _one = None
    def __new__(cls):
        cls._one = cls._one or super().__new__(cls)
        return cls._one
def averager():
    total = n = 0
    mean = None
    while True:
        total += yield mean
        n += 1
        mean = total / n
def breaking():
    yield 1
    yield 2
    raise KeyError("gone")
class Countdown:
    def __init__(self, n): self.n = n
    def __iter__(self): return self
    def __next__(self):
        if not self.n: raise StopIteration
        self.n -= 1
        return self.n + 1
class Log:
    seen = None
    def __enter__(self): return self
    def __exit__(self, kind, error, trace): self.seen = [kind.__name__, str(error)]
def order(xs): xs.sort()
def turn(q): q.rotate(1)
def total(xs): return sum(xs)
def part(s): return "abcd"[s]
def first(n): return (x * x for x in range(n))
def fail(kind): raise kind("told to")
"""


@pytest.mark.parametrize(
    "test",
    [
        "s = Stack(1)\ns.push(2)\nassert s.pop() == 2 and len(s) == 1",
        "s = Stack(1, 2)\nassert 2 in s and 5 not in s\nassert s[0] == 1\ns[0] = 9\nassert list(s) == [9, 2]",
        "s = Stack()\ns.items.append(4)\ns.extra = 5\nassert s.extra == 5\ndel s.extra\nassert not hasattr(s, 'extra')",
        "with Stack(1) as s:\n    assert len(s) == 1\nassert len(s) == 0",
        "assert str(Stack(1)) == '<[1]>' and f'{Stack(2)}' == '<[2]>' and repr(Stack).startswith('<class')",
        "assert isinstance(Stack(), Stack) and not isinstance(3, Stack) and Stack.MOST == 3",
        "assert len(Stack.of(2)) == 2 and type(Stack()).__name__ == 'Stack'",
        "assert bool(Stack(1)) and not Stack()",
        "assert Vector(1, 2) + Vector(1, 1) == Vector(2, 3)\nassert Vector(1, 2) != Vector(2, 1)",
        "assert Vector(1, 2) * 3 == Vector(3, 6) == 3 * Vector(1, 2)\nassert abs(-Vector(3, 4)) == 5.0",
        "assert Vector(0, 1) < Vector(1, 1) and sorted([Vector(2, 2), Vector(1, 1)])[0].x == 1",
        "assert len({Stack(), Stack()}) == 2",
        "xs = [1, 2]\nassert double(xs) is xs\nassert xs == [2, 4]",
        "assert apply(lambda x: x + 1, 3) == 4 and apply(len, 'abc') == 3 and apply(int, '5') == 5",
        "assert compose(lambda x: x + 1, lambda x: 2 * x)(3) == 7",
        "import itertools\nassert list(itertools.islice(count(), 3)) == [1, 2, 3]\ng = count()\nassert next(g) == 1",
        "assert list(first(4)) == [0, 1, 4, 9] and sum(first(5000)) == sum(x * x for x in range(5000))",
        "import asyncio\nassert asyncio.run(later(3)) == 6",
        "import asyncio\nasync def go():\n    return await later(4)\nassert asyncio.run(go()) == 8",
        "import asyncio\nasync def go():\n    return await asyncio.gather(later(1), later(2))\n"
        "assert asyncio.run(go()) == [2, 4]",
        "assert LIMIT == 7 and echo.__name__ == 'echo'",
        "from solution import Stack as S, LIMIT as most\nassert len(S()) == 0 and most == 7",
        "from solution import *\nassert LIMIT == 7 and echo(1) == 1",
        "import solution\nassert solution.echo(2) == 2 and not hasattr(solution, 'nothing')",
        "try:\n    Stack(1, 2, 3).push(4)\n    assert False\nexcept Full as e:\n"
        "    assert str(e) == 'no room for 4' and e.code == 3",
        "try:\n    Stack(1, 2, 3).push(4)\nexcept ValueError as e:\n    assert isinstance(e, Full)",
        "try:\n    fail(KeyError)\nexcept KeyError as e:\n    assert e.args == ('told to',)",
        "x = echo(float('nan'))\nassert x != x and echo(float('inf')) == float('inf') and echo(-0.0) == 0",
        "assert echo(10**30) == 10**30 and echo(1 << 60) == 1 << 60 and echo(True) is True and echo(None) is None",
        "x = {1: (2, {3}), 'a': [b'x', bytearray(b'y'), 1j]}\nassert echo(x) == x",
        "import collections\nassert isinstance(echo(collections.Counter('aab')), collections.Counter)",
        "import datetime, decimal, fractions\nfor x in (datetime.date(2024, 2, 29), datetime.datetime(2024, 1, 1, 5),"
        " datetime.timedelta(3, 4, 5), decimal.Decimal('1.10'), fractions.Fraction(1, 3), range(3), frozenset({1})):\n"
        "    assert echo(x) == x and type(echo(x)) is type(x)",
        "assert echo('\\ud800\\x00é') == '\\ud800\\x00é'",
        "c = Cache(2)\nc.put(1, 'a')\nc.put(2, 'b')\nc.put(3, 'c')\n"
        "assert c == {2: 'b', 3: 'c'} and list(c) == [2, 3] and len(c) == 2 and c != {}",
        "p = pair(1)\nassert p == (1, 2) and p.low == 1 and p._asdict() == {'low': 1, 'high': 2} and p[1] == 2",
        "assert Pair(1, 2).high == 2 and Pair(1, 2) == (1, 2) and echo(pair(3)).low == 3",
        "assert {Vector(1, 2), Vector(1, 2)} == {Vector(1, 2)} and {Vector(1, 2): 3}[Vector(1, 2)] == 3",
        "d = Dice(4)\nassert int(d) == 4 and float(d) == 4.0 and round(d) == 4 and [0, 1, 2, 3, 5][d] == 5",
        "assert list(reversed(Stack(1, 2))) == [2, 1] and Only() is Only()",
        "g = averager()\nnext(g)\nassert [g.send(x) for x in (10, 20, 3)] == [10.0, 15.0, 11.0]",
        "g = breaking()\nassert next(g) == 1 and next(g) == 2\ntry:\n    next(g)\n    assert False\n"
        "except KeyError as e:\n    assert e.args == ('gone',)",
        "seen = []\ntry:\n    for x in breaking():\n        seen.append(x)\nexcept KeyError:\n    seen.append('end')\n"
        "assert seen == [1, 2, 'end']",
        "c = Countdown(30)\nassert next(c) == 30 and c.n == 29 and list(c) == list(range(29, 0, -1))",
        "xs = [3, 1]\norder(xs=xs)\nassert xs == [1, 3]",
        "import collections\nq = collections.deque([1, 2])\nturn(q)\nassert list(q) == [2, 1]",
        "assert echo(list(first(3))) == [0, 1, 4] and total(x * x for x in range(4)) == 14 == total(map(int, '257'))",
        "assert apply(str.upper, 'a') == 'A' and part(slice(1, 3)) == 'bc'",
        "log = Log()\ntry:\n    with log:\n        raise ValueError('x')\nexcept ValueError:\n    pass\n"
        "assert log.seen == ['ValueError', 'x']",
        "log = Log()\ntry:\n    with log:\n        fail(KeyError)\nexcept KeyError:\n    pass\n"
        "assert log.seen == ['KeyError', \"'told to'\"]",
    ],
)  # fmt: skip
async def test_tests_use_a_program_as_if_it_were_here(sandbox, test):
    verdict = await sandbox.grade(SHAPES, Suite.asserts([test]))
    assert details(verdict) == [""]
    assert verdict.passed


CHAMELEON = """
class X(int):
    __eq__ = __ge__ = __le__ = __contains__ = lambda self, other: True
    __ne__ = __lt__ = __gt__ = lambda self, other: False
    __sub__ = __rsub__ = __abs__ = __round__ = lambda self, *other: 0
    __hash__ = int.__hash__
class Y:
    __eq__ = __ge__ = __le__ = __gt__ = __contains__ = lambda self, other: True
    __ne__ = __lt__ = lambda self, other: False
    __sub__ = __rsub__ = __abs__ = __round__ = __add__ = lambda self, *other: 0
    __iter__ = lambda self: iter(range(100_000))
    __len__ = lambda self: 5
    __hash__ = lambda self: 5
    __class__ = int
def f(x): return {0: X(7), 1: Y(), 2: [Y()], 3: {5: Y()}, 4: (Y(),)}[x]
"""


@pytest.mark.parametrize(
    "condition",
    [
        "f({n}) == 5", "5 == f({n})", "not f({n}) != 5", "abs(f({n}) - 5) < 1e-6", "f({n}) in (5, 6)",
        "f({n}) >= 5 >= f({n})",
        "[f({n})] == [5]", "{{'a': f({n})}} == {{'a': 5}}", "round(f({n}) - 5.0, 7) == 0", "f({n}) == [5]",
        "f({n}) == {{5: 5}}", "f({n}) == (5,)", "isinstance(f({n}), str)", "max(f({n}), 5) == 5 == min(f({n}), 5)",
    ],
)  # fmt: skip
@pytest.mark.parametrize("n", range(5))
async def test_a_result_that_equals_everything_equals_nothing(sandbox, n, condition):
    verdict = await sandbox.grade(CHAMELEON, Suite.asserts([f"assert {condition.format(n=n)}"], "f"))
    assert outcomes(verdict)[0] in {"fail", "error"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("code", "test"),
    [
        ("def f(x): raise StopIteration", "assert all(map(lambda n: f(n) == 2 * n, range(3)))"),
        ("def f(x): raise GeneratorExit", "assert [f(n) for n in range(2)] != 3"),
        ("import os\ndef f(x): os._exit(0)", "try:\n    f(1)\nexcept BaseException:\n    pass\nassert True"),
        ("def f(x): raise SystemExit(0)", "assert f(1) == 2"),
        ("import math\nmath.isclose = lambda *a: True\ndef f(x): return 0", "assert math.isclose(f(1), 5)"),
        ("abs = lambda *a: 0\ndef f(x): return 0", "assert abs(f(1) - 5) < 1"),
        ("import builtins\nbuiltins.abs = lambda *a: 0\ndef f(x): return 0", "assert abs(f(1) - 5) < 1"),
        ("class AssertionError(Exception): pass\ndef f(x): return 0", "assert f(1) == 5"),
        ("def reference(x): return 0\ndef f(x): return 0", "def reference(x): return 5\nassert f(1) == reference(1)"),
        ("def f(x):\n    x.clear()\n    return 0", "xs = [5]\nassert f(xs) == sum(xs) + 5"),
        ("class E(Exception):\n    def __eq__(s, o): return True\ndef f(x): return E()", "assert f(1) == 5"),
        ("def f(x):\n    while True: yield x", "assert 5 in list(f(1))"),
        ("def f(x): return f", "assert f(1) == 5"),
        ("import math\ndef f(x): math.sqrt = lambda x: 5", "import math\nf(1)\nassert math.sqrt(4) == 5"),
    ],
)  # fmt: skip
async def test_a_wrong_program_is_not_right_by_other_means(sandbox, code, test):
    verdict = await sandbox.grade(code, Suite.asserts([test], "f"))
    assert not verdict.passed


@pytest.mark.parametrize(
    ("code", "test", "detail"),
    [
        ("def f(x): return x", "class Own: pass\nassert f(Own())", "Own of the tests cannot be handed to the program"),
        ("def f(x): return x", "assert f([0] * 300_000)", "too large or nested too deeply"),
        ("def f(x): return [0] * 300_000", "assert f(1)", "too large or nested too deeply"),
        ("def f(x):\n    y = []\n    y.append(y)\n    return y", "assert f(1)", "nested too deeply"),
        ("def f(x): return 'x' * (9 << 20)", "assert f(1)", "may be sent"),
        ("def f(x): return 2", "assert g(1) == 2", "NameError: name 'g' is not defined"),
    ],
)  # fmt: skip
async def test_what_cannot_cross_is_an_error_that_says_so(sandbox, code, test, detail):
    verdict = await sandbox.grade(code, Suite.asserts([test, "assert f(1) is not None"], "f"))
    assert outcomes(verdict)[0] == "error"
    assert detail in details(verdict)[0]


async def test_a_program_that_ended_is_started_anew_for_the_next_test_with_nothing_remembered(sandbox):
    code = "n = 0\ndef f(x):\n    global n\n    n += 1\n    import os\n    return n if x else os._exit(3)"
    suite = Suite.asserts(["assert f(1) == 1", "assert f(1) == 2", "assert f(0)", "assert f(1) == 1"], "f")
    verdict = await sandbox.grade(code, suite)
    assert outcomes(verdict) == ["pass", "pass", "error", "pass"]
    assert verdict.status == "died"


@pytest.mark.slow
async def test_a_test_that_sleeps_costs_no_other_its_time(sandbox):
    code = "import time\ndef f(x):\n    if x < 2: time.sleep(100)\n    return x"
    suite = Suite.asserts([f"assert f({n}) == {n}" for n in range(5)], "f")
    verdict = await sandbox.grade(code, suite)
    assert outcomes(verdict) == ["timeout", "timeout", "pass", "pass", "pass"]
    assert details(verdict)[1] == "took longer than 1 s"


async def test_an_error_names_the_file_that_it_is_about(sandbox):
    verdict = await sandbox.grade("def f(x): return open('/no/such')", Suite.asserts(["assert f(1)"], "f"))
    assert details(verdict) == ["FileNotFoundError: [Errno 2] No such file or directory: '/no/such'"]


async def test_a_function_named_like_a_builtin_is_found_without_an_entry_point(sandbox):
    suite = Suite.asserts(["assert sum(2, 3) == 5"])
    assert (await sandbox.grade("def sum(a, b): return a + b", suite)).passed


@pytest.mark.parametrize(
    ("source", "separable"),
    [
        ("import unittest\nclass T(unittest.TestCase):\n def test_a(self): self.assertEqual(f(1), 2)", True),
        ("import unittest, re\nclass T(unittest.TestCase):\n def setUp(self): pass\n def test_a(self): f(1)", True),
        ("import unittest, os\nclass T(unittest.TestCase):\n def test_a(self): self.assertEqual(f(1), 2)", False),
        ("import unittest\nimport unittest.mock\nclass T(unittest.TestCase):\n def test_a(self): pass", False),
        ("import unittest\nclass T(unittest.TestCase):\n def test_a(self): open('x')", False),
        ("import unittest\nclass T(unittest.TestCase):\n def test_a(self): f(lambda x: x)", False),
        ("import unittest\nclass T(unittest.TestCase):\n def test_a(self): self.assertEqual(f(1), help_)", False),
    ],
)  # fmt: skip
def test_only_unittest_classes_that_call_the_program_with_data_are_kept_apart_from_it(source, separable):
    assert Suite.unittest(source, "f").separable is separable
