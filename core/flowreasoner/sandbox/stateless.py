"""Tells which suites leave nothing behind in the process that runs them, so that one judge can serve many runs.

A judge that has run any code is thrown away: what the code changed in its process could decide the next
verdict. Most suites are far from that: they call the program and compare what it returns. Those are known
here by what they are made of; a suite with anything else in it is taken to leave something.
"""

from __future__ import annotations

import ast
import builtins
import functools
import math
import sys
from typing import TYPE_CHECKING

from flowreasoner.python_source import parse_python

if TYPE_CHECKING:
    from flowreasoner.sandbox.suite import Suite

__all__ = ["stateless"]

_BUILTINS = frozenset(
    """abs all any bin bool bytearray bytes callable chr complex dict divmod enumerate filter float frozenset hex int
    isinstance iter len list map max min next oct ord pow print range repr reversed round set slice sorted str sum
    tuple zip ArithmeticError AssertionError AttributeError Exception IndexError KeyError LookupError
    NotImplementedError OverflowError RuntimeError StopIteration TypeError ValueError ZeroDivisionError""".split()
)
"""Built-ins that neither keep anything nor lead to what does."""

_MODULES = {
    "math": frozenset(name for name in dir(math) if not name.startswith("_")),
    "typing": frozenset("Any Dict List Optional Set Tuple Union".split()),
}
"""Modules that keep nothing, with the names that tests may take from them."""

_OTHERS = (set(dir(builtins)) - _BUILTINS) | (sys.stdlib_module_names - set(_MODULES)) | {"np", "pd", "dt"}
"""Names that a judge resolves, or may resolve, to a built-in or a module that is not known to keep nothing."""

_ATTRIBUTES = frozenset(
    """add append as_integer_ratio bit_length capitalize casefold clear conjugate copy count difference discard endswith
    extend find fromkeys get hex imag index insert intersection is_integer isalnum isalpha isdecimal isdigit
    isdisjoint islower isnumeric isspace issubset issuperset istitle isupper items join keys ljust lower lstrip
    partition pop popitem real remove removeprefix removesuffix replace reverse rfind rindex rjust rpartition rsplit
    rstrip setdefault sort split splitlines startswith strip swapcase symmetric_difference title union update upper
    values zfill""".split()
)
"""Attributes of plain data. Not `format`: its text can reach any attribute of what it formats."""

_NODES = (
    ast.Module, ast.FunctionDef, ast.arguments, ast.arg, ast.Lambda, ast.Return, ast.Assign, ast.AugAssign,
    ast.AnnAssign, ast.For, ast.While, ast.If, ast.Try, ast.ExceptHandler, ast.Raise, ast.Assert, ast.Expr,
    ast.Pass, ast.Break, ast.Continue, ast.BoolOp, ast.NamedExpr, ast.BinOp, ast.UnaryOp, ast.IfExp, ast.Dict,
    ast.Set, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.comprehension, ast.Compare, ast.Call,
    ast.keyword, ast.FormattedValue, ast.JoinedStr, ast.Constant, ast.Subscript, ast.Starred, ast.List, ast.Tuple,
    ast.Slice, ast.alias, ast.withitem, ast.expr_context, ast.boolop, ast.operator, ast.unaryop, ast.cmpop,
)  # fmt: skip


@functools.lru_cache(maxsize=1024)
def stateless(suite: Suite) -> bool:
    """Tells whether running a suite changes nothing that another, run later in the same process, could see."""
    if suite.format not in {"asserts", "check"}:
        return False
    sources = [suite.setup, suite.body, *(case.program for case in suite.cases)]
    try:
        return all(_is_harmless(node) for source in sources for node in ast.walk(parse_python(source)))
    except SyntaxError:
        return False


def _is_harmless(node: ast.AST) -> bool:
    match node:
        case ast.Import(names=names):
            return all(alias.name in _MODULES and alias.asname is None for alias in names)
        case ast.ImportFrom(module=str(module), names=names, level=0):
            return all(alias.name in _MODULES.get(module, ()) and alias.asname is None for alias in names)
        case ast.With(items=[ast.withitem(ast.Call(ast.Name("__site__")), ast.Name("__record__"))]):
            return True  # how a test is recorded
        case ast.Name(id=name, ctx=ast.Load() | ast.Store()):
            # Any other name is the tests' own, or the program's; a call of that runs in the program's process.
            return name not in _OTHERS and (not name.startswith("__") or name in {"__site__", "__record__"})
        case ast.Attribute(value=ast.Name(id=name), attr=attribute, ctx=ast.Load()) if name in _MODULES:
            return attribute in _MODULES[name]
        case ast.Attribute(attr=attribute, ctx=ast.Load()):
            return attribute in _ATTRIBUTES
        case ast.FunctionDef(decorator_list=[_, *_]):
            return False
    return isinstance(node, _NODES)
