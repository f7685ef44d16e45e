"""``flowreasoner export``: a workflow as source files for a framework."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from flowreasoner.errors import FlowReasonerError
from flowreasoner_plugins.cli.exits import FAILED, USAGE, Failure
from flowreasoner_plugins.cli.inputs import check_workflow_file

if TYPE_CHECKING:
    from flowreasoner_plugins.manager import Plugins

__all__ = ["command"]


@click.command("export", short_help="Write a workflow as source for a framework.")
@click.argument("workflow", metavar="WORKFLOW", type=click.Path(path_type=Path))
@click.option("--to", "backend", default="aflow", show_default=True, metavar="NAME", help="Target framework.")
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), metavar="DIR", help="Folder to write to.  [default: print]"
)
@click.pass_obj
def command(plugins: Plugins, workflow: Path, backend: str, out: Path | None) -> None:
    """Write a workflow file as readable source for a target framework.

    \b
    Examples:
      flowreasoner export graph.py
      flowreasoner export out/graph.py --to aflow -o round_1
    """
    try:
        chosen = plugins.pick("backends", backend)()
        report = check_workflow_file(workflow, plugins)
        if report.workflow is None:
            problem = next(item for item in report.diagnostics if item.severity == "error")
            raise Failure(f"{workflow}: {problem}", FAILED)
        files = chosen.source(report.workflow)
        _write(files, out)
    except FlowReasonerError as error:
        raise Failure(str(error), USAGE) from None


def _write(files: dict[str, str], out: Path | None) -> None:
    for name, text in files.items():
        if out is None:
            click.echo(f"# {name}\n{text}" if len(files) > 1 else text)
            continue
        try:
            out.mkdir(parents=True, exist_ok=True)
            (out / name).write_text(text, encoding="utf-8")
        except OSError as error:
            raise Failure(f"cannot write {str(out / name)!r}: {error.strerror}", USAGE) from None
        click.echo(f"wrote {out / name}")
