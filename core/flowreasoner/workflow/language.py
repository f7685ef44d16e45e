"""The workflow language as tables: what the checker admits and the engine provides.

One place for both, so that what is accepted can be run and what can be run is accepted. The engine's
implementations (`flowreasoner.engine.library`) are tested against these tables.
"""

from __future__ import annotations

import ast

__all__ = """BUILTINS EXCEPTIONS EXPRESSIONS FORBIDDEN_NAMES LOGGERS LOG_METHODS MAX_BITS MAX_DEPTH MAX_LOOPS MAX_SOURCE
        METHODS MODULES PARAMETERS STATEMENTS""".split()

MAX_SOURCE = 200_000
"""Longest source text, in characters. Published workflows have about 3,000."""

MAX_DEPTH = 100
"""Deepest nesting of statements and expressions."""

MAX_BITS = 4_096
"""Longest whole number in the source, in bits; Python prints no number of over 4,300 digits."""

MAX_LOOPS = 8
"""Deepest nesting of loops; published workflows have two."""

PARAMETERS: dict[str, str] = {"problem": "str", "entry_point": "str", "test_cases": "list"}
"""Arguments that a run supplies to the entry method, with their annotations."""

STATEMENTS: tuple[type[ast.stmt], ...] = (
    ast.Assign,
    ast.AugAssign,
    ast.Break,
    ast.Continue,
    ast.Expr,
    ast.For,
    ast.If,
    ast.Pass,
    ast.Return,
    ast.Try,
    ast.While,
)

EXPRESSIONS: tuple[type[ast.expr], ...] = (
    ast.Attribute,
    ast.Await,
    ast.BinOp,
    ast.BoolOp,
    ast.Call,
    ast.Compare,
    ast.Constant,
    ast.Dict,
    ast.DictComp,
    ast.FormattedValue,
    ast.GeneratorExp,
    ast.IfExp,
    ast.JoinedStr,
    ast.Lambda,
    ast.List,
    ast.ListComp,
    ast.Name,
    ast.Set,
    ast.SetComp,
    ast.Slice,
    ast.Starred,
    ast.Subscript,
    ast.Tuple,
    ast.UnaryOp,
)

BUILTINS = frozenset(
    """abs all any bool chr dict divmod enumerate filter float format int isinstance len list map max min
        next ord pow print range repr reversed round set sorted str sum tuple zip""".split()
)

EXCEPTIONS = frozenset(
    """ArithmeticError AssertionError AttributeError Exception IndexError KeyError LookupError NameError
        OverflowError RuntimeError StopIteration TimeoutError TypeError ValueError ZeroDivisionError""".split()
)

MODULES: dict[str, frozenset[str]] = {
    "asyncio": frozenset({"gather"}),
    "collections": frozenset({"Counter"}),
    "fractions": frozenset({"Fraction"}),
    "json": frozenset({"JSONDecodeError", "dumps", "loads"}),
    "math": frozenset(
        """ceil comb cos e exp fabs factorial floor fmod fsum gcd hypot inf isclose isfinite isinf isnan isqrt
        lcm log log10 log2 nan perm pi pow prod sin sqrt tan trunc""".split()
    ),
    "random": frozenset("choice choices randint random randrange sample seed shuffle uniform".split()),
    "re": frozenset(
        """ASCII DOTALL I IGNORECASE M MULTILINE S VERBOSE X error escape findall finditer fullmatch match
        search split sub subn""".split()
    ),
}

METHODS: dict[str, frozenset[str]] = {
    "str": frozenset(
        """capitalize casefold center count endswith expandtabs find format index isalnum isalpha isascii
        isdecimal isdigit isidentifier islower isnumeric isprintable isspace istitle isupper join ljust
        lower lstrip partition removeprefix removesuffix replace rfind rindex rjust rpartition rsplit rstrip
        split splitlines startswith strip swapcase title upper zfill""".split()
    ),
    "list": frozenset("append clear copy count extend index insert pop remove reverse sort".split()),
    "dict": frozenset("clear copy get items keys pop popitem setdefault update values".split()),
    "set": frozenset(
        """add clear copy difference discard intersection isdisjoint issubset issuperset remove
        symmetric_difference union update""".split()
    ),
    "tuple": frozenset({"count", "index"}),
    "int": frozenset({"bit_length"}),
    "float": frozenset({"is_integer"}),
    "Counter": frozenset({"elements", "most_common"}),
    "Fraction": frozenset({"limit_denominator"}),
    "Match": frozenset(["end", "group", "groupdict", "groups", "span", "start"]),
}

LOGGERS = frozenset({"logger", "logging", "log"})
LOG_METHODS = frozenset("critical debug error exception info log success warn warning".split())

FORBIDDEN_NAMES: dict[str, str] = (
    dict.fromkeys(
        ["eval", "exec", "compile", "__import__", "__builtins__", "breakpoint"],
        "runs code outside the checked workflow",
    )
    | dict.fromkeys(["open", "input"], "reaches outside the workflow")
    | dict.fromkeys(
        """getattr setattr delattr hasattr vars globals locals dir type object super classmethod staticmethod
        property memoryview id hash callable iter""".split(),
        "reflects on objects, which workflows may not",
    )
)
"""Names that are refused by name, with the reason; any other unknown name is merely undefined."""
