"""What a bench's folder says of its attempts: every line that is whole, also of a bench that was stopped."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flowreasoner.comparison import Outcome
from flowreasoner.errors import QueryError
from flowreasoner_plugins.bench.tables import fittings, heading, pairs, results

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = ["Journal", "journals", "summary_of"]


@dataclass(frozen=True)
class Journal:
    """The attempts at one benchmark with one worker.

    Attributes:
        benchmark: Its name.
        worker: URI of the worker.
        outcomes: The attempts that the last command asked for, or all where that is not known.
        others: How many further attempts the folder holds, from earlier commands.
    """

    benchmark: str
    worker: str
    outcomes: tuple[Outcome, ...]
    others: int


def summary_of(folder: Path) -> dict[str, Any] | None:
    """Reads ``summary.json``; None where the bench has not come to it.

    Raises:
        QueryError: If it is no summary of a bench, or cannot be read.
    """
    path = folder / "summary.json"
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        for cell in found["cells"]:
            heading(cell), results(cell), pairs(cell), fittings(cell)
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError, AttributeError):
        raise QueryError(f"{str(path)!r} is no summary of a bench; remove it, or run the bench again") from None
    except OSError as error:
        raise QueryError(f"cannot read {str(path)!r}: {error.strerror}") from None
    return found


def journals(folder: Path) -> list[Journal]:
    """Reads every ``*.outcomes.jsonl`` of a folder.

    Raises:
        QueryError: If one is no file of outcomes, or cannot be read.
    """
    asked = _asked(folder / "results.jsonl")
    return [_journal(path, asked) for path in sorted(folder.glob("*.outcomes.jsonl"))]


def _journal(path: Path, asked: set[tuple[Any, ...]] | None) -> Journal:
    try:
        settings, *records = _lines(path)
        benchmark, worker = settings["benchmark"], settings["worker"]
        every = {outcome.key: outcome for outcome in map(Outcome.from_json, records)}
    except (ValueError, TypeError, KeyError, AttributeError):
        raise QueryError(f"{str(path)!r} is no file of outcomes; remove it, or run the bench again") from None
    wanted = [item for item in every.values() if asked is None or (benchmark, worker, *item.key) in asked]
    return Journal(benchmark, worker, tuple(wanted), len(every) - len(wanted))


def _asked(path: Path) -> set[tuple[Any, ...]] | None:
    """Returns which attempts the last finished command asked for; None where no file says so."""
    try:
        return {
            tuple(row[name] for name in ("benchmark", "worker", "designer", "checkpoint", "query", "seed"))
            for row in _lines(path)
        }
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError):
        raise QueryError(f"{str(path)!r} holds no results of a bench; remove it, or run the bench again") from None


def _lines(path: Path) -> Iterable[Any]:
    """Reads JSON lines; the last one counts only if it is whole, as a bench may be at work or have been killed."""
    try:
        found = path.read_bytes()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise QueryError(f"cannot read {str(path)!r}: {error.strerror}") from None
    return [json.loads(line) for line in found[: found.rfind(b"\n") + 1].splitlines()]
