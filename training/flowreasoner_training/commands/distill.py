"""``flowreasoner distill``: a teacher designs workflows for queries; the good runs become training data."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flowreasoner.errors import FlowReasonerError
from flowreasoner_plugins.cli.exits import FAILED, INTERRUPTED, OK, Failure, usage_errors
from flowreasoner_plugins.cli.options import as_json, budget_usd, quiet
from flowreasoner_plugins.cli.wording import clock, money, one_line, price

if TYPE_CHECKING:
    from flowreasoner.query import Query
    from flowreasoner_plugins.manager import Plugins
    from flowreasoner_training.distill import Distillation, DistillProgress
    from flowreasoner_training.recipes.schema import Recipe

__all__ = ["command"]


@click.command("distill", short_help="Distill design runs of a teacher into training data.")
@click.argument("recipe")
@click.option("--out", required=True, type=click.Path(path_type=Path), metavar="DIR", help="Folder for everything.")
@click.option("--teacher", metavar="URI", help="Model that designs workflows.  [default: the recipe's]")
@click.option("--worker", metavar="URI", help="Model that runs operators.  [default: the recipe's]")
@click.option("--count", type=click.IntRange(min=1), metavar="N", help="Queries at most.  [default: the recipe's]")
@budget_usd
@click.option("--parquet", is_flag=True, help="Write trajectories.parquet, too.")
@as_json
@quiet
@click.pass_obj
def command(plugins: Plugins, /, **given: Any) -> None:
    """Have a teacher design workflows for the queries of RECIPE, and keep the good runs as training data.

    RECIPE is a name that `flowreasoner recipes list` shows, or a file. DIR gets trajectories.jsonl, a data card
    (card.md, card.json), and the folder llamafactory, which LLaMA-Factory trains on as it is.

    Everything finished is stored at once. When DIR holds a run that was interrupted, killed, or ended by the
    budget, the same command goes on with it, without asking a model twice.

    \b
    Examples:
      flowreasoner distill flowreasoner-7b --out data --count 20 --budget-usd 5
      flowreasoner distill recipe.yaml --out data --teacher sim: --worker sim: --json

    \b
    Ends with 0 when trajectories were kept, 1 when none were, 2 on wrong usage, 3 when a model, the sandbox or
    the store fails, and 130 when interrupted.
    """
    recipe = usage_errors(lambda: _recipe(given))
    queries = usage_errors(lambda: _queries(recipe, plugins))
    try:
        result = asyncio.run(_distill(recipe, queries, plugins, given))
    except KeyboardInterrupt:
        raise Failure("interrupted; the same command goes on where it stopped", INTERRUPTED) from None
    except FlowReasonerError as error:
        raise Failure.of(error) from None
    click.echo(json.dumps(result.to_json()) if given["as_json"] else _shown(result))
    raise SystemExit(OK if result.kept else FAILED)


def _recipe(given: dict[str, Any]) -> Recipe:
    """Loads the recipe, and puts what was given on the command line into it."""
    from flowreasoner_training.recipes import load_recipe

    recipe: Recipe = load_recipe(given["recipe"])
    changes = {
        "queries": {"count": given["count"]},
        "distill": {"teacher": given["teacher"], "budget_usd": given["budget_usd"]},
        "worker": {"model": given["worker"]},
    }
    for section, values in changes.items():
        known = {name: value for name, value in values.items() if value is not None}
        recipe = recipe.model_copy(update={section: getattr(recipe, section).model_copy(update=known)})
    return recipe


def _queries(recipe: Recipe, plugins: Plugins) -> list[Query]:
    from flowreasoner_training.queries import training_queries

    return training_queries(recipe, plugins)


async def _distill(recipe: Recipe, queries: list[Query], plugins: Plugins, given: dict[str, Any]) -> Distillation:
    from flowreasoner_training.distill import distill

    def report(progress: DistillProgress) -> None:
        if not given["quiet"]:
            click.echo(_line(progress), err=True)

    return await distill(recipe, queries, given["out"], plugins=plugins, parquet=given["parquet"], report=report)


def _line(progress: DistillProgress) -> str:
    left = f", about {clock(progress.seconds_left)} left" if progress.seconds_left >= 1 else ""
    return one_line(
        f"{progress.done}/{progress.total} {progress.job}: {progress.outcome}; {progress.kept} kept, "
        f"{money(progress.usd)}{left}"
    )


def _shown(result: Distillation) -> str:
    rejected = ", ".join(f"{count} {reason}" for reason, count in result.rejected.items())
    lines = [
        f"{result.kept} trajectories kept of {result.made} design runs{f' (rejected: {rejected})' if rejected else ''}",
        f"cost: {price(result.cost.usd, result.cost.unpriced_calls)}, {result.cost.model_calls} model calls",
        f"wrote {result.data}, with its card and a LLaMA-Factory dataset beside it",
    ]
    left = result.total - result.made
    if left:
        why = "the budget is spent: raise --budget-usd" if result.stopped == "budget" else "a model failed them"
        lines.append(f"{left} of {result.total} design runs are not finished ({why}); the same command goes on")
    return "\n".join(lines)
