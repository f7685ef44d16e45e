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
import builtins
import random
import shlex
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import TYPE_CHECKING, Literal

from flowreasoner.errors import QueryError
from flowreasoner.python_source import parse_python
from flowreasoner.sandbox.rewrite import Sites, is_test, keep_methods, keep_sites

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

__all__ = ["Case", "Suite", "SuiteFormat"]

_HARMLESS = set(
    """__future__ bisect collections copy datetime decimal fractions functools heapq itertools json math operator re
    solution statistics string textwrap typing unittest""".split()
)
"""Modules with which tests look at values only; others may look at what the program does to its process."""

_NEEDS_THE_PROGRAM = {"open", "exec", "eval", "globals", "__import__", "input", "id", "type"}
_FIXTURES = {"setUp", "tearDown", "setUpClass", "tearDownClass", "asyncSetUp", "asyncTearDown"}

SuiteFormat = Literal["asserts", "check", "unittest", "io", "command"]


@dataclass(frozen=True, slots=True)
class Case:
    """One declared test.

    Attributes:
        id: Unique in its suite and stable under `Suite.keep`.
        source: What a person or the meta-agent is shown.
        program: What is run: Python with recording calls, a ``Class.method`` name, or standard input.
        expected: Expected standard output (io only).
        unreachable: Whether the test is an ``assert False``, which holds when a whole run never gets there.
    """

    id: str
    source: str
    program: str = ""
    expected: str = ""
    unreachable: bool = False

    def expects(self, printed: str) -> bool:
        """Tells whether output is the expected one, trailing space on lines and trailing empty lines aside."""
        return _lines(printed) == _lines(self.expected)


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
        if isinstance(tests, str):
            raise QueryError("give the tests as a list of statements, not as one text")
        cases = []
        for number, text in enumerate(tests, 1):
            if not isinstance(text, str):
                raise QueryError(f"test {number} must be text, not {type(text).__name__}")
            tree = _parse_to_rewrite(text, f"test {number}")
            sites = Sites(number - 1, one_site=True)
            program = ast.unparse(sites.visit(tree))
            if not sites.sources:
                raise QueryError(f"test {number} has no assert statement: {text.strip()[:80]!r}")
            if all(isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) for node in tree.body):
                raise QueryError(
                    f"test {number} only defines what nothing calls: {text.strip()[:80]!r}; "
                    "give plain asserts, or a class and the format 'unittest'"
                )
            cases.append(Case(f"assert-{number}", text.strip(), program, unreachable=all(sites.unreachable)))
        if not cases:
            raise QueryError("there are no tests in the list")
        _parse(setup, "the tests' setup")
        return cls("asserts", tuple(cases), entry_point, setup)

    @classmethod
    def check(cls, source: str, entry_point: str, setup: str = "") -> Suite:
        """Builds a suite from a module that defines ``check``, called with the candidate, as HumanEval has it.

        Raises:
            QueryError: If the module does not parse, or has no such function or no assert, or the entry
                point is not given.
        """
        tree = _parse_to_rewrite(source, "the check module")
        if not any(isinstance(node, ast.FunctionDef) and node.name == "check" for node in tree.body):
            raise QueryError("a 'check' suite must define check(candidate); use format 'asserts' for plain asserts")
        if not entry_point:
            raise QueryError("a 'check' suite needs the entry point, the function that check(candidate) is called with")
        sites = Sites()
        body = ast.unparse(sites.visit(tree))
        if not sites.sources:
            raise QueryError("the check function contains no assert statement")
        cases = tuple(
            Case(f"check-{number}", text, unreachable=unreachable)
            for number, (text, unreachable) in enumerate(zip(sites.sources, sites.unreachable, strict=True), 1)
        )
        _parse(setup, "the tests' setup")
        return cls("check", cases, entry_point, setup, body)

    @classmethod
    def unittest(cls, source: str, entry_point: str = "", setup: str = "") -> Suite:
        """Builds a suite from ``unittest.TestCase`` classes; every method named ``test…`` is a test.

        Raises:
            QueryError: If the module does not parse or has no test method.
        """
        tree = _parse_to_rewrite(source, "the unittest module")
        methods = {
            f"{node.name}.{method.name}": ast.unparse(method)
            for node in tree.body
            if isinstance(node, ast.ClassDef)
            for method in node.body
            if is_test(method)
        }
        if not methods:
            raise QueryError("the unittest module has no class with test methods")
        _parse(setup, "the tests' setup")
        return cls("unittest", tuple(Case(*item) for item in methods.items()), entry_point, setup, ast.unparse(tree))

    @classmethod
    def io(cls, pairs: Sequence[tuple[str, str]]) -> Suite:
        """Builds a suite of (standard input, expected standard output) pairs.

        Raises:
            QueryError: If there are none.
        """
        cases = [
            Case(f"io-{number}", f"input: {given!r} -> output: {expected!r}", given, expected)
            for number, (given, expected) in enumerate(pairs, 1)
        ]
        if not cases:
            raise QueryError("there are no input/output pairs in the list")
        return cls("io", tuple(cases))

    @classmethod
    def command(cls, command: str, directory: str = "", answer_file: str = "solution.py") -> Suite:
        """Builds a suite of one test: `command` ends with exit code 0 in a folder that holds the answer.

        Raises:
            QueryError: If the command is empty or its quotes do not match, or the answer's file lies elsewhere.
        """
        try:
            words = shlex.split(command)
        except ValueError as error:
            raise QueryError(f"the check command cannot be read: {error}: {command!r}") from None
        if not words:
            raise QueryError("the check command is empty")
        path = PurePath(answer_file)
        if not path.parts or path.is_absolute() or ".." in path.parts:
            raise QueryError(f"the answer's file must be a path inside the check's folder, not {answer_file!r}")
        return cls("command", (Case("command", command),), body=command, directory=directory, answer_file=answer_file)

    @property
    def imports(self) -> list[str]:
        """Modules that the tests import."""
        found: dict[str, None] = {}
        for source in (self.setup, self.body):
            for node in ast.walk(_parse(source, "the tests")):
                match node:
                    case ast.Import(names=names):
                        found |= dict.fromkeys(alias.name for alias in names)
                    case ast.ImportFrom(module=str(name), level=0):
                        found[name] = None
        return list(found)

    @property
    def separable(self) -> bool:
        """Whether unittest classes can be run in another process than the program: they call it with plain data."""
        if not set(self.imports) <= _HARMLESS:
            return False
        allowed = {case.id.partition(".")[2] for case in self.cases} | _FIXTURES
        bound, read = {self.entry_point, "candidate", *dir(builtins)} - _NEEDS_THE_PROGRAM, set()
        for node in (node for source in (self.setup, self.body) for node in ast.walk(_parse(source, "the tests"))):
            match node:
                case ast.Lambda():
                    return False
                case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) if name not in allowed:
                    return False
                case ast.Name(id=name, ctx=ast.Load()):
                    read.add(name)
                case ast.Name(id=name) | ast.ClassDef(name=name) | ast.arg(arg=name):
                    bound.add(name)
                case ast.ExceptHandler(name=str(name)):
                    bound.add(name)
                case ast.alias(name=name, asname=other):
                    bound.add(other or name.partition(".")[0])
        return read <= bound

    def keep(self, ids: Collection[str]) -> Suite:
        """Returns the suite with only the named tests; the text of the others is gone from it."""
        cases = tuple(case for case in self.cases if case.id in ids)
        if len(cases) == len(self.cases):
            return self
        if self.format == "check":
            kept = {number for number, case in enumerate(self.cases) if case.id in ids}
            return replace(self, cases=cases, body=keep_sites(self.body, kept))
        if self.format == "unittest":
            return replace(self, cases=cases, body=keep_methods(self.body, {case.id for case in cases}))
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
        source, kind = value["source"], value["format"]
        setup = value.get("setup") or setup
        for key in ("setup", "directory", "answer_file"):
            if not isinstance(value.get(key) or "", str):
                raise QueryError(f"{key!r} of the tests must be a string, not {value[key]!r:.80}")
        match kind:
            case "asserts":
                return cls.asserts(_statements(source), entry_point, setup)
            case "check" if isinstance(source, str):
                return cls.check(source, entry_point, setup)
            case "unittest" if isinstance(source, str):
                return cls.unittest(source, entry_point, setup)
            case "io" if isinstance(source, list):
                return cls.io([_pair(item) for item in source])
            case "command" if isinstance(source, str):
                return cls.command(source, value.get("directory") or "", value.get("answer_file") or "solution.py")
            case "check" | "unittest" | "io" | "command":
                wanted = "a list of objects" if kind == "io" else "a string"
                raise QueryError(f"the source of {kind!r} tests must be {wanted}, not {source!r:.80}")
        raise QueryError(f"unknown test format {kind!r}; use asserts, check, unittest, io or command")


def _statements(source: object) -> list[str]:
    """Returns assert tests from a list of them, or from one text with a statement a test."""
    if isinstance(source, list) and all(isinstance(item, str) for item in source):
        return source
    if isinstance(source, str):
        return [ast.unparse(node) for node in _parse(source, "the tests").body]
    raise QueryError(f"assert tests must be a list of strings or one string, not {source!r:.80}")


def _pair(item: object) -> tuple[str, str]:
    if isinstance(item, dict) and isinstance(item.get("input"), str) and isinstance(item.get("output"), str):
        return item["input"], item["output"]
    raise QueryError(f"an io test must be an object with strings 'input' and 'output', not {item!r:.80}")


def _parse(source: str, what: str) -> ast.Module:
    try:
        return parse_python(source)
    except SyntaxError as error:
        where = f" at line {error.lineno}: {(error.text or '').strip()!r}" if error.lineno else ""
        raise QueryError(f"{what} does not parse: {error.msg}{where}") from None


def _parse_to_rewrite(source: str, what: str) -> ast.Module:
    tree = _parse(source, what)
    try:
        ast.unparse(tree)
    except (ValueError, RecursionError) as error:  # a number of thousands of digits
        raise QueryError(f"{what} cannot be used: {error}") from None
    return tree


def _lines(text: str) -> list[str]:
    # `splitlines` would also end lines at form feeds, U+2028 and others, which are part of what was printed.
    return [line.rstrip() for line in text.rstrip().replace("\r\n", "\n").split("\n")]
