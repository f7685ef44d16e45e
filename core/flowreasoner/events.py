"""What a design run reports while it goes on; progress displays, logs and plugins consume these."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flowreasoner.errors import QueryError

if TYPE_CHECKING:
    from flowreasoner.designers.base import Design, Round
    from flowreasoner.engine import Call
    from flowreasoner.feedback import Evaluation
    from flowreasoner.query import Query
    from flowreasoner.workflow import Diagnostic, Workflow

__all__ = [
    "CallEnded",
    "DesignEnded",
    "DesignStarted",
    "EvaluationEnded",
    "Event",
    "GuardedObserver",
    "Observer",
    "RoundEnded",
    "RoundStarted",
    "TestsWritten",
    "WorkflowProposed",
]


@dataclass(frozen=True, slots=True)
class DesignStarted:
    """A design begins, or goes on after `resumed` finished rounds."""

    query: Query
    run: str
    meta_agent: str
    worker: str
    rounds: int
    evaluations: int
    resumed: int


@dataclass(frozen=True, slots=True)
class TestsWritten:
    """The query had no tests; the worker wrote these."""

    __test__ = False
    tests: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RoundStarted:
    """The meta-agent is being asked."""

    number: int


@dataclass(frozen=True, slots=True)
class WorkflowProposed:
    """The meta-agent answered; `workflow` is None when it was refused."""

    number: int
    attempt: int
    modification: str
    workflow: Workflow | None
    diagnostics: tuple[Diagnostic, ...]


@dataclass(frozen=True, slots=True)
class CallEnded:
    """An operator call ended, well or not."""

    number: int
    evaluation: int
    call: Call


@dataclass(frozen=True, slots=True)
class EvaluationEnded:
    """One of a round's runs was graded."""

    number: int
    index: int
    evaluation: Evaluation


@dataclass(frozen=True, slots=True)
class RoundEnded:
    """A round is finished and saved."""

    round: Round


@dataclass(frozen=True, slots=True)
class DesignEnded:
    """The design is finished."""

    design: Design


Event = (
    DesignStarted
    | TestsWritten
    | RoundStarted
    | WorkflowProposed
    | CallEnded
    | EvaluationEnded
    | RoundEnded
    | DesignEnded
)
Observer = Callable[[Event], None]
"""Called with each event, in the event loop; it must return quickly."""


class GuardedObserver:
    """An observer that is silenced after its first error: who only looks on must not change a result.

    Args:
        observer: Called with each event.
        report: Called with its first error, which is logged unless given.
    """

    def __init__(self, observer: Observer, report: Callable[[Exception], None] | None = None) -> None:
        if inspect.iscoroutinefunction(observer):
            raise QueryError(
                f"the observer {observer.__name__!r} is async; give a plain function, which may start a task"
            )
        self._observer: Observer | None = observer
        self._report = report or (
            lambda error: logging.getLogger(__name__).warning("the observer %r failed: %r", observer, error)
        )

    def __call__(self, event: Event) -> None:
        """Passes an event on."""
        if self._observer is None:
            return
        try:
            self._observer(event)
        except Exception as error:
            self._observer = None
            self._report(error)
