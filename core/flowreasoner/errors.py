"""Every exception this package raises on purpose, one tree.

Each class stands for one boundary, so that a caller can tell whose fault a failure is::

    FlowReasonerError
    ├── QueryError              the query or its tests cannot be used
    ├── WorkflowError           the workflow itself
    │   ├── WorkflowInvalid     ... was refused before it ran (carries diagnostics)
    │   ├── WorkflowFailed      ... failed while it ran
    │   └── NoAnswer            ... none of a design's workflows gave an answer
    ├── BudgetExceeded          a limit was reached (names limit, allowance and spending)
    ├── OperatorError           a model's reply to an operator could not be read, twice
    ├── ModelError              a chat model could not be reached or refused
    │   ├── ModelRefused        ... for a reason that trying again cannot mend (key, name)
    │   └── RequestRefused      ... this one request (too long, filtered); others may do
    ├── SandboxError            the sandbox itself broke; never a verdict on the code
    │   └── IsolationUnavailable ... or the demanded tier is not to be had here (names the remedy)
    ├── StoreError              the run store is damaged, full or from a newer version
    │   └── RunNotFound         ... has no such run
    ├── TrainingError           training cannot go on: a checkpoint is missing, the loss is no number, the disk is full
    ├── RecipeError             a training recipe cannot be used
    └── PluginError             a plugin is missing, broken or in conflict

`WorkflowError`, `BudgetExceeded` and `OperatorError` make a round score 0 and become its feedback
(a failed rollout is a datum). The others are infrastructure: they end the work, with everything
finished so far saved.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flowreasoner.budget import Spending
    from flowreasoner.workflow.diagnostics import Diagnostic

__all__ = [
    "BudgetExceeded",
    "FlowReasonerError",
    "IsolationUnavailable",
    "ModelError",
    "ModelRefused",
    "NoAnswer",
    "OperatorError",
    "PluginError",
    "QueryError",
    "RecipeError",
    "RequestRefused",
    "RunNotFound",
    "SandboxError",
    "StoreError",
    "TrainingError",
    "WorkflowError",
    "WorkflowFailed",
    "WorkflowInvalid",
]


class FlowReasonerError(Exception):
    """Base of all errors raised on purpose by FlowReasoner."""


class QueryError(FlowReasonerError):
    """A query, its tests or its metric cannot be used."""


class WorkflowError(FlowReasonerError):
    """A workflow is at fault."""


class WorkflowInvalid(WorkflowError):
    """A workflow was refused by the checker.

    Attributes:
        diagnostics: All that the checker found, errors and warnings.
    """

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        errors = [d for d in self.diagnostics if d.severity == "error"]
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        super().__init__(f"{errors[0]}{more}" if errors else "the workflow was refused")


class WorkflowFailed(WorkflowError):
    """A workflow raised an error of its own while it ran.

    Attributes:
        line: Line of the canonical source, 1-based, or 0 when unknown.
    """

    def __init__(self, message: str, line: int = 0) -> None:
        self.line = line
        super().__init__(f"line {line}: {message}" if line else message)


class NoAnswer(WorkflowError):
    """None of a design's workflows gave an answer."""


class BudgetExceeded(FlowReasonerError):
    """A limit was reached.

    Attributes:
        limit: Name of the limit, a field of `Budget`.
        allowed: What the limit allows.
        spent: What was spent, or would have been.
        reason: All that in words.
    """

    def __init__(self, limit: str, allowed: float, spent: float, note: str = "") -> None:
        self.limit, self.allowed, self.spent = limit, allowed, spent
        self.reason = note or f"{limit} {_amount(spent)} is over the limit of {_amount(allowed)}"
        super().__init__(f"budget exceeded: {self.reason}; make the workflow smaller, or raise the budget's {limit!r}")


def _amount(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:,.4g}"


class OperatorError(FlowReasonerError):
    """An operator could not do its step, mostly because the model's reply could not be read."""


class ModelError(FlowReasonerError):
    """A chat model could not be reached, or gave nothing usable, after all retries.

    Attributes:
        spent: What the unusable replies cost, if anything.
    """

    def __init__(self, message: str, spent: Spending | None = None) -> None:
        self.spent = spent
        super().__init__(message)


class ModelRefused(ModelError):
    """A chat model refused for a reason that a retry cannot mend: key, model name, settings."""


class RequestRefused(ModelError):
    """A chat model refused one request, e.g. as too long; another request may be answered."""


class SandboxError(FlowReasonerError):
    """The sandbox could not do its work. This is never a verdict on the tested code."""


class IsolationUnavailable(SandboxError):
    """A tier of the sandbox cannot be had on this machine; the message says why and what to do."""


class StoreError(FlowReasonerError):
    """The run store cannot be read or written."""


class RunNotFound(StoreError):
    """The run store has no such run, or more than one that fits."""


class TrainingError(FlowReasonerError):
    """Training cannot start or go on; the message says what is kept, and what to do."""


class RecipeError(FlowReasonerError):
    """A training recipe cannot be used.

    Attributes:
        problems: All that is wrong with it, each with its place, its value and a remedy.
    """

    def __init__(self, recipe: str, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        listed = problems[0] if len(problems) == 1 else "; ".join(f"({n}) {p}" for n, p in enumerate(problems, 1))
        super().__init__(f"the recipe {recipe!r} cannot be used: {listed}")


class PluginError(FlowReasonerError):
    """A plugin is missing, broken, or clashes with another."""
