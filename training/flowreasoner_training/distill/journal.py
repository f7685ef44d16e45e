"""What distillation has done so far: one store in the output folder, which a run that was killed goes on from."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flowreasoner.api import StoreJournal
from flowreasoner.budget import Spending
from flowreasoner.errors import ModelError, StoreError, TrainingError
from flowreasoner_training.trajectory import Trajectory

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from flowreasoner.designers import Round
    from flowreasoner.query import Query
    from flowreasoner.store import RunRecord, Store

__all__ = ["Job", "Ledger", "Outcome", "WholeRounds", "folder_store"]

_MANY = 10_000_000


@dataclass(frozen=True)
class Job:
    """One design run to make: a query, which repetition, and the seed of its draws."""

    query: Query
    number: int
    seed: int

    @property
    def id(self) -> str:
        """Identifies the job in the ledger."""
        return f"{self.query.id}/{self.number}"


@dataclass(frozen=True)
class Outcome:
    """What came of a job: a trajectory, or the reason why there is none; and what it cost."""

    trajectory: Trajectory | None
    reason: str
    cost: Spending

    def to_json(self) -> dict[str, Any]:
        """Returns the outcome as the store keeps it."""
        made = None if self.trajectory is None else self.trajectory.to_json()
        return {"trajectory": made, "reason": self.reason, "cost": self.cost.to_json()}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Outcome:
        """Reads what `to_json` wrote."""
        made = value["trajectory"]
        trajectory = None if made is None else Trajectory.from_json(made)
        return cls(trajectory, value["reason"], Spending.from_json(value["cost"]))


class WholeRounds(StoreJournal):
    """Keeps only rounds that were evaluated as often as they should be.

    At inference, an evaluation that an outage took away is left out. What is learned must not depend on outages: such
    a round ends its design run, and is made again when that is gone on with.
    """

    def keep(self, finished: Round) -> None:
        """Writes a finished round down.

        Raises:
            ModelError: If an evaluation is missing.
        """
        if finished.feedback.dropped:
            raise ModelError(finished.feedback.dropped[0])
        super().keep(finished)


class Ledger:
    """Which jobs are finished, with what; and the run in the store of each that was begun.

    Args:
        store: The open store of the output folder.
        settings: What decides the trajectories; a run that was begun with others cannot be gone on with.

    Raises:
        TrainingError: If the folder was begun with other settings, naming the first that differs.
        StoreError: If the store cannot be read or written.
    """

    def __init__(self, store: Store, settings: dict[str, Any]) -> None:
        self.store = store
        self.outcomes: dict[str, Outcome] = {}
        self._runs: dict[str, RunRecord] = {}
        records = store.runs(_MANY)
        begun = next((record.settings for record in records if "recipe" in record.settings), None)
        if begun is None:
            store.end_run(store.start_run("distillation", {"recipe": settings}), "finished")
        else:
            self._compare(begun["recipe"], settings)
        for record in records:
            job = record.settings.get("job")
            if job is not None:
                self._runs[job] = record
                if record.status == "finished" and record.result is not None:
                    self.outcomes[job] = self._read(record)

    @property
    def spent(self) -> Spending:
        """What all finished jobs cost."""
        return sum((outcome.cost for outcome in self.outcomes.values()), Spending())

    def check(self, jobs: Iterable[Job]) -> None:
        """Looks whether the queries are those that their design runs were begun with.

        Raises:
            TrainingError: Naming the first that has changed.
        """
        for job in jobs:
            known = self._runs.get(job.id)
            if known is not None and known.settings["digest"] != job.query.digest():
                raise TrainingError(
                    f"query {job.query.id!r} has changed since the run in {self.store.path} was begun; "
                    "restore the benchmark's data, or give another folder"
                )

    def begin(self, job: Job) -> str:
        """Returns the run of a job in the store, new or gone on with."""
        known = self._runs.get(job.id)
        if known is not None:
            return known.id
        return self.store.start_run(job.query.title, {"job": job.id, "digest": job.query.digest()})

    def finish(self, job: Job, run: str, outcome: Outcome) -> None:
        """Writes down what came of a job."""
        self.store.end_run(run, "finished", outcome.to_json())
        self.outcomes[job.id] = outcome

    def _read(self, record: RunRecord) -> Outcome:
        try:
            return Outcome.from_json(record.result or {})
        except (KeyError, TypeError, TrainingError) as error:
            raise StoreError(f"the run store {self.store.path} holds a damaged result: {error}") from None

    def _compare(self, begun: dict[str, Any], settings: dict[str, Any]) -> None:
        now = json.loads(json.dumps(settings))
        for name in sorted(begun.keys() | now.keys()):
            if begun.get(name) != now.get(name):
                raise TrainingError(
                    f"the run in {self.store.path} was begun with {name} {_shown(begun.get(name))}, not "
                    f"{_shown(now.get(name))}; give the same to go on with it, or another folder"
                )


def _shown(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 80 else text[:79] + "…"


def folder_store(folder: Path) -> Path:
    """Returns the file of a folder's store."""
    return folder / "store.sqlite"
