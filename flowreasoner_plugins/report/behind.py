"""The designs behind a bench's attempts, as many of them as there is room for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from flowreasoner.errors import RunNotFound
from flowreasoner.store import Store
from flowreasoner_plugins.report.designs import design_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from flowreasoner_plugins.report.workflows import Workflows

__all__ = ["designs_of"]


def designs_of(
    path: Path, attempts: list[dict[str, Any]], workflows: Workflows, most_bytes: int
) -> dict[str, dict[str, Any]]:
    """Returns the designs of attempts by the names that these call them: as many as there is room for.

    Args:
        path: The bench's store.
        attempts: All attempts; those that failed are taken first.
        workflows: Takes up the workflows of the designs.
        most_bytes: Room for designs.

    Raises:
        StoreError: If the store cannot be read.
    """
    order = sorted(attempts, key=lambda item: item["outcome"] == "passed")
    found: dict[str, dict[str, Any]] = {}
    with Store(path, readonly=True) as store:
        counted = len(workflows.listed)
        for item, design in _read(store, order, workflows):
            most_bytes -= len(json.dumps([design, workflows.listed[counted:]]))
            counted = len(workflows.listed)
            if most_bytes < 0:
                break
            found[item["design"]] = _within(item, design)
    return found


def _within(item: dict[str, Any], design: dict[str, Any]) -> dict[str, Any]:
    """Adds what only the bench knows of an attempt; one without an answer does not say itself what it was made with."""
    design |= {name: item[name] for name in ("benchmark", "error", "leaky")}
    if design["ended"]:
        return design
    asked = any(own["designing"]["asked"] for own in design["rounds"])
    simulated = [role for role in item["simulated"] if role == "worker" or asked]
    return design | {"models": design["models"] | {"worker": item["worker"]}, "simulated": simulated}


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
