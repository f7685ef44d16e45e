"""What a page holds: the runs and benches that were asked for, found and read, as one JSON object."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flowreasoner import __version__
from flowreasoner.errors import QueryError, RunNotFound
from flowreasoner.store import Store
from flowreasoner_plugins.report.benches import bench_of
from flowreasoner_plugins.report.designs import design_of
from flowreasoner_plugins.report.workflows import Workflows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flowreasoner.operators import Operator

__all__ = ["MOST_BYTES", "contents"]

MOST_BYTES = 12_000_000
"""Room for the designs of benches, in all; a page of this size still opens at once."""


def contents(
    runs: Sequence[str], store: Path, operators: Mapping[str, Operator], *, most_bytes: int = MOST_BYTES
) -> dict[str, Any]:
    """Collects what a page shows.

    Args:
        runs: Ids of runs, or the starts of them, or ``last``; and folders of benches.
        store: Where runs are looked up; it need not be there if none is asked for.
        operators: Operators that workflows may use, by class name.
        most_bytes: Room for the designs of all benches together.

    Returns:
        ``views`` in the order of `runs`, ``designs`` by name, and the ``workflows`` that their rounds name by number.

    Raises:
        RunNotFound: If there is no such run.
        StoreError: If the store cannot be read.
        QueryError: If a folder is not there, or no bench's.
    """
    workflows = Workflows(operators)
    designs: dict[str, dict[str, Any]] = {}
    views: list[dict[str, Any]] = []
    for number, run in enumerate(dict.fromkeys(runs), 1):
        if _is_folder(run):
            bench, own = bench_of(Path(run), workflows, most_bytes // _folders(runs), f"{number}.")
            views.append({"kind": "bench", **bench})
            designs |= own
        else:
            design = _stored(run, store, workflows)
            designs[design["run"]] = design
            views.append({"kind": "design", "design": design["run"]})
    views = list({view.get("design", number): view for number, view in enumerate(views)}.values())
    return {
        "version": __version__,
        "written": time.strftime("%Y-%m-%d %H:%M"),
        "views": views,
        "designs": designs,
        "workflows": workflows.listed,
    }


def _stored(run: str, path: Path, workflows: Workflows) -> dict[str, Any]:
    if not path.exists():
        raise RunNotFound(f"no run matches {run!r}: there is no run store at {path}; `flowreasoner solve` makes one")
    with Store(path, readonly=True) as store:
        try:
            record = store.run(run)
        except RunNotFound as error:
            raise RunNotFound(f"{error}; and {run!r} is no folder of a bench") from None
        return design_of(record, store.rounds(record.id), workflows)


def _is_folder(run: str) -> bool:
    """Tells folders from ids of runs, which have no separators.

    Raises:
        QueryError: If it can only be meant as a path, and there is no such folder.
    """
    path = Path(run)
    if path.is_dir():
        return True
    if path.exists() or any(mark in run for mark in (os.sep, os.altsep, os.curdir) if mark):
        what = "is a file" if path.exists() else "is not there"
        raise QueryError(f"{run!r} {what}; give a run's id, or the folder that `flowreasoner bench` wrote")
    return False


def _folders(runs: Sequence[str]) -> int:
    return sum(Path(run).is_dir() for run in dict.fromkeys(runs))
