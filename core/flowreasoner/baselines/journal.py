"""The journal of a fitting: each finished piece of work is written down at once, and never done again."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from flowreasoner.budget import Spending
from flowreasoner.errors import BudgetExceeded, StoreError
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
    """A JSONL file: a line of settings, then a line a piece of work, with what all of it has cost by then.

    A fitting always runs from its beginning, and asks the journal for each piece of work. What is there is read, so
    that the same call goes on where it was interrupted, with the same result; the search itself knows nothing of it.
    A process that dies leaves at most one torn line, which is dropped when the file is opened again.

    Args:
        folder: Of the fitting; made if it is not there.
        settings: All that the result depends on.
        bench: Its meter is charged with what earlier sessions spent.

    Raises:
        StoreError: If the file cannot be used, or belongs to another fitting.
    """

    def __init__(self, folder: Path, settings: Mapping[str, Any], bench: Workbench) -> None:
        self.path = folder / "journal.jsonl"
        self._settings = json.loads(json.dumps(settings))
        self._records: dict[str, Any] = {}
        self._written, self._earlier, self._seconds = Spending(), 0.0, 0.0
        self._meter, self._before, self._began = bench.meter, bench.meter.spent, time.perf_counter()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            found = self.path.read_bytes() if self.path.exists() else b""
            kept = found[: found.rfind(b"\n") + 1]
            self._read(kept, found)
            with self.path.open("r+b" if self.path.exists() else "wb") as file:
                file.truncate(len(kept))
        except OSError as error:
            raise StoreError(f"cannot keep a fitting in {str(folder)!r}: {error.strerror}") from error
        if not kept:
            self._append(self._settings)
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
        self._append({**record, "spent": self._written.to_json(), "seconds": self._seconds})

    def _append(self, value: dict[str, Any]) -> None:
        try:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(value) + "\n")
        except OSError as error:
            raise StoreError(
                f"cannot write to {str(self.path)!r}: {error.strerror}; what is finished is kept there, "
                "so the same call goes on once there is room"
            ) from error

    def _read(self, kept: bytes, found: bytes) -> None:
        """Reads the whole lines of what was found; a torn first line must be the beginning of what we would write."""
        if not kept and (json.dumps(self._settings) + "\n").encode().startswith(found):
            return
        try:
            first, *records = map(json.loads, kept.decode().splitlines())
            settings = dict(first.items())
            self._records = {record["key"]: record["value"] for record in records if "key" in record}
            if records:
                self._written = Spending.from_json(records[-1]["spent"])
                self._earlier = self._seconds = float(records[-1]["seconds"])
        except (ValueError, KeyError, TypeError, AttributeError):
            raise StoreError(f"{str(self.path)!r} is no journal of a fitting; name another folder") from None
        for name in sorted(settings.keys() | self._settings.keys()):
            before, now = settings.get(name), self._settings.get(name)
            if before != now:
                raise StoreError(
                    f"{str(self.path)!r} holds another fitting: its {name} is {before!r:.80}, not {now!r:.80}; repeat "
                    "with the same settings to go on, or name another folder"
                )


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
