"""Options that several commands share."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import click

from flowreasoner_plugins.cli.config import FromConfig
from flowreasoner_plugins.cli.exits import USAGE, Failure

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "as_json",
    "budget_usd",
    "check",
    "check_dir",
    "data",
    "evaluations",
    "max_calls",
    "meta_agent",
    "metric",
    "quiet",
    "sandbox",
    "seed",
    "store",
    "tests_policy",
    "worker",
]


def _option(*names: str, **settings: Any) -> Callable[[Any], Any]:
    return click.option(*names, cls=FromConfig, show_envvar=True, **settings)


def _above_zero(_: click.Context, option: click.Parameter, value: float | None) -> float | None:
    if value is not None and not 0 < value < math.inf:
        raise Failure(f"{option.opts[0]} must be above 0, got {value:g}; leave it out for no limit", USAGE)
    return value


def _not_empty(_: click.Context, option: click.Parameter, value: str | None) -> str | None:
    if value is not None and not value.strip():
        raise Failure(f"{option.opts[0]} is empty; give a command, or leave it out", USAGE)
    return value


as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object on standard output.")
quiet = click.option("-q", "--quiet", is_flag=True, help="Show no progress.")
meta_agent = _option(
    "--meta-agent",
    envvar="FLOWREASONER_META_AGENT",
    default="embedded:",
    metavar="URI",
    help="Model that designs workflows, e.g. openai:o4-mini; embedded: is a tiny one that comes with this package.",
    show_default=True,
)
metric = click.option("--metric", metavar="NAME", help="Judge answers by a plugin's metric.")
worker = _option(
    "--worker",
    envvar="FLOWREASONER_WORKER",
    default="embedded:",
    metavar="URI",
    help="Model that runs operators, e.g. openai:gpt-4o-mini or ollama:qwen2.5-coder; embedded: is a tiny one that "
    "comes with this package.",
    show_default=True,
)
evaluations = _option(
    "--evaluations",
    envvar="FLOWREASONER_EVALUATIONS",
    type=click.IntRange(min=1),
    default=3,
    help="Runs of each workflow.",
    show_default=True,
)
seed = _option(
    "--seed",
    envvar="FLOWREASONER_SEED",
    type=int,
    default=0,
    help="Another seed repeats everything with new draws.",
    show_default=True,
)
store = _option(
    "--store",
    envvar="FLOWREASONER_STORE",
    metavar="FILE",
    help="Run store.  [default: in the user's data folder]",
)
sandbox = _option(
    "--sandbox",
    envvar="FLOWREASONER_SANDBOX",
    default="best",
    metavar="TIER",
    help="Where code runs: best, none, or a tier that `flowreasoner doctor` lists.",
    show_default=True,
)
budget_usd = _option(
    "--budget-usd",
    envvar="FLOWREASONER_BUDGET_USD",
    type=float,
    callback=_above_zero,
    metavar="USD",
    help="Dollars that the whole design may cost.",
)
max_calls = _option(
    "--max-calls",
    envvar="FLOWREASONER_MAX_CALLS",
    type=click.IntRange(min=1),
    default=64,
    metavar="N",
    help="Operator calls that one run of a workflow may make.",
    show_default=True,
)
check = click.option(
    "--check",
    callback=_not_empty,
    metavar="COMMAND",
    help="Judge answers by a shell command, run in a folder that holds the answer as solution.py and is on "
    "PYTHONPATH; exit code 0 passes.",
)
check_dir = click.option(
    "--check-dir",
    type=click.Path(exists=True, file_okay=False, path_type=str),
    metavar="FOLDER",
    help="Folder whose content is copied beside the answer for --check, which sees no other files of yours.",
)
data = click.option(
    "--data", type=click.Path(path_type=str), metavar="PATH", help="The benchmark's file, for QUERY = benchmark:task."
)
tests_policy = click.option(
    "--tests",
    type=click.Choice(["public", "split", "all"]),
    help="Divide the tests: public uses the problem's examples as feedback, split a share of the tests, "
    "all every test (leaky, and labelled so).",
)
