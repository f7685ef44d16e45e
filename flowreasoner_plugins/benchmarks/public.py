"""Readers of HumanEval and MBPP in their published file formats, from a local path."""

from __future__ import annotations

import ast
import gzip
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flowreasoner.errors import QueryError
from flowreasoner.python_source import parse_python
from flowreasoner.query import Query
from flowreasoner.sandbox import Suite

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["HUMANEVAL", "MBPP"]


class _FileBenchmark:
    """A benchmark in one JSON or JSONL file, optionally gzipped."""

    def __init__(self, name: str, description: str, read: Callable[[dict[str, Any]], Query]) -> None:
        self.name, self.description, self._read = name, description, read

    def queries(self, data: Path | None = None) -> Iterable[Query]:
        """Returns the queries of a file, with all tests hidden."""
        if data is None:
            raise QueryError(f"{self.name} needs its file: pass --data PATH")
        for row in _rows(data):
            try:
                yield self._read(row)
            except (KeyError, TypeError) as error:
                raise QueryError(f"{data} is no {self.name} file: a row has no field {error}") from None
            except SyntaxError as error:
                raise QueryError(f"{data} holds a row that does not parse: {error}") from None


def _rows(path: Path) -> Iterable[dict[str, Any]]:
    try:
        raw = path.read_bytes()
        text = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode("utf-8")
        if text.lstrip().startswith("["):
            rows: list[dict[str, Any]] = json.loads(text)
            return rows
        return [json.loads(line) for line in text.splitlines() if line.strip()]
    except (OSError, ValueError) as error:
        raise QueryError(f"cannot read benchmark data from {str(path)!r}: {error}") from None


def _humaneval(row: dict[str, Any]) -> Query:
    prompt, name = row["prompt"], row["entry_point"]
    # The prompt may define helpers before the function; the tests of some items use them.
    setup = prompt[: prompt.rfind(f"def {name}")]
    hidden = Suite.check(row["test"], name, setup)
    return Query(prompt, row["task_id"], name, None, hidden, reference=prompt + row["canonical_solution"])


def _mbpp(row: dict[str, Any]) -> Query:
    name, signature = _tested_function(row["code"], row["test_list"][0])
    setup = "\n".join(row.get("test_imports") or []) or row.get("test_setup_code") or ""
    hidden = Suite.asserts(row["test_list"], name, setup)
    # The signature stands in for the tests that other harnesses show: no test may reach a prompt.
    problem = f"{row.get('prompt') or row['text']}\n\n{signature}"
    return Query(problem, f"MBPP/{row['task_id']}", name, None, hidden, reference=row["code"])


def _tested_function(code: str, test: str) -> tuple[str, str]:
    """Returns name and header of the solution's function that a test calls."""
    functions = {node.name: node for node in parse_python(code).body if isinstance(node, ast.FunctionDef)}
    called = [node.id for node in ast.walk(parse_python(test)) if isinstance(node, ast.Name)]
    name = next((item for item in called if item in functions), next(reversed(functions)))
    return name, f"def {name}({ast.unparse(functions[name].args)}):"


HUMANEVAL = _FileBenchmark("humaneval", "164 problems with docstrings (Chen et al. 2021); needs --data", _humaneval)
MBPP = _FileBenchmark("mbpp", "short Python problems (Austin et al. 2021); needs --data", _mbpp)
