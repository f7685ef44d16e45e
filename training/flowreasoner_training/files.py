"""Writes files so that they are whole or not there, also when the process is killed or the disk is full."""

from __future__ import annotations

import contextlib
import errno
import os
from pathlib import Path
from typing import TYPE_CHECKING

from flowreasoner.errors import TrainingError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["NotWritten", "guarded", "is_full", "make_folder", "write_atomically"]

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_TORCH = ("iostream error", "inline_container")
"""What torch says when it cannot write on; it does not say why."""


class NotWritten(TrainingError):
    """A file or folder cannot be written, mostly because the disk is full.

    Attributes:
        path: The file or folder.
        reason: Why it cannot be written.
    """

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            f"cannot write {str(path)!r}: {reason}; make that possible, or choose another folder; "
            "what was finished is saved"
        )
        self.path, self.reason = path, reason


@contextlib.contextmanager
def guarded(path: Path) -> Iterator[None]:
    """Turns the errors of writing below a path into one sentence with the remedy.

    Raises:
        NotWritten: If the disk is full, or the path cannot be written.
    """
    try:
        yield
    except Exception as error:
        if not (isinstance(error, OSError) or is_full(error)):
            raise
        reason = error.strerror if isinstance(error, OSError) else f"the disk is full ({error})"
        raise NotWritten(path, reason or str(error)) from error


def make_folder(folder: Path) -> None:
    """Makes a folder with those above it.

    Raises:
        NotWritten: If it cannot be made.
    """
    with guarded(folder):
        folder.mkdir(parents=True, exist_ok=True)


def write_atomically(path: Path, lines: Iterable[str]) -> None:
    """Writes a text file through another one beside it, so that a reader never sees half of it.

    Args:
        path: The file.
        lines: Its text in pieces, line ends included.

    Raises:
        NotWritten: If it cannot be written; an older file of that name stays.
    """
    partial = path.with_name(path.name + ".part")
    with guarded(path):
        with partial.open("w", encoding="utf-8", newline="") as file:
            file.writelines(lines)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)


def is_full(error: BaseException | None) -> bool:
    """Tells whether a full disk, or a file that may not grow, is behind an error; some libraries only say so."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if isinstance(error, OSError) and error.errno in _FULL:
            return True
        if any(words in str(error) for words in (*map(os.strerror, _FULL), *_TORCH)):
            return True
        error = error.__cause__ or error.__context__
    return False
