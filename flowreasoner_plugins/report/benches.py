"""A bench's folder as what the page shows of it: its tables, its attempts, and as many designs as there is room for."""

from __future__ import annotations

import json
import re
import shlex
from typing import TYPE_CHECKING, Any

from flowreasoner.errors import QueryError, RunNotFound, StoreError
from flowreasoner.store import Store
from flowreasoner_plugins.bench.tables import heading, pairs, results
from flowreasoner_plugins.cli.wording import model_name
from flowreasoner_plugins.report.attempts import journals, summary_of
from flowreasoner_plugins.report.designs import design_of
from flowreasoner_plugins.report.texts import shown

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from flowreasoner.comparison import Outcome
    from flowreasoner_plugins.report.attempts import Journal
    from flowreasoner_plugins.report.workflows import Workflows

__all__ = ["bench_of"]


def bench_of(
    folder: Path, workflows: Workflows, most_bytes: int, key: str
) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Returns a bench as a JSON object, and its designs by the names that its attempts call them.

    Args:
        folder: What ``flowreasoner bench`` wrote; parts of it may be missing.
        workflows: Takes up the workflows of the designs.
        most_bytes: Room for designs. Where it is not enough for all, those that failed are taken first.
        key: Begins the names of the designs, so that those of another folder have others.

    Raises:
        QueryError: If the folder is no bench's, or a file in it is not what it should be.
    """
    summary, found = summary_of(folder), journals(folder)
    if summary is None and not found:
        raise QueryError(f"{str(folder)!r} is no folder of a bench: it has no summary.json and no *.outcomes.jsonl")
    cells = [] if summary is None else [_cell(cell) for cell in summary["cells"]]
    attempts = [_attempt(journal, own, key) for journal in found for own in journal.outcomes]
    notes = _notes(folder, has_summary=summary is not None, journals=found)
    designs: dict[str, dict[str, Any]] = {}
    if attempts:
        try:
            designs = _designs(folder / "runs.sqlite", attempts, workflows, most_bytes)
        except StoreError as error:
            notes.append(f"The single designs are not here: {shown(str(error))}.")
    simulated = {role for cell in cells for role in cell["simulated"]}
    if summary is None:  # then only the designs say so
        simulated = {role for design in designs.values() for role in design["simulated"]}
    for item in attempts:
        item["design"] = item["design"] if item["design"] in designs else None
    bench = {
        "title": ", ".join(dict.fromkeys(shown(own.benchmark) for own in found) or (_names(cells))),
        "folder": shown(folder.name or str(folder)),
        "command": "" if summary is None else _command(str(summary.get("command", ""))),
        "cells": cells,
        "simulated": sorted(simulated),
        "leaky": any(item["leaky"] for item in attempts) or any(cell["leaky"] for cell in cells),
        "notes": notes,
        "attempts": attempts,
        "store": shown(str(folder / "runs.sqlite")),
    }
    return bench, designs


def _names(cells: list[dict[str, Any]]) -> dict[str, None]:
    return dict.fromkeys(cell["benchmark"] for cell in cells)


def _notes(folder: Path, *, has_summary: bool, journals: list[Journal]) -> list[str]:
    notes = []
    if not has_summary:
        notes.append(
            "This bench has not ended: there is no summary.json yet. The attempts below are those that have; "
            "the same flowreasoner bench command goes on from them."
        )
    if not journals:
        notes.append("The single attempts are not here: the folder has no *.outcomes.jsonl.")
    others = sum(own.others for own in journals)
    if others:
        notes.append(f"{others} more attempts of earlier commands in the folder {folder.name!r} are not counted here.")
    return [shown(note) for note in notes]


def _cell(cell: dict[str, Any]) -> dict[str, Any]:
    head, rows = results(cell)
    pair_head, pair_rows = pairs(cell)
    # Figures tell which designers cost what; the tables are worded as the bench itself words them.
    return {
        "benchmark": shown(cell["benchmark"]),
        "worker": shown(model_name(cell["worker"])),
        "simulated": list(cell["simulated"]),
        "leaky": any(own["leaky"] for own in cell["designers"].values()),
        "told": [shown(text) for text in heading(cell)],
        "results": {"head": head, "rows": _shown_rows(rows)},
        "pairs": {"head": pair_head, "rows": _shown_rows(pair_rows)},
        "points": [
            {
                "designer": shown(name),
                "share": own["pass@1"],
                "usd": own["per_query"]["usd"],
                "tokens": own["per_query"]["worker_tokens"] + own["per_query"]["meta_tokens"],
                "leaky": bool(own["leaky"]),
            }
            for name, own in cell["designers"].items()
        ],
    }


def _shown_rows(rows: list[list[str]]) -> list[list[str]]:
    return [[shown(text) for text in row] for row in rows]


def _command(command: str) -> str:
    """Returns the command with models by their names alone."""
    try:
        words = shlex.split(command)
    except ValueError:
        return ""
    return shown(shlex.join(re.sub(r"^([a-z][\w.-]*:[^?]*)\?.*", r"\1", word, flags=re.DOTALL) for word in words))


def _attempt(journal: Journal, own: Outcome, key: str) -> dict[str, Any]:
    outcome = "passed" if own.passed >= 1 else "no answer" if own.error else "failed"
    return {
        "benchmark": shown(journal.benchmark),
        "worker": shown(model_name(journal.worker)),
        "designer": shown(own.contender),
        "query": shown(own.query),
        "seed": own.seed,
        "outcome": outcome,
        "feedback": own.feedback,
        "hidden": own.hidden,
        "rounds": own.rounds,
        "asked": own.model_calls,
        "tokens": own.worker_tokens + own.meta_tokens,
        "usd": own.usd,
        "unpriced": own.unpriced_calls,
        "seconds": own.seconds,
        "leaky": own.leaky,
        "error": shown(own.error),
        "run": own.run,
        "design": f"{key}{own.run}" if own.run else None,
    }


def _designs(
    path: Path, attempts: list[dict[str, Any]], workflows: Workflows, most_bytes: int
) -> dict[str, dict[str, Any]]:
    """Returns the designs of attempts, as many as there is room for, what failed first.

    Raises:
        StoreError: If the store cannot be read.
    """
    order = sorted(attempts, key=lambda item: item["outcome"] == "passed")
    found: dict[str, dict[str, Any]] = {}
    with Store(path, readonly=True) as store:
        for item, design in _read(store, order, workflows):
            most_bytes -= len(json.dumps(design))
            if most_bytes < 0:
                break
            found[item["design"]] = design | {
                name: item[name] for name in ("benchmark", "worker", "outcome", "error", "leaky")
            }
    return found


def _read(
    store: Store, attempts: list[dict[str, Any]], workflows: Workflows
) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    for item in attempts:
        if item["design"] is None:
            continue
        try:
            record = store.run(item["run"])
        except RunNotFound:
            continue
        yield item, design_of(record, store.rounds(record.id), workflows)
