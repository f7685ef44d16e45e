"""A file of records that is only appended to, so that what is finished survives whatever interrupts the work."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from flowreasoner.errors import QueryError, StoreError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["RecordFile"]


class RecordFile:
    """A JSONL file: a line of settings, then a line a record, each written as soon as it is known.

    A process that dies leaves at most one torn line, which is dropped when the file is opened again.

    Args:
        path: The file; it and its folder are made if they are not there.
        settings: All that records depend on; a file that was begun with others is refused.
        kind: What it is, e.g. ``file of outcomes``.

    Attributes:
        path: The file.
        settings: The settings, as JSON gives them back.
        found: The records that were there when it was opened.

    Raises:
        QueryError: If it was begun with other settings, or is no such file.
        StoreError: If it cannot be read or written.
    """

    def __init__(self, path: Path, settings: Mapping[str, Any], kind: str) -> None:
        self.path, self._kind = path, kind
        self.settings: dict[str, Any] = json.loads(json.dumps(settings))
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            found = path.read_bytes() if path.exists() else b""
            kept = found[: found.rfind(b"\n") + 1]
            self.found = self._read(kept, found)
            with path.open("r+b" if path.exists() else "wb") as file:
                file.truncate(len(kept))
        except OSError as error:
            raise StoreError(f"cannot use {str(path)!r} as a {kind}: {error.strerror}") from error
        if not kept:
            self.append(self.settings)

    def append(self, record: Mapping[str, Any]) -> None:
        """Writes a record down.

        Raises:
            StoreError: If that fails, as on a full disk; what was written before is safe.
        """
        try:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(record) + "\n")
        except OSError as error:
            raise StoreError(
                f"cannot write to {str(self.path)!r}: {error.strerror}; what is finished is kept there, "
                "so the same again goes on once there is room"
            ) from error

    def other(self) -> QueryError:
        """Returns the error that says that this is no file of its kind."""
        return QueryError(f"{str(self.path)!r} is no {self._kind}; name another, or remove it")

    def _read(self, kept: bytes, found: bytes) -> list[dict[str, Any]]:
        """Reads the whole lines of what was found; a torn first line must be the beginning of what we would write."""
        if not kept and (json.dumps(self.settings) + "\n").encode().startswith(found):
            return []
        try:
            first, *records = map(json.loads, kept.decode().splitlines())
            settings = dict(first.items())
        except (ValueError, AttributeError):
            raise self.other() from None
        for name in sorted(settings.keys() | self.settings.keys()):
            before, now = settings.get(name), self.settings.get(name)
            if before != now:
                raise QueryError(
                    f"{str(self.path)!r} was begun with {name} {before!r:.80}, not {now!r:.80}; repeat with the same "
                    "settings to go on, or name another"
                )
        return records
