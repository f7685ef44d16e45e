"""A bench's folder as what the page shows of it: its tables, its attempts, and as many designs as there is room for."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Any

from flowreasoner.errors import QueryError, StoreError
from flowreasoner_plugins.bench.tables import fittings, heading, pairs, results
from flowreasoner_plugins.cli.wording import model_name
from flowreasoner_plugins.report.attempts import journals, summary_of
from flowreasoner_plugins.report.behind import designs_of
from flowreasoner_plugins.report.texts import shown

if TYPE_CHECKING:
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
    attempts = [
        _attempt(journal, own, key, _simulated(journal, summary)) for journal in found for own in journal.outcomes
    ]
    notes = _notes(folder, has_summary=summary is not None, journals=found)
    try:
        designs = designs_of(folder / "runs.sqlite", attempts, workflows, most_bytes) if attempts else {}
    except StoreError as error:
        notes.append(f"The single designs are not here: {shown(str(error))}.")
        designs = {}
    for item in attempts:
        item["design"] = item["design"] if item["design"] in designs else None
    saying = cells if summary is not None else [*attempts, *designs.values()]
    return {
        "title": ", ".join(dict.fromkeys(own["benchmark"] for own in cells or attempts)) or shown(folder.name),
        "folder": shown(folder.name or str(folder)),
        "command": "" if summary is None else _command(str(summary.get("command", ""))),
        "cells": cells,
        "simulated": sorted({role for own in saying for role in own["simulated"]}),
        "leaky": any(own["leaky"] for own in (*attempts, *cells)),
        "notes": notes,
        "attempts": attempts,
        "store": shown(str(folder / "runs.sqlite")),
    }, designs


def _simulated(journal: Journal, summary: dict[str, Any] | None) -> list[str]:
    """Returns which models of a journal's attempts were simulated; without a summary, the worker's name tells."""
    for cell in () if summary is None else summary["cells"]:
        if (cell["benchmark"], cell["worker"]) == (journal.benchmark, journal.worker):
            return list(cell["simulated"])
    return ["worker"] if journal.worker.partition(":")[0] == "sim" else []


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
    fit_head, fit_rows = fittings(cell)
    # Figures tell which designers cost what; the tables are worded as the bench itself words them.
    return {
        "benchmark": shown(cell["benchmark"]),
        "worker": shown(model_name(cell["worker"])),
        "simulated": list(cell["simulated"]),
        "leaky": any(own["leaky"] for own in cell["designers"].values()),
        "told": [shown(text) for text in heading(cell)],
        "results": {"head": head, "rows": _shown_rows(rows)},
        "fitting": {"head": fit_head, "rows": _shown_rows(fit_rows)},
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


def _attempt(journal: Journal, own: Outcome, key: str, simulated: list[str]) -> dict[str, Any]:
    outcome = "passed" if own.passed >= 1 else "no answer" if own.error else "failed"
    return {
        "benchmark": shown(journal.benchmark),
        "worker": shown(model_name(journal.worker)),
        "designer": shown(own.contender),
        "query": shown(own.query),
        "fit": _fit(own.checkpoint),
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
        "simulated": simulated,
        "error": shown(own.error),
        "run": own.run,
        "design": f"{key}{own.run}" if own.run else None,
    }


def _fit(checkpoint: str) -> str:
    """Returns the seed that a fitted method's checkpoint names; empty for what is not fitted."""
    found = re.match(r"seed-(\d+)@", checkpoint)
    return found[1] if found else ""
