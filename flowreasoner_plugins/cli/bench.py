"""``flowreasoner bench``: designers by benchmarks by workers, under equal conditions."""

from __future__ import annotations

import asyncio
import contextlib
import json
import platform
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flowreasoner import __version__
from flowreasoner.errors import FlowReasonerError, QueryError
from flowreasoner_plugins.cli import options
from flowreasoner_plugins.cli.command_line import chosen, command_line
from flowreasoner_plugins.cli.exits import INTERRUPTED, USAGE, Failure, usage_errors
from flowreasoner_plugins.cli.inputs import make_sandbox, uses_pair, weaker_than_jail

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from flowreasoner.comparison import ModelFor, Progress
    from flowreasoner_plugins.bench.plan import Cell, Settings
    from flowreasoner_plugins.manager import Plugins

__all__ = ["command"]


@click.command("bench", short_help="Compare designers on benchmarks.")
@click.argument("benchmarks", nargs=-1, required=True, metavar="BENCHMARK...")
@click.option(
    "-d",
    "--designer",
    "designers",
    multiple=True,
    default=("vanilla", "flowreasoner"),
    show_default="vanilla, flowreasoner",
    metavar="NAME",
    help="What is compared; a plugin's name, or a file.py with a fixed workflow. Several are given one by one.",
)
@click.option(
    "-w",
    "--worker",
    "workers",
    multiple=True,
    envvar="FLOWREASONER_WORKER",
    default=("embedded:",),
    show_default="embedded:",
    metavar="URI",
    help="Model that runs operators; several are compared apart.",
)
@options.meta_agent
@click.option(
    "--data", multiple=True, metavar="[NAME=]PATH", help="A benchmark's file or folder; without NAME for all of them."
)
@click.option("--first", type=click.IntRange(min=1), metavar="N", help="Only the first N queries of each benchmark.")
@options.tests_policy
@click.option("--seeds", type=click.IntRange(min=1), default=1, show_default=True, help="Attempts at each query.")
@click.option("--rounds", type=click.IntRange(min=1), default=10, show_default=True, help="Designs per query at most.")
@options.evaluations
@click.option("--no-early-stop", is_flag=True, help="Make all rounds, even after a perfect one.")
@options.max_calls
@click.option(
    "--fit-on",
    metavar="BENCHMARK",
    help="What methods are fitted on, where a benchmark has no training part of its own, or another is wanted.",
)
@click.option(
    "--fit-first", type=click.IntRange(min=1), metavar="N", help="Fit on the first N of those queries; else on all."
)
@click.option(
    "--fit-seeds",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    metavar="N",
    help="Fit each method N times, with other seeds; all of them try every query.",
)
@click.option(
    "--set",
    "method_settings",
    multiple=True,
    metavar="NAME.SETTING=VALUE",
    help="A setting of a method that is fitted, e.g. aflow.max_rounds=8.",
)
@click.option(
    "--small-models",
    "small",
    is_flag=True,
    help="Ask models as small as the embedded ones in the words and conversations that they know.",
)
@click.option("--miniature", is_flag=True, help="With table1: on the embedded models and the queries that they know.")
@options.budget_usd
@click.option(
    "--concurrency",
    type=click.IntRange(min=1),
    default=16,
    show_default=True,
    help="Attempts that ask models at a time.",
)
@options.sandbox
@click.option(
    "-o",
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("flowreasoner-bench"),
    show_default=True,
    metavar="DIR",
    help="Folder for everything; with the same one, the same command goes on where it was stopped.",
)
@options.as_json
@options.quiet
@click.pass_context
def command(ctx: click.Context, /, **given: Any) -> None:
    """Let designers solve the queries of each BENCHMARK with the same workers, and report who solves how many.

    The designers are flowreasoner, the workflows by hand that the paper compares it with (vanilla, cot, self-refine,
    llm-debate, llm-blender, aflow-seed), autoagents, those of plugins, and a workflow of your own in a file. The
    methods aflow, adas, maas and scoreflow are fitted first, on queries that are not tried. Answers count as right if
    they pass all hidden tests, which no designer sees. Unless --tests says how to divide them, a benchmark's own
    feedback tests are kept, or half of its tests become feedback.

    The word table1, in place of benchmarks, stands for all of the paper's Table 1: its benchmarks and its methods.
    With --miniature it needs two CPU cores and the extra train, and no endpoint. What it stands for is printed;
    further options change it.

    DIR gets results.jsonl with every attempt, summary.json, table.md, cost.png (with matplotlib), fits with what was
    fitted, and runs.sqlite with every completion and round. What is finished is never paid for twice.

    Ends with 0 when done, 2 on wrong usage, 3 when a model or the sandbox fails or the budget ends, 130 when
    interrupted.

    \b
    Examples:
      flowreasoner bench miniature --first 20 -d aflow-seed -d flowreasoner
      flowreasoner bench humaneval mbpp -d vanilla -d cot -d flowreasoner -w openai:gpt-4o-mini \\
          --meta-agent openai:o4-mini --seeds 3 --budget-usd 20 -o out
      flowreasoner bench mbpp --data sanitized-mbpp.json -d vanilla -d mine.py -w ollama:qwen2.5-coder
      flowreasoner bench mbpp-test -d aflow -d flowreasoner --set aflow.max_rounds=10 --fit-seeds 3 \\
          -w openai:gpt-4o-mini --meta-agent openai:o4-mini
      flowreasoner bench table1 --miniature --first 60 -o table1
    """
    from flowreasoner.store import Store

    plugins: Plugins = ctx.obj
    shown = {"command": command_line(ctx)}
    expanded = usage_errors(lambda: _expanded(ctx, plugins, given))
    if expanded:
        shown["stands_for"] = command_line(ctx, expanded | {"miniature": False})
        click.echo(f"that stands for: {shown['stands_for']}", err=True)
    given |= expanded
    settings, cells = usage_errors(lambda: _planned(plugins, given))
    from flowreasoner_plugins.bench.running import Bench  # needs what the plan has looked for

    out: Path = given["out"]
    quiet: bool = given["quiet"] or given["as_json"]
    try:
        out.mkdir(parents=True, exist_ok=True)
        with contextlib.closing(Store(out / "runs.sqlite")) as store:
            bench = Bench(
                plugins,
                settings,
                given["designers"],
                out,
                store,
                tier=given["sandbox"],
                concurrency=given["concurrency"],
                budget_usd=given["budget_usd"],
                progress=lambda name: _progress(name, quiet=quiet),
                tell=lambda line: None if quiet else click.echo(line, err=True),
            )
            summary = asyncio.run(bench.run(cells))
    except KeyboardInterrupt:
        raise Failure(f"interrupted; the same command goes on from what is in {out}", INTERRUPTED) from None
    except OSError as error:
        raise Failure(f"cannot use {str(out)!r}: {error.strerror}", USAGE) from None
    except FlowReasonerError as error:
        raise Failure.of(error) from None
    versions = {"flowreasoner": __version__, "python": platform.python_version()}
    summary = {**shown, "versions": versions, **summary}
    _write(out, summary)
    if given["as_json"]:
        click.echo(json.dumps(summary))
    else:
        _show(summary, out)


def _planned(plugins: Plugins, given: dict[str, Any]) -> tuple[Settings, list[Cell]]:
    from flowreasoner_plugins.bench.contenders import Unfitted, contenders_of, method_settings
    from flowreasoner_plugins.bench.plan import Settings, data_of, plan

    try:
        import flowreasoner.comparison.statistics  # noqa: F401
    except ImportError as error:
        raise QueryError(f'bench needs {error.name}: pip install "flowreasoner[benchmarks]"') from None
    settings = Settings(
        given["meta_agent"],
        given["rounds"],
        given["evaluations"],
        not given["no_early_stop"],
        given["tests"],
        first=given["first"],
        max_calls=given["max_calls"],
        seeds=given["seeds"],
        fit_on=given["fit_on"],
        fit_first=given["fit_first"],
        fit_seeds=given["fit_seeds"],
        small=given["small"],
        methods=method_settings(given["method_settings"]),
    )
    asks = False

    def meta_agent() -> ModelFor:
        nonlocal asks
        asks = True
        return lambda *_: NotImplemented

    contenders = contenders_of(given["designers"], plugins, settings, meta_agent)
    fits = any(isinstance(item, Unfitted) for item in contenders)
    data = data_of(given["data"], plugins)
    cells = plan(plugins, given["benchmarks"], given["workers"], data, settings, fits=fits)
    asyncio.run(_open(plugins, given, asks))
    if fits and not settings.small and uses_pair(settings.meta_agent, *given["workers"]):
        click.echo("the embedded models hardly understand these methods; --small-models asks in their words", err=True)
    return settings, cells


async def _open(plugins: Plugins, given: dict[str, Any], with_meta_agent: bool) -> None:
    """Opens models and sandbox once: what is wrong with one is better known before the first query is tried."""
    from flowreasoner_plugins.model_source import ModelSource

    priced = given["budget_usd"] is not None
    for uri in dict.fromkeys(given["workers"]):
        await ModelSource(uri, "worker", plugins, need_price=priced).aclose()
    if with_meta_agent:
        await ModelSource(given["meta_agent"], "meta_agent", plugins, need_price=priced).aclose()
    sandbox = make_sandbox(plugins, given["sandbox"])
    await sandbox.aclose()
    note = weaker_than_jail(given["sandbox"], sandbox)
    if note:
        click.echo(note, err=True)


def _progress(name: str, *, quiet: bool) -> AbstractContextManager[Progress]:
    from flowreasoner_plugins.bench.progress import LiveProgress, PrintedProgress

    if quiet:
        return contextlib.nullcontext(lambda *_: None)
    return LiveProgress(name) if sys.stderr.isatty() else PrintedProgress(name)


def _expanded(ctx: click.Context, plugins: Plugins, given: dict[str, Any]) -> dict[str, Any]:
    """Returns the parameters that the word table1 stands for, if it is given."""
    from flowreasoner_plugins.bench.table1 import stands_for

    return stands_for(given["benchmarks"], given, chosen(ctx), plugins, miniature=given["miniature"])


def _write(out: Path, summary: dict[str, Any]) -> None:
    """Writes summary, table and picture."""
    from flowreasoner_plugins.bench.tables import markdown

    try:
        (out / "summary.json").write_text(json.dumps(summary, indent=1) + "\n", encoding="utf-8")
        (out / "table.md").write_text(markdown(summary), encoding="utf-8")
        with contextlib.suppress(ImportError):
            from flowreasoner_plugins.bench.plots import draw

            draw(summary, out / "cost.png")
    except OSError as error:
        raise Failure(f"cannot write to {str(out)!r}: {error.strerror}", USAGE) from None


def _show(summary: dict[str, Any], out: Path) -> None:
    from rich.console import Console

    from flowreasoner_plugins.bench.tables import heading, pairs, terminal

    console = Console(soft_wrap=not sys.stdout.isatty())
    for cell in summary["cells"]:
        console.print(terminal(cell))
        for told in heading(cell):
            console.print(told, style="red" if told.startswith(("LEAKY", "SIMULATION")) else None, highlight=False)
        rows = pairs(cell)[1]
        for row in rows if len(rows) <= _MOST_PAIRS else ():  # more are for table.md
            console.print(f"  {row[0]}: {row[1]}, p {row[2]}, more often right on {row[3]} queries", highlight=False)
    click.echo(f"written: {', '.join(str(path) for path in sorted(out.iterdir()) if path.suffix in _TOLD)}")
    click.echo(f"to look at it: flowreasoner report {shlex.quote(str(out))}")


_MOST_PAIRS = 6
_TOLD = {".md", ".png", ".json"}
