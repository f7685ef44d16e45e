"""``flowreasoner runs``: what the store holds."""

from __future__ import annotations

import contextlib
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flowreasoner.errors import StoreError
from flowreasoner_plugins.cli import options
from flowreasoner_plugins.cli.exits import USAGE, Failure
from flowreasoner_plugins.cli.wording import one_line, told

if TYPE_CHECKING:
    from flowreasoner.store import RunRecord, Store

__all__ = ["command"]


@click.group("runs", short_help="List and show stored runs.")
def command() -> None:
    """List and show stored runs.

    \b
    Examples:
      flowreasoner runs list
      flowreasoner runs show last
    """


def _open(path: str | None) -> Store | None:
    """Opens the store to look at it; None where there is none yet."""
    from flowreasoner.store import Store, default_store_path

    place = Path(path or default_store_path())
    try:
        return Store(place, readonly=True) if place.exists() else None
    except StoreError as error:
        raise Failure.of(error) from None


@command.command("list")
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="Runs at most.")
@options.store
@options.as_json
def list_runs(limit: int, store: str | None, as_json: bool) -> None:
    """List the latest runs, newest first."""
    found = _open(store)
    records: list[RunRecord] = []
    if found is not None:
        with contextlib.closing(found) as opened:
            records = opened.runs(limit)
    if as_json:
        click.echo(json.dumps([_summary(record) for record in records]))
    elif not records:
        from flowreasoner.store import default_store_path

        click.echo(f"no runs in {store or default_store_path()}; `flowreasoner solve demo:spiral-walk` makes one")
    else:
        _print_list(records)


@command.command("show")
@click.argument("run", default="last")
@options.store
@options.as_json
def show_run(run: str, store: str | None, as_json: bool) -> None:
    """Show a run, by its id, the start of it, or `last`."""
    found = _open(store)
    if found is None:
        raise Failure(f"no run matches {run!r}: there is no run store yet; `flowreasoner solve` makes one", USAGE)
    with contextlib.closing(found) as opened:
        try:
            record = opened.run(run)
            rounds = opened.rounds(record.id)
        except StoreError as error:
            raise Failure.of(error) from None
    if as_json:
        click.echo(
            json.dumps({**_summary(record), "settings": record.settings, "result": record.result, "rounds": rounds})
        )
        return
    click.echo(f"run {record.id}: {record.status}, {one_line(record.title)}")
    for name in ("meta_agent", "worker", "rounds", "evaluations", "seed"):
        click.echo(f"  {name}: {record.settings.get(name)}")
    if record.result is not None:
        from flowreasoner_plugins.cli.render import print_design

        print_design(record.result)
        return
    for item in rounds:
        what = told(item["modification"], valid=bool(item["feedback"]["evaluations"]))
        click.echo(f"  round {item['number']}: score {item['feedback']['score']:.2f}: {what}")
    click.echo(f"go on with: flowreasoner solve --resume {record.id}")


def _summary(record: RunRecord) -> dict[str, Any]:
    score = None if record.result is None else record.result["score"]
    return {
        "id": record.id,
        "created": record.created,
        "status": record.status,
        "title": record.title,
        "rounds": record.rounds,
        "score": score,
    }


def _print_list(records: list[RunRecord]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False, width=None if sys.stdout.isatty() else 160)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for name in ("run", "status", "rounds", "score", "query"):
        # What is left of the line is the query's; the other columns are never squeezed for it.
        table.add_column(name, no_wrap=name != "query", min_width=20 if name == "run" else None)
    for record in records:
        score = "" if record.result is None else f"{record.result['score']:.2f}"
        title = Text(one_line(record.title), no_wrap=True, overflow="ellipsis")
        table.add_row(record.id, record.status, str(record.rounds), score, title)
    console.print(table)
