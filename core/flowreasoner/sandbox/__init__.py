"""Runs candidate programs against tests, behind one seam (DESIGN: verdicts with the tier that gave them)."""

from flowreasoner.sandbox.base import Limits, Sandbox
from flowreasoner.sandbox.process import ProcessSandbox
from flowreasoner.sandbox.suite import Case, Suite, SuiteFormat
from flowreasoner.sandbox.verdict import Outcome, RunOutput, TestResult, Usage, Verdict

__all__ = [
    "Case",
    "Limits",
    "Outcome",
    "ProcessSandbox",
    "RunOutput",
    "Sandbox",
    "Suite",
    "SuiteFormat",
    "TestResult",
    "Usage",
    "Verdict",
]
