"""Workflows that pass the checker and mean harm: each ends soon, as a scored failure, within bounded memory."""

import resource
import time

import pytest
from bodies import CALL

from flowreasoner.budget import Budget
from flowreasoner.errors import BudgetExceeded, WorkflowFailed

LIST = "x = ['a']\nfor _ in range(60):\n    x = [x, x]\n"
TUPLE = "x = ('a',)\nfor _ in range(60):\n    x = (x, x)\n"
PENDING = f"r = {CALL}\nx = (r['response'],)\nfor _ in range(60):\n    x = (x, x)\n"
SELF = "x = []\nx.append(x)\nx.append(x)\n"
ENDLESS = "e = range(10**12)\n"
ROOM = 1 << 30
"""Bytes of memory beyond the test's own that a workflow may take at most, for a budget of 32 million characters."""

NUMBERS = [
    "9**9**9",
    "2**10**9",
    "-2**10**9",
    "(10**1000)**1000",
    "1 << 10**10",
    "pow(9, 9**9)",
    "math.factorial(10**9)",
    "math.comb(10**9, 10**8)",
    "math.perm(10**9)",
    "math.prod(range(1, 10**5))",
    "math.prod(['a', 10**10])",
    "math.lcm(*range(1, 10**5))",
    "fractions.Fraction('1e10000000')",
    "fractions.Fraction(1, 3) ** 10**9",
    "2 ** fractions.Fraction(10**9)",
    "sum([fractions.Fraction(1, 3**2000 + k) for k in range(2000)])",
    "int('9' * 10**6)",
    "int('f' * 10**6, 16)",
    "str(10**5000)",
    "json.loads('9' * 10**6)",
    "round(10**300, -10**9)",
    "10.0 ** 400",
    "chr(10**9)",
]
TEXTS = [
    "'a' * 10**12",
    "10**12 * 'a'",
    "'a' * 10**400",
    "['a'] * 10**10",
    "('a',) * 10**10",
    "f'{1:>1000000000}'",
    "f'{1:{10**9}}'",
    "f'{1.5:.1000000000f}'",
    "'{:>1000000000}'.format(1)",
    "'{:{}}'.format(1, 10**9)",
    "'%1000000000d' % 1",
    "'%*d' % (10**9, 1)",
    "'%.*f' % (10**9, 1.5)",
    "('%(x)s' * 10000) % {'x': 'a' * 10**6}",
    "('{0}' * 10000).format('a' * 10**6)",
    "format(1, '1000000000')",
    "('a' * 10**6).replace('a', 'b' * 10**6)",
    "('a' * 10**6).replace('', 'b' * 10**6)",
    "('a' * 10**6).join(['b'] * 10**5)",
    "'a'.zfill(10**10)",
    "'a'.center(10**10)",
    "'a'.ljust(10**10)",
    "('\\t' * 10**5).expandtabs(10**5)",
    "'\\t'.expandtabs(tabsize=10**9)",
    "('a' * 10**7).split('a')",
    "re.sub('(a+)', '\\\\1' * 10000, 'a' * 10**6)",
    "re.sub('', 'b' * 10**6, 'a' * 10**6)",
    "re.findall('', 'a' * 10**7)",
    "re.search('(a|aa)+$', 'a' * 60 + 'b')",
    "re.search('a{99999}', 'a')",
    "re.search('((a{99}){99}){99}', 'a')",
    "re.search('(' * 990 + ')' * 990, 'a')",
    "json.dumps([1] * 10**5, indent=10**6)",
    "json.dumps([1] * 10**5, indent='a' * 10**6)",
    "json.dumps([1] * 10**5, separators=('a' * 10**6, ':'))",
    "json.loads('[' * 10**6)",
    "json.loads('[' * 500 + ']' * 500)",
]
CONSUMERS = [
    "list(e)",
    "tuple(e)",
    "set(e)",
    "dict(zip(e, e))",
    "sum(e)",
    "max(e)",
    "min(e)",
    "sorted(e)",
    "all(range(1, 10**12))",
    "all(x >= 0 for x in e)",
    "any(x < 0 for x in e)",
    "list(map(str, e))",
    "list(filter(None, e))",
    "list(enumerate(e))",
    "list(zip(e, e))",
    "list(reversed(e))",
    "[*e]",
    "(*e,)",
    "{*e}",
    "max(*e)",
    "print(*e)",
    "[x for x in e]",
    "{x for x in e}",
    "{x: x for x in e}",
    "list(x for x in e)",
    "[1 for _ in e for _ in e]",
    "'a' in map(str, e)",
    "0.5 in e",
    "-1 in (x for x in e)",
    "','.join(map(str, e))",
    "','.join(str(x) for x in e)",
    "','.join(e)",
    "[].extend(e)",
    "{}.update(zip(e, e))",
    "{1}.update(e)",
    "{1}.union(e)",
    "{-1}.isdisjoint(e)",
    "{1}.issubset(e)",
    "{1}.difference(e)",
    "collections.Counter(e)",
    "collections.Counter({'a': 10**12}).elements().strip()",
    "list(collections.Counter({'a': 10**12}).elements())",
    "random.sample(e, 2)",
    "random.choices([1], k=10**10)",
    "random.choices([1], weights=e)",
    "random.shuffle([*e])",
    "math.fsum(e)",
    "math.prod(e)",
    "next(x for x in e if x < 0)",
    "str([x for x in e])",
    "self.take(*e)",
    "self.take(**dict(zip(map(str, e), e)))",
    "dict(**{str(x): x for x in e})",
]
STATEMENTS = [
    "while True:\n    if not problem:\n        break",
    "for x in e:\n    pass",
    "a, *b = e",
    "[a, *b, c] = e",
    "xs = []\nxs += e",
    "xs = []\nxs[:] = e",
    "xs = [1]\nfor x in xs:\n    xs.append(x)",
    "s = 'a'\nwhile problem:\n    s += s\n    problem = problem + ''",
    "xs = [0]\nwhile problem:\n    xs += xs\n    problem = problem + ''",
    "xs = [0]\nwhile problem:\n    xs = xs + xs\n    problem = problem + ''",
    "f = lambda n: f(n) + f(n)\nx = f(1)",
    "f = lambda g: g(g)\nx = f(f)",
    "x = self.again()",
    "s = 'a'\nwhile problem:\n    s = repr(s) * 2\n    problem = problem + ''",
    "s = 'a'\nwhile problem:\n    s = f'{s}{s}'\n    problem = problem + ''",
    "d = {i: i for i in range(30000)}\nxs = [d.copy() for _ in range(3000)]",
    "d = {i: i for i in range(30000)}\nxs = [d | {} for _ in range(3000)]",
    "xs = list(range(10**5))\nys = [xs[:] for _ in range(10**4)]",
    "prompt_custom.P = 'a' * 10**7\nxs = [prompt_custom.P + str(i) for i in range(1000)]",
    "x = '{0.__class__}'\ny = x.format(problem)",
    "x = '{0' + '.__class__}'\ny = x.format(problem)",
    "x = '{:{0.__class__}}'\nz = [x]\ny = z[0].format(problem)",
]
DOUBLED = [
    "str(x)",
    "repr(x)",
    "f'{x}'",
    "f'{x!r:>5}'",
    "'{}'.format(x)",
    "'%s' % (x,)",
    "x == [1]",
    "x != list(x)",
    "json.dumps(x)",
    "[x] == [x, 1]",
    "x < list(x)",
    "str({1: x}.values())",
    "str({1: x}.items())",
    "[1].index(x)",
    "[x].count(1)",
    "sorted([x, x])",
    "max([x, x])",
    "random.seed(x)",
    "print(x)",
    "str([x])",
    "str((x,))",
    "{'a': x}.update({'b': str(x)})",
    "bool(x) and str(x)",
    "int(x)",
    "len(x) and repr(x)",
    "(await self.sc_ensemble(solutions=x))['response']",
    "sorted([1, 2], key=lambda k: x)",
    "min([1, 2], key=lambda k: [x, k])",
]
HASHED = [
    "{x: 1}",
    "{x}",
    "set([x])",
    "dict([(x, 1)])",
    "{1: 2}[x]",
    "{1: 2}.get(x)",
    "{}.setdefault(x, 1)",
    "x in {1: 2}",
    "x in {1}",
    "collections.Counter([x])",
    "{1}.union([x])",
    "{k: 1 for k in [x]}",
    "{k for k in [x]}",
    "list(zip([x], [1])) and {(x, 1)}",
    "dict(zip([x], [1]))",
    "{1}.add(x)",
    "{1: x}.items() & {2: x}.items()",
    "self.put(x)",
]
MEMBERS = """
    def take(self, *, first=1):
        return first

    def again(self):
        return self.again()

    def put(self, x):
        d = {}
        d[x] = 1
        return d
    """


@pytest.fixture
def hostile(run):
    """Runs a workflow that must fail soon, and returns its error."""

    async def running(body, **options):
        before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
        result = await run(body + "\nreturn 'survived'", prompts={"P": ""}, **{"members": MEMBERS} | options)
        assert time.monotonic() - started < 5
        assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 < ROOM
        assert result.answer is None
        assert isinstance(result.error, BudgetExceeded | WorkflowFailed)
        assert "MemoryError" not in str(result.error)
        return result.error

    return running


@pytest.mark.parametrize("expression", NUMBERS)
async def test_long_numbers(hostile, expression):
    assert await hostile(f"x = {expression}")


@pytest.mark.parametrize("expression", TEXTS)
async def test_texts_that_grow(hostile, expression):
    assert await hostile(f"x = {expression}")


@pytest.mark.slow
@pytest.mark.parametrize("expression", CONSUMERS)
async def test_endless_iterables(hostile, expression):
    assert await hostile(f"{ENDLESS}x = {expression}")


@pytest.mark.parametrize("statement", STATEMENTS)
async def test_statements_without_end(hostile, statement):
    assert await hostile(f"{ENDLESS}{statement}")


@pytest.mark.parametrize("expression", DOUBLED)
@pytest.mark.parametrize("value", [LIST, TUPLE], ids=["list", "tuple"])
async def test_values_that_double_with_each_level(hostile, value, expression):
    assert await hostile(f"{value}y = {expression}", budget=Budget(memory=1_000_000))


@pytest.mark.parametrize("expression", ["x", "str(x)", "[x, 1]", "{'k': x}", "(x, 1)"])
@pytest.mark.parametrize("value", [LIST, TUPLE, PENDING], ids=["list", "tuple", "pending"])
async def test_returning_values_that_double_with_each_level(hostile, value, expression):
    assert await hostile(f"{value}return {expression}", budget=Budget(memory=1_000_000))


@pytest.mark.parametrize("expression", HASHED)
async def test_hashing_values_that_double_with_each_level(hostile, expression):
    assert await hostile(f"{TUPLE}y = {expression}", budget=Budget(memory=1_000_000))


@pytest.mark.parametrize(
    "expression",
    [
        "str(x)",
        "x == [x]",
        "json.dumps(x)",
        "(await self.sc_ensemble(solutions=x))['response']",
        "f'{x}'",
        "sorted([x, x])",
    ],
)
async def test_values_that_contain_themselves(hostile, expression):
    assert "60 levels" in str(await hostile(f"{SELF}y = {expression}"))


async def test_a_value_nested_thousands_deep(hostile):
    assert await hostile("x = 'a'\nfor _ in range(5000):\n    x = [x]\ny = str(x)")
    assert await hostile(f"x = ({CALL})['response']\nfor _ in range(5000):\n    x = [x]\nreturn x")


async def test_log_lines_cannot_grow_without_end(run):
    result = await run("s = 'a' * 10**6\nfor _ in range(1000):\n    print(s)\nreturn 'survived'")
    assert sum(map(len, result.trace.log)) < 40_000_000


async def test_keeping_on_after_each_fault_ends_with_the_steps(run):
    attempt = "    try:\n        n += 1\n        x = 9**9**9\n    except Exception:\n        pass"
    result = await run(f"n = 0\nwhile n < 10**9:\n{attempt}\nreturn 'survived'")
    assert isinstance(result.error, BudgetExceeded)
    assert result.error.limit == "steps"


async def test_an_unlimited_budget_still_refuses_long_numbers(run):
    result = await run("return str(9**9**9)", budget=Budget(None, None, None, None, None, None))
    assert "OverflowError" in str(result.error)


@pytest.mark.parametrize("depth", [30, 88])
async def test_deeply_nested_branches_run(run, depth):
    body = "".join(" " * i + "if problem:\n" for i in range(depth)) + " " * depth + "return 'inside'\nreturn ''"
    assert (await run(body)).answer == "inside"


async def test_a_long_elif_chain_runs(run):
    body = "if problem == '0':\n    pass\n" + "".join(f"elif problem == '{i}':\n    return '{i}'\n" for i in range(60))
    assert (await run(body + "return ''", arguments={"problem": "59"})).answer == "59"


@pytest.mark.parametrize("expression", ["d", "str(d['b'])", "f'{d}'"])
async def test_a_view_of_the_dictionary_that_holds_it(hostile, expression):
    assert "60 levels" in str(await hostile(f"d = {{}}\nd['b'] = d.values()\nreturn {expression}"))


@pytest.mark.parametrize(
    "body",
    [
        "x = ('{0:>10000}' * 200000).format('a')",
        "x = ('%(a)10000d' * 60000) % {'a': 1}",
        f"big = 'x' * 8000000\na = {CALL}\nx = big.join([a['response']] * 200)\nreturn x",
        f"big = 'x' * 8000000\na = {CALL}\nx = (a['response'] * 1000).replace('', big)\nreturn x",
        "xs = [1] * 1000000\nfor i in range(1000):\n    random.shuffle(xs)",
    ],
)
async def test_results_are_charged_before_they_are_made(hostile, body):
    assert "memory" in str(await hostile(body))
