"""The model card and reproduction log of a checkpoint, written from facts: files, logs and results."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from flowreasoner.errors import QueryError
from flowreasoner_plugins.bench.tables import table
from flowreasoner_training.nano.logs import read_log
from flowreasoner_training.nano.tables import results_table
from flowreasoner_training.nano.weights import file_hash, weights_hash

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

__all__ = ["ModelFacts", "Stage", "render_card"]


@dataclass(frozen=True)
class Stage:
    """One stage of the training.

    Attributes:
        name: What it does, e.g. ``SFT (§4.1, Eq. 2)``.
        command: The command that ran it, as typed; empty if there is none that runs it again.
        seed: Seed of its draws.
        data: Files that it was trained on.
        log: Its ``log.jsonl``, if it kept one.
    """

    name: str
    command: str
    seed: int
    data: tuple[Path, ...] = ()
    log: Path | None = None


@dataclass(frozen=True)
class ModelFacts:
    """What the card says of one of the models.

    Attributes:
        title: E.g. ``Worker``.
        folder: The checkpoint.
        task: What it reads and writes, in a sentence.
        parameters: How many.
        stages: How it was made, in order.
    """

    title: str
    folder: Path
    task: str
    parameters: int
    stages: tuple[Stage, ...] = field(default=())


_HEAD = """\
# Model card: {name}

{summary}

Licence: Apache-2.0, weights and data alike. Both were made by this project's own code, from random numbers: no text or
weights of others are in them.
"""


def render_card(
    name: str,
    summary: str,
    models: Iterable[ModelFacts],
    limits: Sequence[str],
    results: Mapping[str, Any] | None = None,
    departures: str = "",
) -> str:
    """Returns the card as Markdown.

    Args:
        name: Name of the models.
        summary: What they are for, in a sentence or two.
        models: The models; sizes and hashes are read from their folders.
        limits: What they cannot do, a sentence each.
        results: What `benchmarks/miniature.py` wrote, for the table of results.
        departures: How the making differed from what the recipe says.

    Raises:
        QueryError: If a file that is named is missing, or a folder holds no weights.
    """
    parts = [_HEAD.format(name=name, summary=summary)]
    parts += [_model(facts) for facts in models]
    if departures:
        parts += ["## How these weights differ from the recipe's\n", f"{departures}\n"]
    if results is not None:
        count, seeds = results["summary"]["queries"], results["summary"]["seeds"]
        told = f"On {count} held-out queries, {seeds} attempts each; brackets are 95 % intervals.\n"
        parts += ["## Evaluation\n", told, f"```sh\n{results['command']}\n```\n", results_table(results["summary"])]
    parts += ["## Limits\n", "\n".join(f"- {limit}" for limit in limits) + "\n"]
    return "\n".join(parts)


def _model(facts: ModelFacts) -> str:
    size = sum(path.stat().st_size for path in facts.folder.iterdir() if path.is_file())
    rows = [
        ["parameters", f"{facts.parameters:,}"],
        ["size of the folder", f"{size / 1e6:.1f} MB"],
        ["weights, SHA-256", f"`{weights_hash(facts.folder)}`"],
    ]
    parts = [f"## {facts.title}\n", f"{facts.task}\n", table(["fact", "value"], rows)]
    return "\n".join([*parts, *(_stage(number, stage) for number, stage in enumerate(facts.stages, 1))])


def _stage(number: int, stage: Stage) -> str:
    parts = [f"### {number}. {stage.name}\n", *([f"```sh\n{stage.command}\n```\n"] if stage.command else [])]
    facts = [f"Seed {stage.seed}."]
    for path in stage.data:
        if not path.is_file():
            raise QueryError(f"there is no file {str(path)!r}, which the card is to name as data")
        count = path.read_bytes().count(b"\n") if path.suffix == ".jsonl" else None
        lines = "" if count is None else f", {count:,} records"
        facts.append(f"Data: `{path.name}`{lines}, SHA-256 `{file_hash(path)}`.")
    return "\n".join([*parts, " ".join(facts) + "\n", *([_log(stage.log)] if stage.log is not None else [])])


def _log(path: Path) -> str:
    """Returns the first and last values of what a log keeps, and how long the training took."""
    steps = read_log(path)
    seconds = sum(step.get("seconds", 0.0) for step in steps)
    took = f", {seconds / 60:.1f} min" if seconds else ""
    told = (
        f"{len(steps)} logged steps up to step {steps[-1]['step']:.0f}{took}; the log's SHA-256 is `{file_hash(path)}`."
    )
    rows = []
    for key in _LOGGED:
        values = [step[key] for step in steps if key in step]
        if values:
            edge = max(1, len(values) // 10)
            first, last = (sum(part) / len(part) for part in (values[:edge], values[-edge:]))
            rows.append([key, f"{first:.4g}", f"{last:.4g}"])
    head = ["logged", "mean of the first tenth", "mean of the last tenth"]
    return "\n".join([f"{told}\n", *([table(head, rows)] if rows else [])])


_LOGGED = ("loss", "mean_token_accuracy", "reward", "score", "valid", "kl", "calls", "advantage_mean", "advantage_std")
