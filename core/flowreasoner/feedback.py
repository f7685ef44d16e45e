"""Execution feedback (the paper's E, §4.3): what evaluating a workflow showed.

As data, and as the message that the meta-agent reads.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from flowreasoner.budget import Spending
from flowreasoner.sandbox.verdict import TestResult
from flowreasoner.text import shorten

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flowreasoner.workflow.diagnostics import Diagnostic

__all__ = ["Evaluation", "Feedback"]

_MOST_FAILURES = 12
_LONGEST_DETAIL = 600


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One run of a workflow on the query, graded.

    Attributes:
        answer: What the workflow answered; for code, the program that was graded.
        score: Share of feedback tests passed, or the metric's value, in [0, 1].
        tests: Outcome of each feedback test.
        error: Why the run failed, if it did; it then scores 0.
        note: What a metric said.
        spent: Calls, tokens and dollars.
        seconds: Wall-clock time of the run.
        trace: The run's calls and log, as JSON.
        tier: Sandbox tier that gave the outcomes.
    """

    answer: str | None
    score: float
    tests: tuple[TestResult, ...] = ()
    error: str = ""
    note: str = ""
    spent: Spending = field(default_factory=Spending)
    seconds: float = 0.0
    trace: dict[str, Any] = field(default_factory=dict)
    tier: str = ""

    def to_json(self) -> dict[str, Any]:
        """Returns the evaluation as a JSON object."""
        return {
            "answer": self.answer,
            "score": self.score,
            "tests": [{**test.to_json(), "source": test.source} for test in self.tests],
            "error": self.error,
            "note": self.note,
            "spent": self.spent.to_json(),
            "seconds": self.seconds,
            "trace": self.trace,
            "tier": self.tier,
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Evaluation:
        """Reads what `to_json` wrote."""
        tests = tuple(TestResult(**test) for test in value["tests"])
        return cls(**{**value, "tests": tests, "spent": Spending.from_json(value["spent"])})


@dataclass(frozen=True, slots=True)
class Feedback:
    """What evaluating a workflow showed.

    Attributes:
        evaluations: The graded runs; empty for a workflow that was refused.
        diagnostics: Errors of a refused workflow, or warnings.
        dropped: Evaluations that could not be run for reasons that are not the workflow's, as sentences.
    """

    evaluations: tuple[Evaluation, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    dropped: tuple[str, ...] = ()

    @property
    def score(self) -> float:
        """Mean score of the evaluations; 0 for a refused workflow."""
        if not self.evaluations:
            return 0.0
        return sum(evaluation.score for evaluation in self.evaluations) / len(self.evaluations)

    @property
    def perfect(self) -> bool:
        """True when every evaluation was run and scored 1."""
        return bool(self.evaluations) and not self.dropped and all(item.score >= 1.0 for item in self.evaluations)

    @property
    def spent(self) -> Spending:
        """What all evaluations cost together."""
        return sum((evaluation.spent for evaluation in self.evaluations), Spending())

    @property
    def best(self) -> Evaluation | None:
        """The evaluation with the highest score, the first of them, among those that gave an answer."""
        answered = [item for item in self.evaluations if item.answer is not None]
        return max(answered, key=lambda item: item.score, default=None)

    @property
    def complaint(self) -> str:
        """The commonest reason for a score below 1, as one line, or empty."""
        errors = [item.message for item in self.diagnostics if item.severity == "error"]
        errors += [evaluation.error for evaluation in self.evaluations if evaluation.error]
        failing = [test for item in self.evaluations for test in item.tests if test.outcome != "pass"]
        reasons = Counter(errors) or Counter(
            f"{shorten(test.source, 72)}: {test.detail or test.outcome}" for test in failing if test.source
        )
        return shorten(next((reason for reason, _ in reasons.most_common(1)), ""), 160)

    def render(self) -> str:
        """Returns the feedback as the meta-agent reads it."""
        lines = [self._headline()]
        lines += _failures([evaluation.tests for evaluation in self.evaluations])
        errors = Counter(evaluation.error for evaluation in self.evaluations if evaluation.error)
        if errors:
            lines.append("Runs that failed:")
            lines += [
                f"- {count} of {len(self.evaluations)}: {error[:_LONGEST_DETAIL]}" for error, count in errors.items()
            ]
        notes = list(dict.fromkeys(evaluation.note for evaluation in self.evaluations if evaluation.note))
        lines += [f"Note: {note[:_LONGEST_DETAIL]}" for note in notes[:3]]
        if self.diagnostics:
            lines.append("The checker says:")
            lines += [f"- {item.severity}: {item}" for item in self.diagnostics[:_MOST_FAILURES]]
        if self.evaluations:
            count = len(self.evaluations)
            spent = self.spent
            # No seconds: they differ from run to run, so that a repeated prompt would not be answered from the cache.
            lines.append(
                f"Used per run: {spent.calls / count:.1f} operator calls, {spent.tokens / count:,.0f} tokens, "
                f"{'price unknown' if spent.unpriced_calls else f'${spent.usd / count:.4f}'}."
            )
        return "\n".join(lines)

    def _headline(self) -> str:
        if not self.evaluations:
            return "Score: 0.00. The workflow was refused before it ran."
        single = ", ".join(f"{evaluation.score:.2f}" for evaluation in self.evaluations)
        if len(self.evaluations) == 1:
            return f"Score: {single}."
        return f"Score: {self.score:.2f}, the mean of {len(self.evaluations)} runs ({single})."

    def to_json(self) -> dict[str, Any]:
        """Returns the feedback as a JSON object."""
        return {
            "score": self.score,
            "evaluations": [evaluation.to_json() for evaluation in self.evaluations],
            "diagnostics": [item.to_json() for item in self.diagnostics],
            "dropped": list(self.dropped),
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Feedback:
        """Reads what `to_json` wrote."""
        from flowreasoner.workflow.diagnostics import Diagnostic

        return cls(
            tuple(Evaluation.from_json(item) for item in value["evaluations"]),
            tuple(Diagnostic(**item) for item in value["diagnostics"]),
            tuple(value["dropped"]),
        )


def _failures(runs: Sequence[Sequence[TestResult]]) -> list[str]:
    """Returns the failing tests over all runs, each once, with how often and how it failed."""
    failing: dict[str, list[TestResult]] = {}
    for tests in runs:
        for test in tests:
            if test.outcome != "pass":
                failing.setdefault(test.id, []).append(test)
    if not failing:
        return []
    lines = ["Failing tests:"]
    for tests in list(failing.values())[:_MOST_FAILURES]:
        outcomes = ", ".join(dict.fromkeys(test.outcome for test in tests))
        lines.append(f"- {tests[0].source}\n  {outcomes} in {len(tests)} of {len(runs)} runs")
        details = dict.fromkeys(test.detail for test in tests if test.detail)
        lines += [f"  {detail[:_LONGEST_DETAIL]}" for detail in list(details)[:3]]
    if len(failing) > _MOST_FAILURES:
        lines.append(f"- and {len(failing) - _MOST_FAILURES} more")
    return lines
