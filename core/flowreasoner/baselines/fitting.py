"""What methods have in common that learn from training queries before they design."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from flowreasoner.budget import Spending

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from flowreasoner.designers import Designer, Workbench
    from flowreasoner.query import Query

__all__ = ["Fittable", "Fitted"]


@dataclass(frozen=True)
class Fitted:
    """What fitting a method gave.

    Attributes:
        designer: Designs for new queries; a task-level method's has one workflow for all of them.
        spent: What all of the fitting cost, sessions before an interruption included.
        seconds: Wall-clock time of it, likewise.
        facts: What a log should say of it, e.g. rounds and validation score, as JSON.
    """

    designer: Designer
    spent: Spending = field(default_factory=Spending)
    seconds: float = 0.0
    facts: Mapping[str, Any] = field(default_factory=dict)


class Fittable(Protocol):
    """A method that is fitted once, and then designs for any query of the task.

    Attributes:
        name: Short name, e.g. ``aflow``.
    """

    @property
    def name(self) -> str:
        """Short name."""
        ...

    async def fit(
        self, queries: Sequence[Query], bench: Workbench, folder: Path, tell: Callable[[str], None] = lambda _: None
    ) -> Fitted:
        """Fits the method.

        Args:
            queries: Of training; only their feedback tests are used.
            bench: Meta-agent, worker, sandbox, and the budgets of a run and of the whole fitting.
            folder: Keeps what is finished: the same call goes on there after an interruption, and only reads the
                result where all is done.
            tell: Called with lines of progress.

        Raises:
            QueryError: If the queries or settings cannot be used, or the folder holds another fitting.
            ModelError: If a model cannot be used.
            SandboxError: If the sandbox fails.
            BudgetExceeded: If the budget ends before there is anything to design with.
            StoreError: If the folder cannot be written.
        """
        ...
