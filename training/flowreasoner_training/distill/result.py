"""What a distillation reports while it goes on, and what it came to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from flowreasoner.budget import Spending

__all__ = ["DistillProgress", "Distillation"]


@dataclass(frozen=True)
class DistillProgress:
    """Where a distillation stands after a design run.

    Attributes:
        job: The design run, as query and repetition.
        outcome: Its final score, or why it is rejected.
        done: Finished design runs, with those of earlier sessions.
        total: Design runs in all.
        kept: Trajectories that passed the filters so far.
        usd: US dollars so far, with those of earlier sessions.
        seconds_left: Estimate of the time left, in seconds.
    """

    job: str
    outcome: str
    done: int
    total: int
    kept: int
    usd: float
    seconds_left: float


@dataclass(frozen=True)
class Distillation:
    """What a distillation came to.

    Attributes:
        data: The file of trajectories.
        made: Design runs that are finished.
        total: Design runs that were asked for.
        kept: Trajectories that passed the filters.
        rejected: Design runs that did not, by reason.
        stopped: ``done``, ``budget``, or ``unfinished`` where a model failed some design runs.
        cost: What all of it cost, earlier sessions included.
        card: The data card.
    """

    data: Path
    made: int
    total: int
    kept: int
    rejected: dict[str, int]
    stopped: str
    cost: Spending
    card: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        """Returns the object that ``flowreasoner distill --json`` prints."""
        return {
            "data": str(self.data),
            "made": self.made,
            "total": self.total,
            "kept": self.kept,
            "rejected": self.rejected,
            "stopped": self.stopped,
            "cost": self.cost.to_json(),
            "card": self.card,
        }
