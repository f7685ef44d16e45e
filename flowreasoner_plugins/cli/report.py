"""``flowreasoner report``: runs and benches as a page to look at."""

from __future__ import annotations

import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING

import click

from flowreasoner.errors import FlowReasonerError
from flowreasoner_plugins.cli import options
from flowreasoner_plugins.cli.exits import USAGE, Failure
from flowreasoner_plugins.cli.wording import one_line

if TYPE_CHECKING:
    from flowreasoner_plugins.manager import Plugins

__all__ = ["command"]


@click.command("report", short_help="Make a page of runs or a bench to look at.")
@click.argument("runs", nargs=-1, metavar="[RUN]...")
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path),
    default=Path("report.html"),
    show_default=True,
    metavar="FILE",
    help="Where the page is written.",
)
@click.option("--open", "show", is_flag=True, help="Open the page in the browser.")
@options.store
@click.pass_obj
def command(plugins: Plugins, /, runs: tuple[str, ...], out: Path, show: bool, store: str | None) -> None:
    """Write one HTML file that shows each RUN, and needs no network and no other file.

    RUN is a run's id, the start of it, or `last`, which is the default; or a folder that `flowreasoner bench` wrote.
    The page has, of a design, every round with its workflow as a graph, the calls that ran, tests, changes and costs;
    of a bench, its tables and all attempts, with the designs behind them. Texts of models cannot run or load anything
    in it.

    \b
    Examples:
      flowreasoner report
      flowreasoner report 20260102-1504 --open
      flowreasoner report flowreasoner-bench -o bench.html

    Ends with 0 when written, 2 on wrong usage, 3 when the store cannot be read.
    """
    from flowreasoner.store import default_store_path
    from flowreasoner_plugins.report.contents import contents
    from flowreasoner_plugins.report.page import render

    try:
        page = render(contents(runs or ("last",), Path(store or default_store_path()), plugins.operators))
    except FlowReasonerError as error:
        raise Failure.of(error) from None
    try:
        written = out.write_text(page, encoding="utf-8", newline="\n")
    except OSError as error:
        raise Failure(f"cannot write {str(out)!r}: {error.strerror}; give -o another file", USAGE) from None
    click.echo(one_line(f"written: {out} ({_size(written)})"))
    if show:
        webbrowser.open(out.resolve().as_uri())


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{max(1, count // 1000)} kB"
