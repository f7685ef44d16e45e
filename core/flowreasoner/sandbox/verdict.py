"""What the sandbox says about a candidate program: a verdict test by test, with the tier that gave it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

__all__ = ["Integrity", "Outcome", "RunOutput", "Status", "TestResult", "Usage", "Verdict"]

Outcome = Literal["pass", "fail", "error", "timeout", "not_reached", "skipped"]
Status = Literal["ok", "timeout", "died", "tampered"]
Integrity = Literal["separated", "in_process", "command"]


@dataclass(frozen=True, slots=True)
class TestResult:
    """How one declared test came out.

    Attributes:
        id: The test's id in its suite.
        outcome: Only ``"pass"`` counts as passed; a skipped or unreached test does not.
        source: The test as it is shown to the meta-agent.
        detail: Expected and got, or the error; empty for a pass.
    """

    __test__ = False  # the name is the field's own; pytest must not collect it

    id: str
    outcome: Outcome
    source: str = ""
    detail: str = ""

    def to_json(self) -> dict[str, str]:
        """Returns ``{"id", "outcome", "detail"}``, without the test's source."""
        return {"id": self.id, "outcome": self.outcome, "detail": self.detail}


@dataclass(frozen=True, slots=True)
class Usage:
    """Resources of one grading: seconds of wall clock, and of CPU where they could be measured."""

    wall_s: float = 0.0
    cpu_s: float | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of grading one candidate against one suite.

    Attributes:
        tests: One result per declared test, in the suite's order.
        status: How the run ended; only ``"ok"`` runs can pass.
        tier: The sandbox tier that gave the verdict.
        integrity: Whether candidate and tests shared a process.
        output: What the candidate printed, cut to 64 KiB.
        usage: Time used.
    """

    tests: tuple[TestResult, ...]
    status: Status
    tier: str
    integrity: Integrity
    output: str = ""
    usage: Usage = field(default_factory=Usage)

    @property
    def passed(self) -> bool:
        """True if the run ended well and every declared test passed."""
        return self.status == "ok" and bool(self.tests) and all(test.outcome == "pass" for test in self.tests)

    @property
    def pass_rate(self) -> float:
        """Share of the declared tests that passed, in [0, 1]; 0 for a tampered run."""
        if not self.tests or self.status == "tampered":
            return 0.0
        return sum(test.outcome == "pass" for test in self.tests) / len(self.tests)

    def to_json(self) -> dict[str, Any]:
        """Returns the verdict as a JSON object."""
        return {
            "status": self.status,
            "passed": self.passed,
            "pass_rate": self.pass_rate,
            "tests": [test.to_json() for test in self.tests],
            "tier": self.tier,
            "integrity": self.integrity,
            "usage": {"wall_s": self.usage.wall_s, "cpu_s": self.usage.cpu_s},
            "output": self.output,
        }


@dataclass(frozen=True, slots=True)
class RunOutput:
    """What running a program gave: how it ended, and what it printed (each stream cut to 64 KiB)."""

    status: Literal["ok", "failed", "timeout"]
    stdout: str
    stderr: str
    tier: str
    exit_code: int | None = None

    @property
    def ok(self) -> bool:
        """True if the program ended by itself with exit code 0."""
        return self.status == "ok"
