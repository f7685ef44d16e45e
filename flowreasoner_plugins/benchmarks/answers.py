"""Recorded answers to a benchmark: JSON lines or CSV, matched with the queries that they answer."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flowreasoner.errors import QueryError
from flowreasoner.operators.replies import defines, extract_code

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from flowreasoner.query import Query

__all__ = ["Answer", "canonical_answers", "recorded_answers"]

_IDS, _QUESTIONS, _ANSWERS = ("task_id", "id"), ("question", "problem"), ("prediction", "solution", "answer", "code")


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer to a query.

    Attributes:
        id: The query's id, with the row's number where there is a file.
        query: What it answers.
        code: The program.
        recorded: Whether it was recorded as right; None where no score was.
        fenced: Whether the program was taken out of a reply with code fences.
    """

    id: str
    query: Query
    code: str
    recorded: bool | None = None
    fenced: bool = False


def canonical_answers(queries: Iterable[Query]) -> list[Answer]:
    """Returns the benchmark's own solutions."""
    return [Answer(query.id, query, query.reference) for query in queries]


def recorded_answers(path: Path, queries: Sequence[Query], *, unwrap: bool = True) -> list[Answer]:
    """Reads answers from a file of JSON lines or CSV, gzipped or not.

    A row names its query by ``task_id`` or by ``question``, the problem's text with or without the function's header;
    it has the answer as ``prediction`` or ``solution``, and may have a ``score``, which is right from 1 up.

    Args:
        path: The file.
        queries: The benchmark's.
        unwrap: Take programs out of code fences and prose, as operators do with a worker's replies.

    Raises:
        QueryError: If the file cannot be read, or a row fits no query; names the row.
    """
    found = _Index(queries)
    answers = []
    for number, row in enumerate(_rows(path), 1):
        where = f"row {number} of {str(path)!r}"
        text = _field(row, _ANSWERS, where)
        query, called = found.of(row, where)
        code = extract_code(text, called) if unwrap else text
        if called != query.entry_point and defines(code, called) and not defines(code, query.entry_point):
            code += f"\n\n{query.entry_point} = {called}\n"
        answers.append(Answer(f"{query.id}#{number}", query, code, _recorded(row, where), "```" in text))
    if not answers:
        raise QueryError(f"{str(path)!r} holds no answers")
    return answers


class _Index:
    """Finds queries by what a row says of them."""

    def __init__(self, queries: Iterable[Query]) -> None:
        self._by_id: dict[str, Query] = {}
        self._by_text: dict[str, list[Query]] = {}
        for query in queries:
            self._by_id[query.id] = self._by_id[query.id.rpartition("/")[2]] = query
            for key in _keys(query.problem):
                self._by_text.setdefault(key, []).append(query)

    def of(self, row: Mapping[str, Any], where: str) -> tuple[Query, str]:
        """Returns the query of a row, and the name that its question gives the function."""
        for name in _IDS:
            if row.get(name) not in (None, ""):
                query = self._by_id.get(str(row[name]))
                if query is None:
                    raise QueryError(f"{where} answers {str(row[name])!r}, which is no task of the benchmark")
                return query, query.entry_point
        text = _field(row, _QUESTIONS, where)
        called = _called(text)
        for key in _keys(text):
            found = self._by_text.get(key, [])
            named = [query for query in found if query.entry_point == called] or found
            if len(named) == 1:
                return named[0], called or named[0].entry_point
        raise QueryError(f"{where} answers a question that the benchmark does not ask: {' '.join(text.split())[:80]!r}")


_CODE = re.compile(r"^(?:import|from|def|class|@)\b", re.M)
_HEADER = re.compile(r"^def\s+(\w+)", re.M)


def _keys(text: str) -> Iterator[str]:
    """Yields what a problem may be recognised by: all its words, or those before the code that follows them."""
    yield " ".join(text.split())
    described = " ".join(_CODE.split(text, maxsplit=1)[0].split())
    if described:
        yield described


def _called(text: str) -> str:
    """Returns the name of the function whose header ends a question; harnesses rename some."""
    return next(reversed(_HEADER.findall(text)), "")


def _field(row: Mapping[str, Any], names: Sequence[str], where: str) -> str:
    for name in names:
        if isinstance(row.get(name), str):
            return str(row[name])
    raise QueryError(f"{where} has no text in any of the fields {', '.join(names)}; it has {', '.join(map(str, row))}")


def _recorded(row: Mapping[str, Any], where: str) -> bool | None:
    score = row.get("score")
    if score is None or score == "":
        return None
    try:
        return float(score) >= 1
    except (TypeError, ValueError):
        raise QueryError(f"{where} has a score that is no number: {score!r}") from None


def _rows(path: Path) -> Iterator[Mapping[str, Any]]:
    try:
        raw = path.read_bytes()
        text = (gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw).decode("utf-8-sig")
        if path.name.removesuffix(".gz").endswith(".csv"):
            usual = csv.field_size_limit(min(sys.maxsize, 2**31 - 1))  # an answer may be longer than the usual limit
            try:
                yield from csv.DictReader(io.StringIO(text, newline=""))
            finally:
                csv.field_size_limit(usual)  # it is the whole process's
            return
        for number, line in enumerate(text.split("\n"), 1):
            if line.strip():
                row = json.loads(line)
                if not isinstance(row, dict):
                    raise QueryError(f"line {number} of {str(path)!r} is no JSON object")
                yield row
    except (OSError, ValueError, EOFError, csv.Error) as error:
        raise QueryError(f"cannot read answers from {str(path)!r}: {error}") from None
