"""A suite's code, compiled, and the names that it uses and does not define: which are the program's, and which not."""

from __future__ import annotations

import ast
import builtins
import contextlib
import importlib
import symtable
import sys
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import types
    from typing import Any

    from .program import Program

__all__ = ["ALIASES", "HELPERS", "MODULES", "Prepared", "bind", "is_the_programs", "prepare"]

_MOST_PREPARED = 256
ALIASES = {"np": "numpy", "pd": "pandas", "dt": "datetime"}
MODULES = sys.stdlib_module_names | set(ALIASES.values())
_GIVEN = {"__site__", "__record__", "candidate"}
HELPERS = {
    "isclose": "math", "inf": "math", "nan": "math", "deepcopy": "copy", "Counter": "collections",
    "OrderedDict": "collections", "defaultdict": "collections", "deque": "collections", "Decimal": "decimal",
    "Fraction": "fractions", "approx": "", "allclose": "", "array_equal": "", "assert_allclose": "",
    "assert_almost_equal": "", "assert_array_equal": "", "assert_equal": "", "pytest": "", "patch": "", "mock": "",
    "Mock": "", "MagicMock": "",
}  # fmt: skip
"""Tools of tests that they may have forgotten to import, and the modules of those that are there."""

_DATA = {name for kind in (str, bytes, int, float, complex, list, tuple, dict, set, frozenset) for name in dir(kind)}


class Prepared(NamedTuple):
    """A suite's code and names.

    Attributes:
        setup: Code that runs before the tests.
        body: Code that defines them.
        programs: Code of each test.
        used: Names that it uses and does not define, built-ins among them.
        called: Those of them that it calls.
        imports: Modules that it imports.
        uses_objects: Whether it makes objects of the program's classes, and not only calls functions.
    """

    setup: types.CodeType
    body: types.CodeType
    programs: list[types.CodeType]
    used: set[str]
    called: set[str]
    imports: set[str]
    uses_objects: bool


_prepared: dict[tuple[str, ...], Prepared] = {}


def prepare(job: dict[str, Any]) -> Prepared:
    """Returns a suite's code, compiled once for all the programs that are graded by it in this process.

    Raises:
        SyntaxError: If it cannot be compiled.
    """
    programs = [] if job["format"] == "unittest" else job["programs"]
    key = (job["setup"], job["body"], *programs)
    if key not in _prepared:
        source = "\n".join(key)
        nodes = list(ast.walk(ast.parse(source)))
        used = _free_names(symtable.symtable(source, "tests.py", "exec")) - _GIVEN
        setup = compile(job["setup"], "setup.py", "exec", dont_inherit=True)
        body, *codes = [compile(part, "tests.py", "exec", dont_inherit=True) for part in key[1:]]
        if len(_prepared) >= _MOST_PREPARED:
            _prepared.clear()
        imports = _imported(nodes)
        _prepared[key] = Prepared(setup, body, codes, used, _called(nodes), imports, _uses_objects(nodes, imports))
    return _prepared[key]


def bind(prepared: Prepared, program: Program, namespace: dict[str, Any], *, tested: bool) -> str:
    """Gives the tests the names that they use and do not define: the program's, or a module's that they left out.

    Args:
        prepared: The tests.
        program: What they test.
        namespace: What they have already.
        tested: Whether the function under test is among that.

    Returns:
        Why they cannot run, or an empty text.
    """
    used = prepared.used - set(namespace)
    of_the_program = {name for name in used if is_the_programs(name, called=name in prepared.called)}
    for name in of_the_program:
        with contextlib.suppress(NameError):
            namespace[name] = program.name(name)
    for name in used - of_the_program:
        module = HELPERS.get(name, ALIASES.get(name, name))
        with contextlib.suppress(ImportError):
            if module in MODULES:
                found = importlib.import_module(module)
                namespace[name] = getattr(found, name) if name in HELPERS else found
    if tested or of_the_program or "solution" in prepared.imports:
        return ""
    return _bind_a_builtins_name(used & prepared.called & set(vars(builtins)), program, namespace)


def is_the_programs(name: str, *, called: bool) -> bool:
    """Tells whether only the program can mean a name that tests do not define.

    Its `math.isclose` could say what it likes, and so could its `sorted`.

    Args:
        name: The name.
        called: Whether it is called, as modules are not.
    """
    if hasattr(builtins, name) or name in HELPERS:
        return False
    return ALIASES.get(name, name) not in MODULES or called


def _bind_a_builtins_name(names: set[str], program: Program, namespace: dict[str, Any]) -> str:
    """Takes the function under test from the program where it bears the name of a built-in, and is the only one."""
    if len(names) > 1:
        return f"which of {', '.join(sorted(names))} is tested cannot be told; give the tests their entry point"
    for name in names:
        try:
            namespace[name] = program.name(name)
        except NameError as error:
            return str(error)
    return ""


def _free_names(module: symtable.SymbolTable) -> set[str]:
    """Returns the global names that are used and bound nowhere."""
    bound, used, tables = set(), set(), [module]
    while tables:
        table = tables.pop()
        tables += table.get_children()
        for symbol in table.get_symbols():
            here = table is module or symbol.is_declared_global()
            if here and (symbol.is_assigned() or symbol.is_imported() or symbol.is_namespace()):
                bound.add(symbol.get_name())
            if (table is module or symbol.is_global()) and symbol.is_referenced():
                used.add(symbol.get_name())
    return used - bound


def _called(nodes: list[ast.AST]) -> set[str]:
    return {node.func.id for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}


def _imported(nodes: list[ast.AST]) -> set[str]:
    found = set()
    for node in nodes:
        match node:
            case ast.Import(names=names):
                found |= {alias.asname or alias.name.partition(".")[0] for alias in names}
            case ast.ImportFrom(module=str(module)):
                found.add(module.partition(".")[0])
    return found


def _uses_objects(nodes: list[ast.AST], imports: set[str]) -> bool:
    """Tells whether tests do with objects what they would not do with data: use their attributes, or compute."""
    for node in nodes:
        match node:
            case ast.Attribute(value=ast.Name(id=name)) if name in {"self", "cls", "solution"} | imports | MODULES:
                continue
            case ast.Attribute(value=ast.Constant() | ast.JoinedStr()):
                continue
            case ast.Attribute(attr=name) if name not in _DATA:
                return True
            case ast.Compare(left=left, comparators=others) if sum(map(_makes, [left, *others])) > 1:
                return True
            case ast.BinOp(left=left, right=right) if _makes(left) and _makes(right):
                return True
    return False


def _makes(node: ast.AST) -> bool:
    """Tells whether an expression calls what may be a class, by its capital letter."""
    return any(name[:1].isupper() for name in _called(list(ast.walk(node))))
