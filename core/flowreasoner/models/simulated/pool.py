"""Solutions of known quality per problem: recorded answers of real models, or variants of a reference."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from flowreasoner.errors import QueryError
from flowreasoner.models.simulated.mutate import mutants

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flowreasoner.query import Query

__all__ = ["SolutionPool", "Solutions"]


@dataclass
class Solutions:
    """Right and wrong answers to one problem."""

    right: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    @property
    def share(self) -> float:
        """Share of the answers that are right."""
        return len(self.right) / max(1, len(self.right) + len(self.wrong))

    def pick(self, chance: float, roll: float, index: int) -> str:
        """Returns a right answer with probability `chance`, else a wrong one, as far as there are any.

        Args:
            chance: Probability of a right answer.
            roll: A number in [0, 1) that decides.
            index: Decides which answer of that kind.
        """
        answers = self.right if roll < chance else self.wrong
        answers = answers or self.right or self.wrong
        return answers[index % len(answers)]


class SolutionPool:
    """Finds the solutions for a prompt by the problem text that it contains."""

    def __init__(self) -> None:
        self._by_problem: dict[str, Solutions] = {}

    def __len__(self) -> int:
        return len(self._by_problem)

    def add_query(self, query: Query) -> None:
        """Adds a query's reference solution and faulty variants of it, if it has one and no answers are recorded.

        Raises:
            QueryError: If the reference does not parse.
        """
        problem = _folded(query.problem)
        if query.reference.strip() and problem not in self._by_problem:
            try:
                wrong = mutants(query.reference)
            except SyntaxError as error:
                raise QueryError(f"the reference of query {query.id!r} does not parse: {error}") from None
            self._by_problem[problem] = Solutions([query.reference.strip()], wrong)

    def copy(self) -> SolutionPool:
        """Returns a pool to which queries can be added without changing this one."""
        made = SolutionPool()
        made._by_problem = dict(self._by_problem)
        return made

    def add_recorded(self, path: str | Path) -> None:
        """Adds recorded answers: JSONL, optionally gzipped, with question, prediction and score (1 is right).

        Raises:
            QueryError: If the file cannot be read.
        """
        try:
            data = Path(path).read_bytes()
            text = (gzip.decompress(data) if str(path).endswith(".gz") else data).decode("utf-8")
            self._add_rows(json.loads(line) for line in text.splitlines() if line.strip())
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise QueryError(f"cannot read recorded answers from {str(path)!r}: {error!r}") from None

    def _add_rows(self, rows: Iterable[dict[str, object]]) -> None:
        for row in rows:
            solutions = self._by_problem.setdefault(_folded(str(row["question"])), Solutions())
            right = float(str(row["score"])) >= 1.0
            (solutions.right if right else solutions.wrong).append(str(row["prediction"]).strip())

    def find(self, prompt: str) -> Solutions | None:
        """Returns the solutions of the longest known problem that a prompt contains."""
        folded = _folded(prompt)
        known = [problem for problem in self._by_problem if problem in folded]
        return self._by_problem[max(known, key=len)] if known else None

    def knows(self, prompt: str) -> bool:
        """Tells whether a prompt is a known problem and nothing else."""
        return _folded(prompt) in self._by_problem


def _folded(text: str) -> str:
    return " ".join(text.split())
