"""What a fitting of ScoreFlow has finished: a JSON line per query and iteration.

Each line says what was spent, and the time that went by, since the one before: a session that is killed loses only what
it did after its last line.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from flowreasoner.budget import Spending
from flowreasoner.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from flowreasoner.budget import Meter

__all__ = ["Candidate", "SampleJournal"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A reply of the generator, and what its workflow scored.

    Attributes:
        reply: All that the generator wrote.
        score: Mean score of the evaluations; 0 where the reply holds no valid workflow.
        valid: Whether it holds one.
    """

    reply: str
    score: float
    valid: bool


class SampleJournal:
    """A JSONL file: one line of settings, then a line for all candidates of a query, written when they are scored.

    A process that dies leaves at most one torn line, which is dropped when the file is opened again.

    Args:
        path: The file; made with its folder if it is not there.
        settings: All that the candidates depend on.

    Raises:
        StoreError: If the file is another fitting's or no journal, or cannot be read or written.
    """

    def __init__(self, path: Path, settings: Mapping[str, Any]) -> None:
        self.path = path
        self.spent, self.seconds = Spending(), 0.0
        self._sampled: dict[tuple[int, int], tuple[Candidate, ...]] = {}
        self._meter: Meter | None = None
        header = json.dumps(settings)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            found = path.read_bytes() if path.exists() else b""
            whole = found[: found.rfind(b"\n") + 1]
            self._read(whole, found, json.loads(header))
            with path.open("r+b" if path.exists() else "wb") as file:
                file.truncate(len(whole))
        except OSError as error:
            raise StoreError(f"cannot use {str(path)!r} for a fitting: {error.strerror}") from error
        if not whole:
            self._write(header)

    def follow(self, meter: Meter) -> None:
        """Begins to take spending from a meter, and time from the clock."""
        self._meter, self._seen, self._clock = meter, meter.spent, time.perf_counter()

    def sampled(self, iteration: int) -> dict[int, tuple[Candidate, ...]]:
        """Returns the candidates of an iteration by the index of their query."""
        return {query: made for (round_, query), made in self._sampled.items() if round_ == iteration}

    def keep(self, iteration: int, query: int, candidates: Sequence[Candidate]) -> None:
        """Writes a query's scored candidates down.

        Raises:
            StoreError: If that fails, as on a full disk; what was written before is safe.
        """
        made = [asdict(candidate) for candidate in candidates]
        self._keep({"iteration": iteration, "query": query, "candidates": made})
        self._sampled[iteration, query] = tuple(candidates)

    def keep_rest(self) -> None:
        """Writes down what was spent, and the time that went by, since the last line."""
        self._keep({})

    def _keep(self, record: dict[str, Any]) -> None:
        assert self._meter is not None  # noqa: S101 - nothing is kept before it follows a meter
        spent, clock = self._meter.spent, time.perf_counter()
        new, seconds = spent - self._seen, clock - self._clock
        self._write(json.dumps({**record, "spent": new.to_json(), "seconds": seconds}))
        self._seen, self._clock = spent, clock
        self.spent, self.seconds = self.spent + new, self.seconds + seconds

    def _read(self, whole: bytes, found: bytes, settings: dict[str, Any]) -> None:
        """Reads the whole lines; a torn first line must be the beginning of what would be written."""
        if not whole and (json.dumps(settings) + "\n").encode().startswith(found):
            return
        try:
            first, *lines = map(json.loads, whole.decode().splitlines())
            begun = dict(first.items())
            for line in lines:
                self.spent += Spending.from_json(line["spent"])
                self.seconds += line["seconds"]
                if "query" in line:
                    made = tuple(Candidate(**candidate) for candidate in line["candidates"])
                    self._sampled[line["iteration"], line["query"]] = made
        except (ValueError, KeyError, TypeError, AttributeError):
            raise StoreError(f"{str(self.path)!r} is no journal of ScoreFlow; choose another folder") from None
        for name in sorted(begun.keys() | settings.keys()):
            if begun.get(name) != settings.get(name):
                raise StoreError(
                    f"{str(self.path)!r} was begun with {name} {begun.get(name)!r:.80}, not {settings.get(name)!r:.80}"
                    "; repeat with the same to go on, or choose another folder"
                )

    def _write(self, line: str) -> None:
        try:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(line + "\n")
        except OSError as error:
            raise StoreError(
                f"cannot write to {str(self.path)!r}: {error.strerror}; what is finished is kept there, "
                "so the same call goes on once there is room"
            ) from error
