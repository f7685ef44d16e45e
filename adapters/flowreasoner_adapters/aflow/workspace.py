"""Writes AFlow's files: rounds, templates, results, logs. Each is complete or absent, whenever the process ends."""

from __future__ import annotations

import csv
import io
import json
import os
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flowreasoner.errors import StoreError, WorkflowInvalid
from flowreasoner.operators import REQUIRED
from flowreasoner_adapters.aflow.source import TAKEN, round_source

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from flowreasoner.operators import Operator
    from flowreasoner.workflow import Diagnostic, Workflow
    from flowreasoner_adapters.aflow.source import Layout

__all__ = [
    "interface",
    "write_evaluation",
    "write_json",
    "write_refused",
    "write_round",
    "write_template",
    "write_text",
]


def write_text(path: Path, text: str) -> None:
    """Writes a file so that it has its old or its new content at any moment, and its folder if need be.

    Raises:
        StoreError: If it cannot be written.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(text, encoding="utf-8", errors="replace")
        part.replace(path)
    except OSError as error:
        raise StoreError(f"cannot write {str(path)!r}: {error.strerror or error}") from None


def write_json(path: Path, value: Any) -> None:
    """Writes a JSON file as AFlow does, indented."""
    write_text(path, json.dumps(value, indent=4, ensure_ascii=False, default=str))


def write_round(
    folder: Path, workflow: Workflow, *, layout: Layout = "portable", dataset: str = "HumanEval", number: int = 1
) -> Path:
    """Writes ``graph.py``, ``prompt.py`` and ``__init__.py`` into the folder of a round.

    A workflow that AFlow's own operators cannot express is written with FlowReasoner's, and says so at its top.

    Args:
        folder: The round's folder, e.g. ``workspace/HumanEval/workflows/round_1``.
        workflow: What to write.
        layout: Which imports it has; see `Layout`.
        dataset: AFlow's name of the data set.
        number: The round's number.

    Returns:
        The folder.

    Raises:
        WorkflowInvalid: If AFlow cannot express it at all.
        StoreError: If a file cannot be written.
    """
    try:
        files = round_source(workflow, layout=layout, dataset=dataset, number=number)
    except WorkflowInvalid:
        files = round_source(workflow, layout=layout, dataset=dataset, number=number, operators="flowreasoner")
    for name, text in files.items():
        write_text(folder / name, text)
    return folder


def write_refused(folder: Path, graph: str, prompt: str, diagnostics: Iterable[Diagnostic]) -> None:
    """Writes down a workflow that was refused, as a comment: the text is a model's, and nobody may run it."""
    lines = ["refused:", *(str(item) for item in diagnostics), "", *graph.splitlines(), "", *prompt.splitlines()]
    commented = "".join(f"# {line}".rstrip() + "\n" for text in lines for line in text.splitlines() or [""])
    write_text(folder / "graph.py", commented)
    write_text(folder / "prompt.py", "")
    write_text(folder / "__init__.py", "")


def interface(operator: Operator) -> str:
    """Returns an operator's call in AFlow's notation, with the arguments that AFlow's operator takes."""
    taken = TAKEN.get(operator.name)
    inputs = [item for item in operator.inputs if taken is None or item.name in taken.split()]
    arguments = ", ".join(
        f"{item.name}: {item.kind.python_type}"
        + ("" if item.default is REQUIRED or item.name == "problem" else f" = {item.default!r}")
        for item in inputs
    )
    keys = " and key ".join(f"'{item.name}' of type {item.kind.python_type}" for item in operator.outputs)
    return f"{operator.attribute}({arguments}) -> dict with key {keys}"


def write_template(folder: Path, operators: Iterable[Operator]) -> None:
    """Writes ``operator.json``, which describes the operators to the meta-agent.

    Args:
        folder: E.g. ``workspace/HumanEval/workflows/template``.
        operators: What workflows may use.

    Raises:
        StoreError: If it cannot be written.
    """
    described = {item.name: {"description": item.description, "interface": interface(item)} for item in operators}
    write_json(folder / "operator.json", described)


def write_evaluation(folder: Path, columns: Sequence[str], rows: Sequence[Sequence[Any]], score: float) -> Path:
    """Writes the results of one evaluation, ``<score>_<time>.csv``, beside those that are there.

    Returns:
        The file.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    stem = f"{score:.5f}_{datetime.now():%Y%m%d_%H%M%S}"
    path, again = folder / f"{stem}.csv", 1
    while path.exists():  # two within a second
        again += 1
        path = folder / f"{stem}_{again}.csv"
    write_text(path, text.getvalue())
    return path
