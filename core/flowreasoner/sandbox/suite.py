"""Test suites as data: five formats, each split into tests that are scored one by one.

===========  ==========================================================================================
asserts      assert statements, one test each (MBPP)
check        ``def check(candidate)``; every ``assert`` in it is a test (HumanEval)
unittest     ``TestCase`` classes; every ``test…`` method is a test (BigCodeBench)
io           pairs of standard input and expected standard output, one test each (LiveCodeBench)
command      a command run beside the answer in a folder; exit code 0 passes, one test
===========  ==========================================================================================
"""

from __future__ import annotations

import ast
import random
import warnings
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from flowreasoner.errors import QueryError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

__all__ = ["Case", "Suite", "SuiteFormat"]

SuiteFormat = Literal["asserts", "check", "unittest", "io", "command"]
SITE = "__site__"
"""Name under which the harness offers the function that records one test."""


@dataclass(frozen=True, slots=True)
class Case:
    """One declared test.

    Attributes:
        id: Unique in its suite and stable under `Suite.keep`.
        source: What a person or the meta-agent is shown.
        program: What is run: Python with recording calls, a ``Class.method`` name, or standard input.
        expected: Expected standard output (io only).
    """

    id: str
    source: str
    program: str = ""
    expected: str = ""


@dataclass(frozen=True, slots=True)
class Suite:
    """Tests for one candidate program.

    Attributes:
        format: How the tests are written.
        cases: The declared tests.
        entry_point: Function that the candidate defines; also bound to ``candidate`` for the tests.
        setup: Python run in the tests' namespace before them, e.g. imports.
        body: The rewritten module (check, unittest) or the command line (command).
        directory: Folder copied beside the answer (command only).
        answer_file: Name of the file that the answer is written to (command only).
    """

    format: SuiteFormat
    cases: tuple[Case, ...]
    entry_point: str = ""
    setup: str = ""
    body: str = ""
    directory: str = ""
    answer_file: str = "solution.py"

    def __len__(self) -> int:
        return len(self.cases)

    @classmethod
    def asserts(cls, tests: Sequence[str], entry_point: str = "", setup: str = "") -> Suite:
        """Builds a suite of assert statements; each item may hold several lines and is one test.

        Raises:
            QueryError: If an item does not parse or contains no assert.
        """
        cases = []
        for number, text in enumerate(tests, 1):
            tree = _parse(text, f"test {number}")
            if not any(isinstance(node, ast.Assert) for node in ast.walk(tree)):
                raise QueryError(f"test {number} has no assert statement: {text.strip()[:80]!r}")
            program = ast.unparse(_Sites(number - 1, one_site=True).visit(tree))
            cases.append(Case(f"assert-{number}", text.strip(), program))
        _parse(setup, "the tests' setup")
        return cls("asserts", tuple(cases), entry_point, setup)

    @classmethod
    def check(cls, source: str, entry_point: str, setup: str = "") -> Suite:
        """Builds a suite from a module with ``def check(candidate)``, as HumanEval has it.

        Raises:
            QueryError: If the module does not parse, or has no such function or no assert.
        """
        tree = _parse(source, "the check module")
        if not any(isinstance(node, ast.FunctionDef) and node.name == "check" for node in tree.body):
            raise QueryError("a 'check' suite must define check(candidate); use format 'asserts' for plain asserts")
        sites = _Sites()
        body = ast.unparse(sites.visit(tree))
        if not sites.sources:
            raise QueryError("the check function contains no assert statement")
        cases = tuple(Case(f"check-{number}", text) for number, text in enumerate(sites.sources, 1))
        return cls("check", cases, entry_point, setup, body)

    @classmethod
    def unittest(cls, source: str, entry_point: str = "", setup: str = "") -> Suite:
        """Builds a suite from ``unittest.TestCase`` classes; every method named ``test…`` is a test.

        Raises:
            QueryError: If the module does not parse or has no test method.
        """
        tree = _parse(source, "the unittest module")
        cases = [
            Case(f"{node.name}.{method.name}", ast.unparse(method))
            for node in tree.body
            if isinstance(node, ast.ClassDef)
            for method in node.body
            if isinstance(method, ast.FunctionDef) and method.name.startswith("test")
        ]
        if not cases:
            raise QueryError("the unittest module has no class with test methods")
        return cls("unittest", tuple(cases), entry_point, setup, source)

    @classmethod
    def io(cls, pairs: Sequence[tuple[str, str]]) -> Suite:
        """Builds a suite of (standard input, expected standard output) pairs."""
        cases = [
            Case(f"io-{number}", f"input: {given!r} -> output: {expected!r}", given, expected)
            for number, (given, expected) in enumerate(pairs, 1)
        ]
        return cls("io", tuple(cases))

    @classmethod
    def command(cls, command: str, directory: str = "", answer_file: str = "solution.py") -> Suite:
        """Builds a suite of one test: `command` ends with exit code 0 in a folder that holds the answer."""
        return cls("command", (Case("command", command),), body=command, directory=directory, answer_file=answer_file)

    def keep(self, ids: Collection[str]) -> Suite:
        """Returns the suite with only the named tests; the text of the others is gone from it."""
        cases = tuple(case for case in self.cases if case.id in ids)
        if len(cases) == len(self.cases):
            return self
        if self.format == "check":
            kept = {self.cases.index(case) for case in cases}
            return replace(self, cases=cases, body=_rewritten(self.body, lambda tree: _keep_sites(tree, kept)))
        if self.format == "unittest":
            names = {case.id for case in cases}
            return replace(self, cases=cases, body=_rewritten(self.body, lambda tree: _keep_methods(tree, names)))
        return replace(self, cases=cases)

    def split(self, share: float = 0.5, seed: int = 0) -> tuple[Suite, Suite]:
        """Returns a seeded share of the tests for feedback, and the others as hidden tests.

        Args:
            share: Share of the tests that go to feedback, in (0, 1); at least one test goes to each side.
            seed: Decides which tests.

        Raises:
            QueryError: If there are fewer than two tests.
        """
        if len(self) < 2:
            raise QueryError(f"a suite of {len(self)} test cannot be split into feedback and hidden tests")
        ids = [case.id for case in self.cases]
        random.Random(seed).shuffle(ids)  # noqa: S311 - a reproducible split, not a secret
        cut = min(max(1, round(len(ids) * share)), len(ids) - 1)
        return self.keep(set(ids[:cut])), self.keep(set(ids[cut:]))

    @classmethod
    def from_json(cls, value: object, entry_point: str = "", setup: str = "") -> Suite:
        """Builds a suite from its form in a query file.

        Args:
            value: A list of assert statements, or ``{"format": …, "source": …}``.
            entry_point: Function that the candidate defines.
            setup: Python run before the tests.

        Raises:
            QueryError: If the value has another form, or the tests cannot be used.
        """
        if isinstance(value, list | str):
            value = {"format": "asserts", "source": value}
        if not isinstance(value, dict) or "format" not in value or "source" not in value:
            raise QueryError(
                f"tests must be a list of asserts or an object with 'format' and 'source', not {value!r:.80}"
            )
        source, setup = value["source"], value.get("setup", setup)
        match value["format"]:
            case "asserts":
                return cls.asserts(_statements(source), entry_point, setup)
            case "check" if isinstance(source, str):
                return cls.check(source, entry_point, setup)
            case "unittest" if isinstance(source, str):
                return cls.unittest(source, entry_point, setup)
            case "io" if isinstance(source, list):
                return cls.io([_pair(item) for item in source])
            case "command" if isinstance(source, str) and source.strip():
                return cls.command(source, value.get("directory", ""), value.get("answer_file", "solution.py"))
            case "check" | "unittest" | "io" | "command":
                raise QueryError(f"the source of {value['format']!r} tests has the wrong type: {type(source).__name__}")
        raise QueryError(f"unknown test format {value['format']!r}; use asserts, check, unittest, io or command")


def _statements(source: object) -> list[str]:
    """Returns assert tests from a list of them, or from one text with a statement a test."""
    if isinstance(source, list) and all(isinstance(item, str) for item in source):
        return source
    if isinstance(source, str):
        return [ast.unparse(node) for node in _parse(source, "the tests").body]
    raise QueryError("assert tests must be a list of strings or one string")


def _pair(item: object) -> tuple[str, str]:
    if isinstance(item, dict) and isinstance(item.get("input"), str) and isinstance(item.get("output"), str):
        return item["input"], item["output"]
    raise QueryError(f"an io test must be an object with strings 'input' and 'output', not {item!r:.80}")


def _parse(source: str, what: str) -> ast.Module:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(source)
    except SyntaxError as error:
        raise QueryError(
            f"{what} does not parse: {error.msg} at line {error.lineno}: {(error.text or '').strip()!r}"
        ) from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise QueryError(f"{what} does not parse: {type(error).__name__}: {error}") from None


def _rewritten(source: str, change: Callable[[ast.Module], None]) -> str:
    tree = ast.parse(source)
    change(tree)
    return ast.unparse(tree)


class _Sites(ast.NodeTransformer):
    """Turns each assert into a call that records it, so that one failure does not hide the rest.

    ``assert f(x) == y`` becomes ``__site__(n, lambda: f(x), lambda: y)``, which can report both sides;
    any other assert becomes ``__site__(n, lambda: condition)``.
    """

    def __init__(self, first: int = 0, *, one_site: bool = False) -> None:
        self.first, self.one_site = first, one_site
        self.sources: list[str] = []

    def visit_Assert(self, node: ast.Assert) -> ast.Expr:
        number = self.first + (0 if self.one_site else len(self.sources))
        self.sources.append(ast.unparse(ast.Assert(node.test)))
        match node.test:
            case ast.Compare(left=left, ops=[ast.Eq()], comparators=[right]):
                sides = [left, right]
            case condition:
                sides = [condition]
        arguments: list[ast.expr] = [ast.Constant(number), *map(_lambda, sides)]
        return ast.fix_missing_locations(ast.Expr(ast.Call(ast.Name(SITE, ast.Load()), arguments, [])))


def _lambda(body: ast.expr) -> ast.Lambda:
    return ast.Lambda(ast.arguments([], [], None, [], [], None, []), body)


def _is_site(node: ast.AST) -> int | None:
    match node:
        case ast.Expr(value=ast.Call(func=ast.Name(id=name), args=[ast.Constant(value=int(number)), *_])) if (
            name == SITE
        ):
            return number
    return None


def _keep_sites(tree: ast.Module, kept: Collection[int]) -> None:
    """Replaces the recording calls of all other tests by ``pass`` and renumbers those that stay."""
    order: Mapping[int, int] = {old: new for new, old in enumerate(sorted(kept))}
    for node in ast.walk(tree):
        for _, block in ast.iter_fields(node):
            if not isinstance(block, list):
                continue
            for index, statement in enumerate(block):
                number = _is_site(statement)
                if number is not None and number not in kept:
                    block[index] = ast.Pass()
                elif number is not None:
                    statement.value.args[0] = ast.Constant(order[number])
    ast.fix_missing_locations(tree)


def _keep_methods(tree: ast.Module, names: Collection[str]) -> None:
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            node.body = [
                member
                for member in node.body
                if not (isinstance(member, ast.FunctionDef) and member.name.startswith("test"))
                or f"{node.name}.{member.name}" in names
            ] or [ast.Pass()]
