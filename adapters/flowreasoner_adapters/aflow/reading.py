"""Reads AFlow's files back, one round or a whole published workspace, without running anything of them.

Published workspaces lack files, and have some that are broken. Whatever can be read is read; the rest is reported.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flowreasoner.errors import QueryError
from flowreasoner.operators import BUILTIN
from flowreasoner.workflow import check

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from flowreasoner.operators import Operator
    from flowreasoner.workflow import Diagnostic, Workflow

__all__ = [
    "EvaluationFile",
    "Experience",
    "Result",
    "RoundFolder",
    "Workspace",
    "read_results",
    "read_round",
    "read_workspace",
]

_LONGEST = 256 * 1024 * 1024
_ROUND = re.compile(r"round_(\d{1,6})")
_EVALUATION = re.compile(r"(\d+(?:\.\d+)?)_(\d{8}_\d{6})(?:_\d+)?")


@dataclass(frozen=True, slots=True)
class Result:
    """A row of ``results.json``: one evaluation of a round.

    Attributes:
        round: Number of the round.
        score: Mean score in [0, 1].
        avg_cost: US dollars per problem.
        total_cost: US dollars in all.
        time: When, as it was written.
    """

    round: int
    score: float
    avg_cost: float = 0.0
    total_cost: float = 0.0
    time: str = ""

    def to_json(self) -> dict[str, Any]:
        """Returns the row as AFlow writes it."""
        return {name: getattr(self, name) for name in ("round", "score", "avg_cost", "total_cost", "time")}


@dataclass(frozen=True, slots=True)
class Experience:
    """An ``experience.json``: what a round changed of which other, and whether that helped.

    Attributes:
        father: Round that it was made from.
        modification: What it changed.
        before: Score of that round.
        after: Its own score; None while it has none.
        succeed: Whether it is better; None while unknown.
    """

    father: int
    modification: str
    before: float
    after: float | None = None
    succeed: bool | None = None

    def to_json(self) -> dict[str, Any]:
        """Returns the object as AFlow writes it."""
        return {
            "father node": self.father,
            "modification": self.modification,
            "before": self.before,
            "after": self.after,
            "succeed": self.succeed,
        }


@dataclass(frozen=True, slots=True)
class EvaluationFile:
    """A ``<score>_<time>.csv``: every problem of one evaluation, by column."""

    path: Path
    score: float
    time: str
    rows: tuple[Mapping[str, str], ...]


@dataclass(frozen=True)
class RoundFolder:
    """One round as it lies on disk.

    Attributes:
        number: From the folder's name.
        path: The folder.
        workflow: The checked workflow, or None when it was refused or is missing.
        diagnostics: What the checker said.
        graph: Text of ``graph.py``.
        prompt: Text of ``prompt.py``.
        experience: What it changed; None for the first round.
        log: Failed problems, as they were written.
        evaluations: Results problem by problem.
        problems: What could not be read.
    """

    number: int
    path: Path
    workflow: Workflow | None = None
    diagnostics: tuple[Diagnostic, ...] = ()
    graph: str = ""
    prompt: str = ""
    experience: Experience | None = None
    log: tuple[Mapping[str, Any], ...] = ()
    evaluations: tuple[EvaluationFile, ...] = ()
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class Workspace:
    """A data set's workspace.

    Attributes:
        path: The folder with the rounds.
        rounds: By number.
        results: Rows of ``results.json``.
        processed_experience: ``processed_experience.json`` by round: score, success and failure.
        operators: Description and interface by operator, from ``template/operator.json``.
        problems: What could not be read, here and in the rounds.
    """

    path: Path
    rounds: tuple[RoundFolder, ...] = ()
    results: tuple[Result, ...] = ()
    processed_experience: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    operators: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    problems: tuple[str, ...] = ()

    @property
    def scores(self) -> dict[int, float]:
        """Mean score by round, of those that were evaluated."""
        by_round = defaultdict(list)
        for row in self.results:
            by_round[row.round].append(row.score)
        return {number: sum(scores) / len(scores) for number, scores in sorted(by_round.items())}

    @property
    def best(self) -> RoundFolder | None:
        """The round with the highest mean score, the first of them, that has a workflow."""
        scores = self.scores
        usable = [item for item in self.rounds if item.workflow is not None and item.number in scores]
        return max(usable, key=lambda item: (scores[item.number], -item.number), default=None)


def read_workspace(path: str | Path, operators: Mapping[str, Operator] = BUILTIN) -> Workspace:
    """Reads a data set's workspace.

    Args:
        path: ``workspace/HumanEval/workflows``, or the folder above it.
        operators: Operators that workflows may use.

    Returns:
        All that can be read; `Workspace.problems` has the rest.

    Raises:
        QueryError: If there is no such folder.
    """
    folder = Path(path)
    folder = folder / "workflows" if (folder / "workflows").is_dir() else folder
    if not folder.is_dir():
        raise QueryError(f"there is no workspace at {str(path)!r}")
    problems: list[str] = []
    numbered = [(int(found[1]), item) for item in folder.iterdir() if (found := _ROUND.fullmatch(item.name))]
    rounds = tuple(read_round(item, operators) for _, item in sorted(numbered) if item.is_dir())
    results = read_results(folder, problems)
    return Workspace(
        folder,
        rounds,
        tuple(results),
        _processed(_object(folder / "processed_experience.json", problems), problems),
        {
            name: value
            for name, value in _object(folder / "template" / "operator.json", problems).items()
            if isinstance(value, dict)
        },
        (*problems, *(f"round_{item.number}: {problem}" for item in rounds for problem in item.problems)),
    )


def read_round(path: str | Path, operators: Mapping[str, Operator] = BUILTIN) -> RoundFolder:
    """Reads the folder of one round.

    Args:
        path: E.g. ``workspace/HumanEval/workflows/round_1``.
        operators: Operators that its workflow may use.

    Raises:
        QueryError: If there is no such folder.
    """
    folder = Path(path)
    if not folder.is_dir():
        raise QueryError(f"there is no round at {str(path)!r}")
    problems: list[str] = []
    found = _ROUND.fullmatch(folder.name)
    graph = _text(folder / "graph.py", problems, needed=True)
    prompt = _text(folder / "prompt.py", problems, needed=True)
    report = check(graph, prompt, operators) if graph.strip() else None
    return RoundFolder(
        int(found[1]) if found else 0,
        folder,
        report.workflow if report else None,
        report.diagnostics if report else (),
        graph,
        prompt,
        _experience(_object(folder / "experience.json", problems), problems),
        tuple(_records(folder / "log.json", problems)),
        tuple(_evaluations(folder, problems)),
        tuple(problems),
    )


def read_results(folder: Path, problems: list[str]) -> list[Result]:
    """Reads ``results.json`` of a folder, if it is there; adds what cannot be read to `problems`."""
    rows = [_result(row, problems) for row in _records(folder / "results.json", problems)]
    return [row for row in rows if row is not None]


# --- files -----------------------------------------------------------------------------------------------


def _text(path: Path, problems: list[str], *, needed: bool = False) -> str:
    try:
        if path.stat().st_size > _LONGEST:
            problems.append(f"{path.name} is larger than {_LONGEST >> 20} MiB and is left out")
            return ""
        return path.read_bytes().decode("utf-8", "replace")
    except FileNotFoundError:
        if needed:
            problems.append(f"{path.name} is missing")
    except OSError as error:
        problems.append(f"{path.name} cannot be read: {error.strerror or error}")
    return ""


def _json(path: Path, problems: list[str]) -> Any:
    text = _text(path, problems)
    if not text.strip():
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        problems.append(f"{path.name} is no JSON: {error}")
        return None


def _object(path: Path, problems: list[str]) -> dict[str, Any]:
    value = _json(path, problems)
    if value is not None and not isinstance(value, dict):
        problems.append(f"{path.name} is no object but a {type(value).__name__}")
    return value if isinstance(value, dict) else {}


def _records(path: Path, problems: list[str]) -> list[dict[str, Any]]:
    """Returns the objects of a list; AFlow also writes a single one without a list."""
    value = _json(path, problems)
    value = [value] if isinstance(value, dict) else value
    if value is not None and not isinstance(value, list):
        problems.append(f"{path.name} is no list but a {type(value).__name__}")
    records = [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
    if isinstance(value, list) and len(records) < len(value):
        problems.append(f"{path.name} has {len(value) - len(records)} entries that are no objects")
    return records


def _result(row: Mapping[str, Any], problems: list[str]) -> Result | None:
    try:
        number, score = int(row["round"]), float(row["score"])
        average, total = (float(row.get(name) or 0.0) for name in ("avg_cost", "total_cost"))
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        problems.append(f"results.json has a row without a round and a score: {type(error).__name__}: {error}")
        return None
    return Result(number, score, average, total, str(row.get("time", "")))


def _experience(value: Mapping[str, Any], problems: list[str]) -> Experience | None:
    if not value:
        return None
    try:
        after, succeed = value.get("after"), value.get("succeed")
        return Experience(
            int(value["father node"]),
            str(value.get("modification", "")),
            float(value.get("before") or 0.0),
            None if after is None else float(after),
            None if succeed is None else bool(succeed),
        )
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        problems.append(f"experience.json lacks something: {type(error).__name__}: {error}")
        return None


def _processed(value: Mapping[str, Any], problems: list[str]) -> dict[int, Mapping[str, Any]]:
    kept: dict[int, Mapping[str, Any]] = {
        int(key): item for key, item in value.items() if key.isdecimal() and len(key) < 7 and isinstance(item, dict)
    }
    if len(kept) < len(value):
        problems.append(f"processed_experience.json has {len(value) - len(kept)} entries that belong to no round")
    return kept


def _evaluations(folder: Path, problems: list[str]) -> Iterator[EvaluationFile]:
    for path in sorted(folder.glob("*.csv")):
        found = _EVALUATION.fullmatch(path.stem)
        if not found:
            problems.append(f"{path.name} is not named <score>_<time>.csv")
            continue
        try:
            text = io.StringIO(_text(path, problems), newline="")
            rows = tuple({str(key): str(value) for key, value in row.items()} for row in csv.DictReader(text))
        except csv.Error as error:
            problems.append(f"{path.name} is no CSV: {error}")
            continue
        yield EvaluationFile(path, float(found[1]), found[2], rows)
