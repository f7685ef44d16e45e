"""Names and hashes of checkpoints, so that a result says which weights it is about."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from flowreasoner.errors import QueryError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["file_hash", "folder_of", "label_of", "weights_hash"]

_WEIGHTS = (".safetensors", ".npz")
_SHORT = 8


def folder_of(uri: str) -> Path | None:
    """Returns the folder that a model URI such as ``hf:runs/grpo`` names, or None if it names none."""
    name = uri.partition(":")[2].partition("?")[0]
    return Path(name) if name and Path(name).is_dir() else None


def weights_hash(folder: Path) -> str:
    """Returns the SHA-256 over a checkpoint's weights, in hexadecimal.

    Raises:
        QueryError: If the folder holds no weights.
    """
    files = sorted(path for path in folder.iterdir() if path.suffix in _WEIGHTS)
    if not files:
        raise QueryError(f"{str(folder)!r} holds no weights ({', '.join(_WEIGHTS)}); name a checkpoint's folder")
    return _digest(files)


def file_hash(path: Path) -> str:
    """Returns a file's SHA-256 in hexadecimal."""
    return _digest([path])


def label_of(uri: str) -> str:
    """Returns a short name of a model: the last two parts of its folder with the beginning of its weights' hash."""
    folder = folder_of(uri)
    if folder is None:
        return uri
    return f"{'/'.join(folder.parts[-2:])}@{weights_hash(folder)[:_SHORT]}"


def _digest(files: Iterable[Path]) -> str:
    total = hashlib.sha256()
    for path in files:
        with path.open("rb") as file:
            while piece := file.read(1 << 20):
                total.update(piece)
    return total.hexdigest()
