"""``flowreasoner export``: a workflow as source files for a framework."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from flowreasoner.errors import FlowReasonerError, WorkflowInvalid
from flowreasoner_plugins.cli.exits import FAILED, USAGE, Failure
from flowreasoner_plugins.cli.inputs import check_workflow_file

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flowreasoner_plugins.manager import Plugins

__all__ = ["command"]


@click.command("export", short_help="Write a workflow as source for a framework.")
@click.argument("workflow", metavar="WORKFLOW", type=click.Path(path_type=Path))
@click.option(
    "--to",
    "backend",
    default="aflow",
    show_default=True,
    metavar="NAME",
    help="Target framework: aflow, langgraph, dspy, or a plugin's.",
)
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="Folder to write to, or a .py file where the framework takes one file.  [default: print]",
)
@click.pass_obj
def command(plugins: Plugins, workflow: Path, backend: str, out: Path | None) -> None:
    """Write a workflow file as readable source for a target framework, to keep and edit.

    \b
    Examples:
      flowreasoner export graph.py
      flowreasoner export out/graph.py --to aflow -o round_1
      flowreasoner export graph.py --to langgraph -o my_graph.py
      flowreasoner export graph.py --to dspy -o my_program.py
    """
    try:
        chosen = plugins.pick("backends", backend)()
        report = check_workflow_file(workflow, plugins)
        if report.workflow is None:
            problem = next(item for item in report.diagnostics if item.severity == "error")
            raise Failure(f"{workflow}: {problem}", FAILED)
        files = chosen.source(report.workflow)
        _write(files, out)
    except WorkflowInvalid as error:  # the framework cannot express it
        raise Failure(f"{workflow}: {error}", FAILED) from None
    except FlowReasonerError as error:
        raise Failure(str(error), USAGE) from None


def _write(files: Mapping[str, str], out: Path | None) -> None:
    if out is None:
        for name, text in files.items():
            click.echo(f"# {name}\n{text}" if len(files) > 1 else text)
        return
    one_file = out.suffix == ".py" and not out.is_dir()
    if one_file and len(files) > 1:
        raise Failure(f"{str(out)!r} is one file, and this framework takes {', '.join(files)}: give a folder", USAGE)
    for name, text in files.items():
        path = out if one_file else out / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise Failure(f"cannot write {str(path)!r}: {error.strerror}", USAGE) from None
        click.echo(f"wrote {path}")
