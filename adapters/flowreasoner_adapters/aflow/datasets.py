"""AFlow's data files as queries: HumanEval, MBPP, GSM8K, MATH, HotpotQA and DROP, and how their answers are scored."""

from __future__ import annotations

import json
import re
import string
from collections import Counter
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flowreasoner.errors import QueryError
from flowreasoner.query import Query
from flowreasoner.sandbox import Suite

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from flowreasoner.query import Metric

__all__ = ["DATASETS", "FOLDERS", "load_rows", "public_tests", "read_queries"]

FOLDERS = (Path("metagpt/ext/aflow/data"), Path("data/datasets"))
"""Where MetaGPT and the AFlow repository keep their data, relative to the folder that they are run in."""

_LONGEST_FILE = 512 * 1024 * 1024
_NUMBER = re.compile(r"[-+]?\d[\d,]*(?:\.\d+)?")
_ARTICLES = re.compile(r"\b(?:a|an|the)\b")


def load_rows(path: Path) -> list[dict[str, Any]]:
    """Reads a JSONL file.

    Raises:
        QueryError: If it cannot be read; with file and line.
    """
    rows = []
    try:
        if path.stat().st_size > _LONGEST_FILE:
            raise QueryError(f"{path} is larger than {_LONGEST_FILE >> 20} MiB")
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise QueryError(f"cannot read the data file {str(path)!r}: {error}") from None
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                row = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise QueryError(f"{path}, line {number} is not JSON: {error}") from None
            if not isinstance(row, dict):
                raise QueryError(f"{path}, line {number} is not a JSON object")
            rows.append(row)
    return rows


def read_queries(
    dataset: str, rows: Iterable[Mapping[str, Any]], public: Mapping[str, Suite] | None = None
) -> list[Query]:
    """Makes queries of a data set's rows.

    A code query's hidden tests are the row's own, which score; its feedback tests are the public ones, which
    workflows may run. The others are scored by a metric.

    Args:
        dataset: One of AFlow's names, e.g. ``HumanEval``.
        rows: Its rows.
        public: Public tests by entry point.

    Raises:
        QueryError: If the data set is unknown or a row lacks something; with the row's number.
    """
    reader = DATASETS.get(dataset)
    if reader is None:
        raise QueryError(
            f"there is no reader for the data set {dataset!r}, only for {', '.join(DATASETS)}; "
            "give validation= and test= as lists of Query for your own"
        )
    queries = []
    for number, row in enumerate(rows, 1):
        try:
            queries.append(reader(row, number, public or {}))
        except (KeyError, TypeError, IndexError) as error:
            raise QueryError(
                f"row {number} of {dataset} is not as AFlow has it: {type(error).__name__}: {error}"
            ) from None
    return queries


@lru_cache(maxsize=8)
def _public_file(path: Path, _changed: float) -> Mapping[str, Suite]:
    suites = {}
    for row in load_rows(path):
        tests, name = row.get("test"), row.get("entry_point")
        usable = [str(test) for test in tests if _usable(test)] if isinstance(tests, list) else []
        if usable and isinstance(name, str):
            suites[name] = Suite.asserts(usable, name)
    return suites


def _usable(test: object) -> bool:
    """Tells whether a public test can be run; AFlow's files have some that were cut off."""
    try:
        return bool(Suite.asserts([str(test)]))
    except QueryError:
        return False


def public_tests(folders: Sequence[Path] = FOLDERS, dataset: str = "") -> Mapping[str, Suite]:
    """Returns the public tests by entry point of ``*_public_test.jsonl`` files.

    Args:
        folders: Where to look.
        dataset: Which data set's; all of them when empty.

    Raises:
        QueryError: If a file is there and cannot be read.
    """
    found: dict[str, Suite] = {}
    for folder in folders:
        for path in sorted(folder.glob(f"{dataset.lower() or '*'}_public_test.jsonl")):
            for name, suite in _public_file(path, path.stat().st_mtime).items():
                found.setdefault(name, suite)
    return found


# --- code ------------------------------------------------------------------------------------------------


def _humaneval(row: Mapping[str, Any], number: int, public: Mapping[str, Suite]) -> Query:
    prompt, name = row["prompt"], row["entry_point"]
    setup = prompt[: prompt.rfind(f"def {name}")]  # helpers that tests use
    hidden = Suite.check(row["test"], name, setup)
    reference = prompt + row.get("canonical_solution", "")
    return Query(prompt, str(row.get("task_id", number)), name, public.get(name), hidden, reference=reference)


def _mbpp(row: Mapping[str, Any], number: int, public: Mapping[str, Suite]) -> Query:
    name = row["entry_point"]
    hidden = Suite.asserts(row["test_list"], name, "\n".join(row.get("test_imports") or []))
    known = str(row.get("task_id", number))
    return Query(row["prompt"], known, name, public.get(name), hidden, reference=row.get("code", ""))


# --- answers in words and numbers ------------------------------------------------------------------------


def last_number(text: str) -> float | None:
    """Returns the last number in a text."""
    found = _NUMBER.findall(text)
    return float(found[-1].replace(",", "")) if found else None


def _by_number(expected: float | None) -> Metric:
    def number(query: Query, answer: str) -> float:
        del query
        given = last_number(answer)
        return float(given is not None and expected is not None and abs(given - expected) <= 1e-6)

    return number


def boxed(text: str) -> str:
    r"""Returns what stands in the last ``\boxed{}``, or the last sentence."""
    start = text.rfind("\\boxed{")
    if start >= 0:
        depth, begin = 1, start + len("\\boxed{")
        for index in range(begin, len(text)):
            depth += {"{": 1, "}": -1}.get(text[index], 0)
            if depth == 0:
                return text[begin:index].strip()
    sentences = [part.strip() for part in re.split(r"(?<!\d)[.!?]\s+", text) if part.strip()]
    return sentences[-1] if sentences else ""


def _plain_latex(text: str) -> str:
    text = re.sub(r"\\text\{([^{}]*)\}|\\(?:left|right|!|,|;|%|\$)|[dt](?=frac)|[ $%]", r"\1", text)
    return re.sub(r"\\frac\{(-?\d+)\}\{(-?\d+)\}", r"\1/\2", text).rstrip(".").lower()


def _value(text: str) -> float | None:
    parts = text.replace(",", "").split("/")
    try:
        return float(parts[0]) / float(parts[1]) if len(parts) == 2 else float(text.replace(",", ""))
    except (ValueError, ZeroDivisionError):
        return None


def _by_box(expected: str) -> Metric:
    wanted = _plain_latex(boxed(expected))

    def box(query: Query, answer: str) -> float:
        del query
        given = _plain_latex(boxed(answer))
        numbers = _value(given), _value(wanted)
        close = None not in numbers and abs((numbers[0] or 0) - (numbers[1] or 0)) <= 1e-3
        return float(given == wanted or close)

    return box


def _words(text: str) -> list[str]:
    bare = "".join(letter for letter in text.lower() if letter not in string.punctuation)
    return _ARTICLES.sub(" ", bare).split()


def _f1(expected: str, given: str) -> float:
    wanted, said = _words(expected), _words(given)
    same = sum((Counter(wanted) & Counter(said)).values())
    return 2 * same / (len(wanted) + len(said)) if same else 0.0


def _by_words(expected: Sequence[str]) -> Metric:
    def words(query: Query, answer: str) -> float:
        del query
        return max((_f1(item, part) for item in expected for part in [answer, *answer.split("|")]), default=0.0)

    return words


def _gsm8k(row: Mapping[str, Any], number: int, _: Mapping[str, Suite]) -> Query:
    answer = str(row["answer"])
    return _answered(row["question"], row, number, _by_number(last_number(answer)), answer)


def _math(row: Mapping[str, Any], number: int, _: Mapping[str, Suite]) -> Query:
    return _answered(row["problem"], row, number, _by_box(row["solution"]), row["solution"])


def _hotpotqa(row: Mapping[str, Any], number: int, _: Mapping[str, Suite]) -> Query:
    context = "\n".join(" ".join(item[1]) for item in row["context"] if isinstance(item[1], list))
    problem = f"Context: {context}\n\nQuestion: {row['question']}\n\nAnswer:"
    return _answered(problem, row, number, _by_words([row["answer"]]), row["answer"])


def _drop(row: Mapping[str, Any], number: int, _: Mapping[str, Suite]) -> Query:
    answers = [part for part in str(row["ref_text"]).split("|") if part.strip()]
    return _answered(row["context"], row, number, _by_words(answers), row["ref_text"])


def _answered(problem: str, row: Mapping[str, Any], number: int, metric: Metric, reference: str) -> Query:
    known = str(row.get("task_id") or row.get("id") or row.get("_id") or number)
    return Query(problem, known, metric=metric, reference=str(reference))


DATASETS: Mapping[str, Callable[[Mapping[str, Any], int, Mapping[str, Suite]], Query]] = {
    "HumanEval": _humaneval,
    "MBPP": _mbpp,
    "GSM8K": _gsm8k,
    "MATH": _math,
    "HotpotQA": _hotpotqa,
    "DROP": _drop,
}
"""Readers of a row by AFlow's name of the data set."""
