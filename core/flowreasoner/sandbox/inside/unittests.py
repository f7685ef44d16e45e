"""Runs one method of a unittest class and says how it came out."""

from __future__ import annotations

import unittest
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

__all__ = ["outcome_of", "run_method"]

_MOST_SHOWN = 300


def run_method(namespace: dict[str, Any], name: str) -> tuple[str, str]:
    """Runs the test named ``Class.method`` and returns its outcome and detail."""
    class_name, _, method = name.partition(".")
    return outcome_of(namespace[class_name](method))


def outcome_of(test: unittest.TestCase) -> tuple[str, str]:
    """Runs a test with its fixtures and returns its outcome and detail."""
    result = unittest.TestResult()
    unittest.TestSuite([test]).run(result)
    outcome, detail = ("pass", "") if result.testsRun else ("error", "the test did not run")
    if result.errors:
        outcome, detail = "error", result.errors[0][1]
    elif result.failures:
        outcome, detail = "fail", result.failures[0][1]
    elif result.unexpectedSuccesses:
        outcome, detail = "fail", "unexpected success"
    elif result.skipped:
        outcome, detail = "skipped", result.skipped[0][1]
    return outcome, ("\n" + detail.strip()).splitlines()[-1][:_MOST_SHOWN]
