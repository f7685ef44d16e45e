"""What the checker admits (`flowreasoner.workflow.language`), the engine provides, with Python's own results."""

# ruff: noqa: E501 - the tables below have one name a line
import asyncio
import builtins
import collections
import fractions
import json
import math
import random
import re

import pytest

from flowreasoner.engine.library import CONSTANTS, FUNCTIONS, MODULE_FUNCTIONS, random_functions
from flowreasoner.engine.values import OrderedSet
from flowreasoner.workflow.language import BUILTINS, EXCEPTIONS, EXPRESSIONS, METHODS, MODULES, STATEMENTS

NAMES = {
    "asyncio": asyncio,
    "collections": collections,
    "fractions": fractions,
    "json": json,
    "math": math,
    "random": random,
    "re": re,
}

# One or more expressions per name; each must be worth in the engine what it is worth in Python.
BUILTIN = {
    "abs": ["abs(-2)", "abs(-2.5)"],
    "all": ["all([1, 2])", "all([])", "all(x > 1 for x in [1, 2])"],
    "any": ["any([0, 2])", "any([])", "any(x > 1 for x in [1, 2])"],
    "bool": ["bool()", "bool('')", "bool([0])"],
    "chr": ["chr(97)"],
    "dict": [
        "dict()",
        "dict(a=1)",
        "dict([('a', 1), ['b', 2]], c=3)",
        "dict({'a': 1}, a=2)",
        "dict(zip('ab', [1, 2]))",
    ],
    "divmod": ["divmod(7, 3)"],
    "enumerate": ["list(enumerate('ab'))", "list(enumerate('ab', 1))", "list(enumerate('ab', start=2))"],
    "filter": ["list(filter(None, [0, 1]))", "list(filter(lambda x: x > 1, [1, 2]))", "list(filter(len, ['', 'a']))"],
    "float": ["float()", "float('1.5')", "float(2)"],
    "format": ["format(3.14159, '.2f')", "format('a')", "format('a', '>5')"],
    "int": ["int()", "int('7')", "int('ff', 16)", "int('ff', base=16)", "int(2.9)"],
    "isinstance": [
        "isinstance(1, int)",
        "isinstance('a', (int, str))",
        "isinstance({1}, set)",
        "isinstance(True, int)",
        "isinstance([], tuple)",
    ],
    "len": ["len('abc')", "len([])", "len({1: 2})", "len({1, 2})", "len(range(5))"],
    "list": ["list()", "list('ab')", "list(range(3))", "list({'a': 1})", "list(x * 2 for x in [1, 2])"],
    "map": ["list(map(str, [1, 2]))", "list(map(lambda a, b: a + b, [1, 2], [3, 4]))", "list(map(math.sqrt, [4]))"],
    "max": [
        "max([1, 3, 2])",
        "max(1, 2)",
        "max(['a', 'bb'], key=len)",
        "max([], default=0)",
        "max(x for x in [1, 5])",
        "max('b', 'ab', key=lambda s: len(s))",
    ],
    "min": ["min([1, 3, 2])", "min(1, 2)", "min(['aa', 'b'], key=len)", "min([], default=None)"],
    "next": ["next(x for x in [7, 8])", "next((x for x in []), 'none')", "next(zip([1], [2]))"],
    "ord": ["ord('a')"],
    "pow": ["pow(2, 5)", "pow(2, 5, 7)", "pow(3, -1, 7)"],
    "print": ["print('a', 1)"],
    "range": ["list(range(3))", "list(range(1, 7, 2))", "range(5)[2]", "3 in range(5)"],
    "repr": ["repr('a')", "repr([1, 'b'])"],
    "reversed": ["list(reversed([1, 2]))", "list(reversed('ab'))", "list(reversed({'a': 1, 'b': 2}))"],
    "round": ["round(2.5)", "round(2.567, 2)", "round(1234, -2)"],
    "set": ["len(set())", "sorted(set('aab'))", "sorted(set([1, 1, 2]))"],
    "sorted": [
        "sorted([3, 1, 2])",
        "sorted('ba')",
        "sorted(['bb', 'a'], key=len)",
        "sorted([1, 2], reverse=True)",
        "sorted([('b', 1), ('a', 2)], key=lambda p: p[1], reverse=True)",
    ],
    "str": ["str()", "str(1)", "str([1, 'a'])", "str(None)", "str((1,))"],
    "sum": ["sum([1, 2])", "sum([[1], [2]], [])", "sum(x for x in [1, 2])", "sum([0.5], 1)"],
    "tuple": ["tuple()", "tuple('ab')", "tuple(x for x in [1])"],
    "zip": ["list(zip([1, 2], 'ab'))", "list(zip())", "list(zip([1, 2], [3]))"],
}

MEMBER = {
    "asyncio": {"gather": []},
    "collections": {"Counter": ["collections.Counter('aab')", "collections.Counter({'a': 2})", "collections.Counter(['x'])['y']"]},
    "fractions": {"Fraction": ["fractions.Fraction(1, 3) + 1", "fractions.Fraction('1/3')", "fractions.Fraction('1.5e2')", "fractions.Fraction(0.5)", "fractions.Fraction()"]},
    "json": {
        "JSONDecodeError": [],
        "dumps": ["json.dumps({'a': [1, None, True, 'é']})", "json.dumps({'b': 1, 'a': 2}, sort_keys=True, indent=2)", "json.dumps('é', ensure_ascii=False)", "json.dumps([1, 2], separators=(',', ':'))"],
        "loads": ["json.loads('{\"a\": [1, null, true]}')", "json.loads('\"x\"')"],
    },
    "math": {
        "ceil": ["math.ceil(1.2)"], "comb": ["math.comb(5, 2)"], "cos": ["math.cos(0)"], "e": ["math.e"],
        "exp": ["math.exp(1)"], "fabs": ["math.fabs(-1)"], "factorial": ["math.factorial(10)"], "floor": ["math.floor(1.8)"],
        "fmod": ["math.fmod(7, 3)"], "fsum": ["math.fsum([0.1] * 10)", "math.fsum(x for x in [1, 2])"], "gcd": ["math.gcd(12, 18)"],
        "hypot": ["math.hypot(3, 4)"], "inf": ["math.inf"], "isclose": ["math.isclose(1.0, 1.1, rel_tol=0.5)"],
        "isfinite": ["math.isfinite(1)"], "isinf": ["math.isinf(math.inf)"], "isnan": ["math.isnan(math.nan)"],
        "isqrt": ["math.isqrt(17)"], "lcm": ["math.lcm(4, 6)", "math.lcm()"], "log": ["math.log(8, 2)", "math.log(8)"], "log10": ["math.log10(100)"],
        "log2": ["math.log2(8)"], "nan": ["str(math.nan)"], "perm": ["math.perm(5, 2)"], "pi": ["math.pi"],
        "pow": ["math.pow(2, 3)"], "prod": ["math.prod([2, 3])", "math.prod([0.5], start=4)"], "sin": ["math.sin(0)"],
        "sqrt": ["math.sqrt(2)"], "tan": ["math.tan(0)"], "trunc": ["math.trunc(-1.5)"],
    },
    "random": {
        "choice": ["random.choice([1])"], "choices": ["random.choices([1], k=2)", "random.choices([1, 2], weights=[0, 1], k=2)"],
        "randint": ["random.randint(3, 3)"], "random": ["0 <= random.random() < 1"], "randrange": ["random.randrange(1)"],
        "sample": ["random.sample([1], 1)"], "seed": ["random.seed(1)"], "shuffle": ["random.shuffle([1])"],
        "uniform": ["random.uniform(2, 2)"],
    },
    "re": {
        "ASCII": ["re.findall(r'\\w', 'é', re.ASCII)"], "DOTALL": ["re.findall('.', '\\n', re.DOTALL)"],
        "I": ["re.findall('a', 'A', re.I)"], "IGNORECASE": ["re.findall('a', 'A', flags=re.IGNORECASE)"],
        "M": ["re.findall('^a', 'b\\na', re.M)"], "MULTILINE": ["re.findall('^a', 'b\\na', re.MULTILINE)"],
        "S": ["re.findall('.', '\\n', re.S)"], "VERBOSE": ["re.findall('a b', 'ab', re.VERBOSE)"],
        "X": ["re.findall('a b # c', 'ab', re.X | re.I)"], "error": [],
        "escape": ["re.escape('a.b')"], "findall": ["re.findall('a(b)', 'abab')"],
        "finditer": ["[m.group() for m in re.finditer('a.', 'abac')]"], "fullmatch": ["re.fullmatch('a', 'ab') is None"],
        "match": ["re.match('a', 'ab').group()"], "search": ["re.search('b', 'ab').start()"],
        "split": ["re.split(',', 'a,b')"], "sub": ["re.sub('a', 'b', 'aa')"], "subn": ["re.subn('a', 'b', 'aa')"],
    },
}  # fmt: skip

# Per type a value `v`, and per method calls on it.
METHOD = {
    "str": ("'aB c'", {
        "capitalize": ["()"], "casefold": ["()"], "center": ["(9, '*')"], "count": ["('a')"], "endswith": ["('c')", "(('x', 'c'))"],
        "expandtabs": ["()", "(4)", "(tabsize=4)"], "find": ["('c')"], "format": ["()"], "index": ["('c')"], "isalnum": ["()"],
        "isalpha": ["()"], "isascii": ["()"], "isdecimal": ["()"], "isdigit": ["()"], "isidentifier": ["()"],
        "islower": ["()"], "isnumeric": ["()"], "isprintable": ["()"], "isspace": ["()"], "istitle": ["()"],
        "isupper": ["()"], "join": ["(['x', 'y'])", "('xy')", "(str(i) for i in range(2))"], "ljust": ["(6)"], "lower": ["()"], "lstrip": ["('a')"],
        "partition": ["(' ')"], "removeprefix": ["('a')"], "removesuffix": ["('c')"], "replace": ["('a', 'x')", "('', '-')", "('a', 'x', 0)"],
        "rfind": ["('c')"], "rindex": ["('c')"], "rjust": ["(6, '.')"], "rpartition": ["(' ')"], "rsplit": ["(None, 1)", "(' ', maxsplit=1)"],
        "rstrip": ["('c')"], "split": ["()", "('B')", "(maxsplit=1)"], "splitlines": ["()", "(keepends=True)"], "startswith": ["('a')", "('B', 1)"],
        "strip": ["()", "('ac')"], "swapcase": ["()"], "title": ["()"], "upper": ["()"], "zfill": ["(6)"],
    }),
    "list": ("[3, 1]", {
        "append": ["(2)"], "clear": ["()"], "copy": ["()"], "count": ["(1)"], "extend": ["([5])", "(x for x in 'ab')", "(range(2))"], "index": ["(1)"],
        "insert": ["(0, 9)"], "pop": ["()", "(0)"], "remove": ["(3)"], "reverse": ["()"], "sort": ["()", "(reverse=True)", "(key=lambda x: -x)"],
    }),
    "dict": ("{'a': 1, 'b': 2}", {
        "clear": ["()"], "copy": ["()"], "get": ["('a')", "('z')", "('z', 0)"], "items": ["()"], "keys": ["()"], "pop": ["('a')", "('z', 0)"],
        "popitem": ["()"], "setdefault": ["('z', 3)", "('a')"], "update": ["({'c': 3})", "([('c', 3)])", "(c=3)", "(zip('ab', [5, 6]))"], "values": ["()"],
    }),
    "set": ("{1, 2}", {
        "add": ["(3)"], "clear": ["()"], "copy": ["()"], "difference": ["({1})", "([1], [2])", "()"], "discard": ["(1)", "(9)"],
        "intersection": ["([2, 3])"], "isdisjoint": ["({3})", "([1])"], "issubset": ["([1, 2, 3])"], "issuperset": ["({1})"],
        "remove": ["(1)"], "symmetric_difference": ["({2, 3})"], "union": ["({3}, [4])"], "update": ["({3}, [4])"],
    }),
    "tuple": ("(1, 2, 1)", {"count": ["(1)"], "index": ["(2)"]}),
    "int": ("(9)", {"bit_length": ["()"]}),
    "float": ("(1.5)", {"is_integer": ["()"]}),
    "Counter": ("collections.Counter('aab')", {"elements": ["()"], "most_common": ["()", "(1)"]}),
    "Fraction": ("fractions.Fraction(1, 3)", {"limit_denominator": ["(2)"]}),
    "Match": ("re.search('(?P<n>b)(c)?', 'abd')", {
        "end": ["()", "(1)"], "group": ["()", "(0)", "('n')", "(1, 2)"], "groupdict": ["()"], "groups": ["()", "('')"], "span": ["()"], "start": ["('n')"],
    }),
}  # fmt: skip

EXPRESSION_CASES = [
    *(case for cases in BUILTIN.values() for case in cases),
    *(case for members in MEMBER.values() for cases in members.values() for case in cases),
]
METHOD_CASES = [
    (kind, value, f"{name}{call}")
    for kind, (value, methods) in METHOD.items()
    for name, calls in methods.items()
    for call in calls
]


def test_there_is_a_case_for_every_name():
    assert BUILTIN.keys() == BUILTINS
    assert {module: members.keys() for module, members in MEMBER.items()} == MODULES
    assert {kind: methods.keys() for kind, (_, methods) in METHOD.items()} == METHODS


def test_the_engine_implements_no_name_that_the_checker_refuses():
    assert FUNCTIONS.keys() <= BUILTINS
    for module, functions in MODULE_FUNCTIONS.items():
        assert functions.keys() | CONSTANTS.get(module, {}).keys() <= MODULES[module]
    assert random_functions(random.Random(0)).keys() == MODULES["random"]


def test_every_exception_is_one_of_pythons():
    assert all(issubclass(getattr(builtins, name), Exception) for name in EXCEPTIONS)


def test_every_syntax_node_of_the_tables_is_distinct():
    assert len(set(STATEMENTS)) == len(STATEMENTS)
    assert len(set(EXPRESSIONS)) == len(EXPRESSIONS)


@pytest.mark.parametrize("expression", EXPRESSION_CASES)
async def test_functions_are_worth_what_they_are_in_python(run, expression):
    result = await run(f"return str({expression})")
    assert result.error is None
    assert result.answer == str(eval(expression, dict(NAMES)))


@pytest.mark.parametrize(("kind", "value", "call"), METHOD_CASES)
async def test_methods_are_worth_what_they_are_in_python(run, kind, value, call):
    shown = "str(list(r))" if call == "elements()" else "str(r)"
    shown += "" if kind == "Match" else " + str(v)"
    result = await run(f"v = {value}\nr = v.{call}\nreturn {shown}")
    names = dict(NAMES) | {"v": eval(value, dict(NAMES))}
    names["r"] = eval(f"v.{call}", names)
    assert result.error is None
    assert result.answer == eval(shown, names)


@pytest.mark.parametrize("name", sorted(EXCEPTIONS - {"Exception"}))
async def test_every_exception_can_be_named_in_a_handler(run, name):
    result = await run(f"try:\n    x = isinstance('a', {name})\nexcept {name}:\n    x = 1\nreturn str(x)")
    assert result.answer == "False"


@pytest.mark.parametrize(
    "expression",
    [
        "[].strip()", "''.append('a')", "{}.append('a')", "{1}.pop()", "(1).strip()", "None.strip()", "(x for x in []).send()",
        "(1,).append(2)", "True.is_integer()", "range(3).index(1)", "len.strip()", "1.5.bit_length()",
    ],
)  # fmt: skip
async def test_values_have_only_the_methods_of_their_kind(run, expression):
    receiver, _, method = expression.rpartition(".")
    from_checker = "send" in expression
    if from_checker:
        with pytest.raises(Exception, match="'send' is outside the language"):
            await run(f"v = {receiver}\nreturn str(v.{method})")
    else:
        result = await run(f"v = {receiver}\nreturn str(v.{method})")
        assert f"object has no attribute '{method.split('(')[0]}'" in str(result.error)


@pytest.mark.parametrize("expression", ["math.pi()", "re.I(1)", "json.JSONDecodeError('x')", "re.error('x')"])
async def test_constants_and_exceptions_of_modules_cannot_be_called(run, expression):
    result = await run(f"return str({expression})")
    assert "is not callable" in str(result.error)


async def test_gather_has_to_be_awaited(run):
    result = await run("x = asyncio.gather(self.custom(input='', instruction=''))\nreturn str(x)")
    assert "asyncio.gather has to be awaited" in str(result.error)


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("len", "<built-in function len>"),
        ("math.sqrt", "<built-in function sqrt>"),
        ("[(x for x in [])]", "[<generator object <genexpr>>]"),
        ("[lambda x: x]", "[<function <lambda>>]"),
        ("[self.custom(input='', instruction='')]", "[<coroutine object>]"),
    ],
)
async def test_what_has_no_text_of_its_own_shows_no_address(run, expression, text):
    assert (await run(f"v = {expression}\nreturn str(v)")).answer == text


@pytest.mark.parametrize("value", ["{1, 2}", "set()", "{'a'} | {'b'}"])
def test_sets_print_as_in_python(value):
    ordered = OrderedSet(eval(value))
    assert eval(repr(ordered)) == eval(value)
