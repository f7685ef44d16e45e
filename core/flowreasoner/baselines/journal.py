"""The journal of a fitting: each finished piece of work is written down at once, and never done again."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from flowreasoner.budget import Spending
from flowreasoner.errors import BudgetExceeded
from flowreasoner.record_file import RecordFile
from flowreasoner.workflow import Workflow

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from pathlib import Path

    from flowreasoner.designers import Workbench
    from flowreasoner.query import Query

__all__ = ["FittingJournal", "fitting_settings"]

_NO_MATTER = frozenset({"concurrency"})
"""Fields of a method that change no result."""


class FittingJournal:
    """A record file with a line a piece of work, and what all of it has cost by then.

    A fitting always runs from its beginning, and asks the journal for each piece of work. What is there is read, so
    that the same call goes on where it was interrupted, with the same result; the search itself knows nothing of it.

    Args:
        folder: Of the fitting; made if it is not there.
        settings: All that the result depends on.
        bench: Its meter is charged with what earlier sessions spent.

    Raises:
        QueryError: If the file belongs to another fitting, or is no journal.
        StoreError: If it cannot be used.
    """

    def __init__(self, folder: Path, settings: Mapping[str, Any], bench: Workbench) -> None:
        self.path = folder / "journal.jsonl"
        self._file = RecordFile(self.path, settings, "journal of a fitting")
        self._records: dict[str, Any] = {}
        self._written, self._earlier, self._seconds = Spending(), 0.0, 0.0
        self._meter, self._before, self._began = bench.meter, bench.meter.spent, time.perf_counter()
        try:
            self._read(self._file.found)
        except (ValueError, KeyError, TypeError, AttributeError):
            raise self._file.other() from None
        with contextlib.suppress(BudgetExceeded):  # the next piece of new work finds out; the rest can still be read
            bench.meter.charge(self._written)

    def __enter__(self) -> FittingJournal:
        return self

    def __exit__(self, *_: object) -> None:
        if self.spent != self._written:  # work that came to nothing was paid, too
            self._keep({})

    @property
    def spent(self) -> Spending:
        """What the fitting cost so far, earlier sessions included."""
        return self._meter.spent - self._before

    @property
    def seconds(self) -> float:
        """How long it took up to the last piece of work, likewise."""
        return self._seconds

    def get(self, key: str) -> Any:
        """Returns what a piece of work gave; None if it was not finished before."""
        return self._records.get(key)

    async def once(self, key: str, work: Callable[[], Awaitable[Any]]) -> Any:
        """Returns what a piece of work gave, which is only done if it was not finished before.

        Args:
            key: Tells it from the others.
            work: Does it; returns JSON.

        Raises:
            StoreError: If it cannot be written down.
        """
        if key not in self._records:
            self._records[key] = json.loads(json.dumps(await work()))
            self._keep({"key": key, "value": self._records[key]})
        return self._records[key]

    def _keep(self, record: dict[str, Any]) -> None:
        self._written, self._seconds = self.spent, self._earlier + time.perf_counter() - self._began
        self._file.append({**record, "spent": self._written.to_json(), "seconds": self._seconds})

    def _read(self, records: Sequence[dict[str, Any]]) -> None:
        self._records = {record["key"]: record["value"] for record in records if "key" in record}
        if records:
            self._written = Spending.from_json(records[-1]["spent"])
            self._earlier = self._seconds = float(records[-1]["seconds"])


def fitting_settings(method: Any, queries: Sequence[Query], bench: Workbench) -> dict[str, Any]:
    """Returns all that the result of a fitting depends on, as JSON.

    Args:
        method: A dataclass; its fields count, except those that change no result.
        queries: Of training.
        bench: Its models, seed, operators and the budget of a run count. What the whole fitting may cost does not: with
            more money it goes on.
    """
    own = {item.name: _plain(getattr(method, item.name)) for item in fields(method) if item.name not in _NO_MATTER}
    return {
        **own,
        "queries": [query.digest() for query in queries],
        "meta_agent": bench.meta_agent.name,
        "worker": bench.worker.name,
        "seed": bench.seed,
        "operators": sorted(bench.operators),
        "budget": bench.budget.to_json(),
    }


def _plain(value: Any) -> Any:
    """Returns a setting as JSON; a workflow is its source."""
    if isinstance(value, Workflow):
        return [value.source, value.prompt_source]
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in value.items()}
    return value
