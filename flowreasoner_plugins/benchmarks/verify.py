"""Runs answers to a benchmark through the sandbox: who passes, and whether that agrees with what was recorded."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from flowreasoner.errors import QueryError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from flowreasoner.query import Query
    from flowreasoner.sandbox import Sandbox, Verdict
    from flowreasoner_plugins.benchmarks.answers import Answer

__all__ = ["Verification", "missing_libraries", "verify"]


@dataclass(frozen=True, slots=True)
class Judged:
    """An answer, and what the sandbox says of it."""

    answer: Answer
    verdict: Verdict

    @property
    def agrees(self) -> bool:
        """Whether the verdict is what was recorded."""
        return self.verdict.passed == self.answer.recorded

    def to_json(self) -> dict[str, Any]:
        """Returns id, verdict and the tests that fail, with what was recorded."""
        failing = [test.to_json() for test in self.verdict.tests if test.outcome != "pass"]
        return {
            "id": self.answer.id,
            "passed": self.verdict.passed,
            "pass_rate": self.verdict.pass_rate,
            "status": self.verdict.status,
            "recorded": self.answer.recorded,
            "fenced": self.answer.fenced,
            "failing": failing,
        }


@dataclass
class Verification:
    """What came of it.

    Attributes:
        benchmark: Its name.
        judged: All answers that were run, in order.
        not_run: Answers that cannot be judged here, with the libraries that are missing.
        tier: The sandbox's.
    """

    benchmark: str
    tier: str = ""
    judged: list[Judged] = field(default_factory=list)
    not_run: dict[str, list[str]] = field(default_factory=dict)

    @property
    def passed(self) -> int:
        """Answers that pass all tests."""
        return sum(item.verdict.passed for item in self.judged)

    @property
    def failed(self) -> list[Judged]:
        """Answers that do not."""
        return [item for item in self.judged if not item.verdict.passed]

    @property
    def compared(self) -> list[Judged]:
        """Answers whose score was recorded."""
        return [item for item in self.judged if item.answer.recorded is not None]

    @property
    def disagreeing(self) -> list[Judged]:
        """Answers whose recorded score says otherwise."""
        return [item for item in self.compared if not item.agrees]

    @property
    def pass_rate(self) -> float:
        """Mean share of the tests that an answer passes."""
        return sum(item.verdict.pass_rate for item in self.judged) / max(1, len(self.judged))

    @property
    def missing(self) -> Counter[str]:
        """Libraries that are missing, with how many answers need each."""
        return Counter(name for names in self.not_run.values() for name in names)

    def to_json(self) -> dict[str, Any]:
        """Returns the result as a JSON object."""
        compared, disagreeing = self.compared, self.disagreeing
        return {
            "benchmark": self.benchmark,
            "items": len(self.judged) + len(self.not_run),
            "passed": self.passed,
            "failed": [item.answer.id for item in self.failed],
            "not_run": [{"id": name, "missing": libraries} for name, libraries in self.not_run.items()],
            "pass_rate": self.pass_rate,
            "agreement": {
                "compared": len(compared),
                "agree": len(compared) - len(disagreeing),
                "disagree": [
                    {"id": item.answer.id, "recorded": item.answer.recorded, "passed": item.verdict.passed}
                    for item in disagreeing
                ],
            },
            "sandbox": self.tier,
        }


async def verify(
    benchmark: str,
    answers: Sequence[Answer],
    sandbox: Sandbox,
    *,
    report: Callable[[Judged], None] = lambda _: None,
) -> Verification:
    """Judges answers by all tests of their queries, several at a time.

    Args:
        benchmark: Its name.
        answers: Programs, with their queries.
        sandbox: Runs them, as many at a time as it does.
        report: Called with each answer as it is judged, in their order.

    Raises:
        QueryError: If a query has no tests.
        SandboxError: If the sandbox fails.
    """
    result = Verification(benchmark, sandbox.tier)
    todo: list[Answer] = []
    for answer in answers:
        lacks = missing_libraries(answer.query)
        if lacks:
            result.not_run[answer.id] = lacks
        else:
            todo.append(answer)

    async def judge(answer: Answer) -> Judged:
        suite = answer.query.hidden or answer.query.feedback
        if suite is None:
            raise QueryError(f"query {answer.query.id!r} of {benchmark} has no tests to judge answers by")
        return Judged(answer, await sandbox.grade(answer.code, suite))

    async for item in _in_order(judge(answer) for answer in todo):
        result.judged.append(item)
        report(item)
    return result


async def _in_order(work: Iterable[Any]) -> Any:
    """Yields results in order; what is under way ends with the one who asks."""
    tasks = [asyncio.ensure_future(item) for item in work]
    try:
        for task in tasks:
            yield await task
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def missing_libraries(query: Query) -> list[str]:
    """Returns the libraries that a query's tests need and this environment, which the sandbox shows, lacks."""
    return [name for name in query.metadata.get("libraries", ()) if find_spec(name) is None]
