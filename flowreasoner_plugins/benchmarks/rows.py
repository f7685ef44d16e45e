"""Finds the rows of a published benchmark: in a local file or folder, or by name on the Hugging Face hub."""

from __future__ import annotations

import gzip
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flowreasoner.errors import QueryError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["Hub", "Row", "find_file", "fingerprint", "rows_of_file", "rows_of_hub"]

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Hub:
    """Where a benchmark is on the Hugging Face hub.

    Attributes:
        path: Name of the data set.
        split: The split that is the benchmark.
        config: Its configuration, where there are several.
    """

    path: str
    split: str
    config: str | None = None


def find_file(data: Path, names: Sequence[str], benchmark: str) -> Path:
    """Returns the file that a user means by ``--data``: the file itself, or in a folder the one with a usual name.

    Raises:
        QueryError: If there is none.
    """
    if not data.is_dir():
        return data
    found = [data / name for name in names if (data / name).is_file()]
    if not found:
        raise QueryError(f"{str(data)!r} holds none of {benchmark}'s files ({', '.join(names)}); name the file itself")
    return found[0]


def rows_of_file(path: Path) -> list[Row]:
    """Reads a JSON list or JSON lines, gzipped or not.

    Raises:
        QueryError: If it cannot be read.
    """
    try:
        raw = path.read_bytes()
        text = (gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw).decode("utf-8")
        if text.lstrip().startswith("["):
            rows: list[Row] = json.loads(text)
        else:
            rows = [json.loads(line) for line in text.split("\n") if line.strip()]
    except (OSError, ValueError, EOFError) as error:
        raise QueryError(f"cannot read benchmark data from {str(path)!r}: {error}") from None
    if not all(isinstance(row, dict) for row in rows):
        raise QueryError(f"cannot read benchmark data from {str(path)!r}: a row is no JSON object")
    return rows


def rows_of_hub(hub: Hub, benchmark: str, files: Sequence[str]) -> list[Row]:
    """Loads the rows by name, from the hub or the cache of an earlier time.

    Raises:
        QueryError: If the library is missing, or the data cannot be had; names both ways to get it.
    """
    by_path = f"or get its file ({' or '.join(files)}) and pass --data PATH"
    try:
        from datasets import load_dataset
    except ImportError:
        raise QueryError(
            f"{benchmark} comes with neither FlowReasoner nor this machine: "
            f'pip install "flowreasoner[benchmarks]" loads it by name, {by_path}'
        ) from None
    try:
        loaded = load_dataset(hub.path, hub.config, split=hub.split)
    except Exception as error:  # whatever is wrong between here and the hub, the remedy is the same
        reason = " ".join(str(error).split())[:200]
        raise QueryError(
            f"{benchmark} cannot be loaded from the hub ({hub.path}): {reason}; try again with a network, {by_path}"
        ) from None
    return [dict(row) for row in loaded]


def fingerprint(rows: Iterable[Mapping[str, Any]], fields: Sequence[str]) -> str:
    """Returns the SHA-256 of what decides a benchmark's results, whatever file it came in.

    Args:
        rows: All rows.
        fields: Their fields that count: what is asked, and how it is judged.
    """
    lines = sorted(json.dumps([row.get(field) for field in fields], ensure_ascii=True) for row in rows)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
