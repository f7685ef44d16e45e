"""Runs candidate programs against tests, in tiers from the strongest isolation to none; see docs/sandbox.md."""

from flowreasoner.sandbox.base import Limits, Sandbox
from flowreasoner.sandbox.pool import Pool
from flowreasoner.sandbox.selfcheck import Attempt, try_forbidden
from flowreasoner.sandbox.suite import Case, Suite, SuiteFormat
from flowreasoner.sandbox.tiers import TIERS, best_sandbox, make_sandbox, missing
from flowreasoner.sandbox.verdict import Outcome, RunOutput, TestResult, Usage, Verdict

__all__ = [
    "TIERS",
    "Attempt",
    "Case",
    "Limits",
    "Outcome",
    "Pool",
    "RunOutput",
    "Sandbox",
    "Suite",
    "SuiteFormat",
    "TestResult",
    "Usage",
    "Verdict",
    "best_sandbox",
    "make_sandbox",
    "missing",
    "try_forbidden",
]
