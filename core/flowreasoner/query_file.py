"""The query file: its format as models that validate it and give its JSON Schema, and reading it."""

from __future__ import annotations

import json
import reprlib
from collections.abc import Container, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError

from flowreasoner.errors import QueryError
from flowreasoner.query import Query, SuiteReader
from flowreasoner.sandbox.suite import Suite
from flowreasoner.text import did_you_mean

__all__ = ["QueryFile", "load_query", "query_from_json", "query_schema", "read_document"]

_Strict = ConfigDict(extra="forbid", title=None)


class IoPair(BaseModel):
    """Standard input, and the standard output it must give."""

    model_config = _Strict
    input: str
    output: str


class CodeTests(BaseModel):
    """Tests in Python."""

    model_config = _Strict
    format: Literal["asserts", "check", "unittest"]
    source: str | list[str] = Field(description="one text; for asserts also a list of statements")
    setup: str = Field("", description="Python run before the tests, e.g. imports")


class IoTests(BaseModel):
    """Programs that read standard input and write standard output."""

    model_config = _Strict
    format: Literal["io"]
    source: list[IoPair]


class CommandTest(BaseModel):
    """A command that passes when it ends with exit code 0 in a folder that holds the answer."""

    model_config = _Strict
    format: Literal["command"]
    source: str
    directory: str = Field("", description="folder copied beside the answer; relative to the query file")
    answer_file: str = "solution.py"


class PluginTests(BaseModel):
    """Tests in a format that a plugin reads."""

    model_config = _Strict
    format: str
    source: Any


Tests = list[str] | Annotated[CodeTests | IoTests | CommandTest, Field(discriminator="format")]


class TestSets(BaseModel):
    """Tests that steer the rounds, and tests that only score the end."""

    __test__ = False
    model_config = _Strict
    feedback: Tests | None = Field(None, description="shown to the meta-agent and to workflows")
    hidden: Tests | None = Field(None, description="run once on the final answer, never shown to any model")


class QueryFile(BaseModel):
    """A query for `flowreasoner solve`."""

    model_config = ConfigDict(extra="forbid", title="FlowReasoner query")
    id: str = Field("", description="short identifier")
    problem: str = Field(min_length=1, description="what is asked")
    entry_point: str = Field("", description="name of the function that a Python answer must define")
    tests: TestSets | None = None
    check: str | None = Field(None, description="shorthand for one command as feedback test")
    reference: str = Field("", description="a correct answer, read by simulations only")
    metadata: dict[str, Any] = Field(default_factory=dict)

    _plugin_tests: dict[str, PluginTests] = PrivateAttr(default_factory=dict)

    @classmethod
    def read(cls, value: object, *, where: str, formats: Container[str] = ()) -> QueryFile:
        """Validates a parsed file.

        Args:
            value: The parsed file.
            where: What to call it in messages.
            formats: Test formats that plugins read; their source is not looked into here.

        Raises:
            QueryError: Naming the place and the value.
        """
        if not isinstance(value, dict):
            raise QueryError(f"{where}: a query is an object with at least 'problem', not {type(value).__name__}")
        value, plugin_tests = _set_aside(value, formats)
        try:
            file = cls.model_validate(value)
            file._plugin_tests = {name: PluginTests.model_validate(tests) for name, tests in plugin_tests.items()}
            return file
        except ValidationError as error:
            # Tests may be a list or an object: of the two complaints, the one about the object tells more.
            first = min(
                error.errors(include_url=False), key=lambda item: (item["type"] == "list_type", -len(item["loc"]))
            )
            place = ".".join(str(part) for part in first["loc"] if not _is_branch(part)) or "query"
            more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
            shown = f", got {_shown(first['input'])}" if first["type"] != "missing" else ""
            hint = did_you_mean(str(first["loc"][-1]), cls.model_fields) if first["type"] == "extra_forbidden" else ""
            raise QueryError(f"{where}: {place}: {first['msg']}{shown}{hint}{more}") from None

    def to_query(self, *, where: str, formats: Mapping[str, SuiteReader] | None = None) -> Query:
        """Builds the query.

        Raises:
            QueryError: If its tests cannot be used.
        """
        sets = self.tests or TestSets(feedback=None, hidden=None)
        if self.check is not None and sets.feedback is not None:
            raise QueryError(f"{where}: give either 'check' or 'tests.feedback', not both")
        try:
            suites = {
                name: formats[tests.format](tests.source, self.entry_point)
                for name, tests in self._plugin_tests.items()
                if formats is not None
            }
            feedback = suites.get("feedback") or self._suite(sets.feedback)
            if self.check is not None:
                feedback = Suite.command(self.check)
            hidden = suites.get("hidden") or self._suite(sets.hidden)
        except QueryError as error:
            raise QueryError(f"{where}: {error}") from None
        return Query(
            self.problem,
            self.id,
            self.entry_point,
            feedback,
            hidden,
            reference=self.reference,
            metadata=self.metadata,
        )

    def _suite(self, tests: Tests | None) -> Suite | None:
        if tests is None:
            return None
        value = tests if isinstance(tests, list) else tests.model_dump()
        if not value or (isinstance(value, dict) and not value["source"]):
            raise QueryError("a list of tests is empty; leave it out when there are none")
        return Suite.from_json(value, self.entry_point)


def _shown(value: object) -> str:
    try:
        return f"{reprlib.repr(value):.60}"
    except ValueError:  # a number too long to print
        return "a number of many digits"


def _set_aside(value: dict[str, Any], formats: Container[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Takes tests in a plugin's format out of a parsed file."""
    tests = value.get("tests")
    if not isinstance(tests, dict):
        return value, {}
    aside = {name: item for name, item in tests.items() if isinstance(item, dict) and item.get("format") in formats}
    return {**value, "tests": {name: item for name, item in tests.items() if name not in aside}}, aside


def _is_branch(part: object) -> bool:
    """Tells whether a part of an error's place only names the branch of a union that was tried."""
    return isinstance(part, str) and ("[" in part or part in {"CodeTests", "IoTests", "CommandTest", "str"})


def query_schema() -> dict[str, Any]:
    """Returns the JSON Schema of query files."""
    schema = QueryFile.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def load_query(path: str | Path, *, formats: Mapping[str, SuiteReader] | None = None) -> Query:
    """Reads a query file, JSON or YAML.

    Args:
        path: The file.
        formats: Readers of further test formats by name.

    Raises:
        QueryError: If the file cannot be read, parsed or used; the message names file, place and remedy.
    """
    path = Path(path)
    query = query_from_json(read_document(path), where=str(path), formats=formats)
    return replace(query, feedback=_beside(path, query.feedback), hidden=_beside(path, query.hidden))


def _beside(path: Path, suite: Suite | None) -> Suite | None:
    """Returns the suite with its folder as the query file means it: relative to that file."""
    if suite is None or not suite.directory:
        return suite
    folder = (path.parent / suite.directory).resolve()
    if not folder.is_dir():
        raise QueryError(f"{path}: the tests' directory {suite.directory!r} is no folder: {folder}")
    return replace(suite, directory=str(folder))


def query_from_json(
    value: object, *, where: str = "the query", formats: Mapping[str, SuiteReader] | None = None
) -> Query:
    """Reads a query from the form that query files have.

    Args:
        value: The parsed file.
        where: What to call it in messages.
        formats: Readers of further test formats by name.

    Raises:
        QueryError: If a field is missing, unknown or of the wrong type, or tests do not parse.
    """
    return QueryFile.read(value, where=where, formats=formats or {}).to_query(where=where, formats=formats or {})


def read_document(path: Path) -> object:
    """Returns the parsed content of a JSON or YAML file.

    Raises:
        QueryError: If the file cannot be read or parsed.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise QueryError(f"there is no file {str(path)!r}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise QueryError(f"cannot read {str(path)!r}: {error}") from None
    is_json = path.suffix.lower() == ".json"
    try:
        value: object = json.loads(text, object_pairs_hook=_unique) if is_json else _read_yaml(text)
    except Exception as error:  # PyYAML's constructors let many kinds through
        reason = " ".join(str(error).split()) or type(error).__name__
        raise QueryError(f"{path} is not valid {'JSON' if is_json else 'YAML'}: {reason:.300}") from None
    if not _well_formed(value):
        raise QueryError(f"{path} holds half of a surrogate pair, which is no character; write the character itself")
    return value


def _read_yaml(text: str) -> object:
    """Reads YAML without aliases, by which a few lines can stand for gigabytes."""
    import yaml

    if any(isinstance(event, yaml.events.AliasEvent) for event in yaml.parse(text, Loader=yaml.SafeLoader)):
        raise ValueError("aliases (*name) cannot be used in a query file")
    return yaml.safe_load(text)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"{name!r} stands there twice")
    return dict(pairs)


def _well_formed(value: object) -> bool:
    try:
        json.dumps(value, ensure_ascii=False, default=str).encode()
    except UnicodeEncodeError:
        return False
    except ValueError:  # a number too long to print
        return True
    return True
