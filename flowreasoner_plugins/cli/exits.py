"""Exit codes, and the one place where errors become a line on standard error.

====  ==========================================================================================
0     done; for check and run: all was well
1     done, but not well: a workflow has errors, an answer fails tests or there is none, a score is low
2     usage: an option, a file or a query cannot be used
3     infrastructure: a model, the sandbox or the store failed, or the budget ended without an answer
130   interrupted
====  ==========================================================================================
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import click

from flowreasoner.errors import (
    BudgetExceeded,
    FlowReasonerError,
    IsolationUnavailable,
    ModelError,
    NoAnswer,
    RunNotFound,
    SandboxError,
    StoreError,
    TrainingError,
)
from flowreasoner_plugins.cli.wording import one_line

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["FAILED", "INFRASTRUCTURE", "INTERRUPTED", "OK", "USAGE", "Failure", "usage_errors"]

T = TypeVar("T")

_OPTIONS = {"usd": "--budget-usd", "calls": "--max-calls"}
OK, FAILED, USAGE, INFRASTRUCTURE, INTERRUPTED = 0, 1, 2, 3, 130


class Failure(click.ClickException):
    """Ends a command with one line on standard error and an exit code."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(one_line(message))
        self.exit_code = exit_code  # type: ignore[misc]  # click types it as a class's, and reads it from the instance

    @classmethod
    def of(cls, error: FlowReasonerError) -> Failure:
        """Returns the failure that an error ends a command with."""
        if isinstance(error, NoAnswer):
            return cls(str(error), FAILED)
        if isinstance(error, BudgetExceeded) and error.limit in _OPTIONS:
            return cls(f"budget exceeded: {error.reason}; raise {_OPTIONS[error.limit]}", INFRASTRUCTURE)
        outside = isinstance(error, ModelError | SandboxError | StoreError | TrainingError | BudgetExceeded)
        return cls(str(error), INFRASTRUCTURE if outside and not isinstance(error, RunNotFound) else USAGE)


def usage_errors(prepare: Callable[[], T]) -> T:
    """Runs the preparation of a command: whatever fails there is the caller's to mend.

    Raises:
        Failure: With exit code 2, or 3 for a store or an isolation that cannot be had.
    """
    try:
        return prepare()
    except (StoreError, IsolationUnavailable) as error:
        raise Failure.of(error) from None
    except FlowReasonerError as error:
        raise Failure(str(error), USAGE) from None
