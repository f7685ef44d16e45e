"""``flowreasoner runs``: what the store holds."""

from __future__ import annotations

import contextlib
import json
import time
from typing import TYPE_CHECKING, Any

import click

from flowreasoner.errors import StoreError
from flowreasoner_plugins.cli import options
from flowreasoner_plugins.cli.exits import Failure
from flowreasoner_plugins.cli.wording import one_line

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


def _open(path: str | None) -> Store:
    from flowreasoner.store import Store, default_store_path

    try:
        return Store(path or default_store_path())
    except StoreError as error:
        raise Failure.of(error) from None


@command.command("list")
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="Runs at most.")
@options.store
@options.as_json
def list_runs(limit: int, store: str | None, as_json: bool) -> None:
    """List the latest runs, newest first."""
    with contextlib.closing(_open(store)) as opened:
        records = opened.runs(limit)
    if as_json:
        click.echo(json.dumps([_summary(record) for record in records]))
    elif not records:
        click.echo("no runs yet; `flowreasoner solve demo:spiral-walk` makes one")
    else:
        _print_list(records)


@command.command("show")
@click.argument("run", default="last")
@options.store
@options.as_json
def show_run(run: str, store: str | None, as_json: bool) -> None:
    """Show a run, by its id, the start of it, or `last`."""
    with contextlib.closing(_open(store)) as opened:
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
        what = one_line(item["modification"]) or "refused"
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

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("run", "started", "status", "rounds", "score", "query"):
        table.add_column(name, overflow="fold" if name == "run" else "ellipsis", no_wrap=name != "query")
    for record in records:
        score = "" if record.result is None else f"{record.result['score']:.2f}"
        started = time.strftime("%Y-%m-%d %H:%M", time.localtime(record.created))
        table.add_row(record.id, started, record.status, str(record.rounds), score, Text(one_line(record.title)))
    Console(highlight=False).print(table)
