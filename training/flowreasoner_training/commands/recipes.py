"""``flowreasoner recipes``: lists, shows, checks and plans recipes of trainings."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flowreasoner_plugins.cli import options
from flowreasoner_plugins.cli.exits import usage_errors
from flowreasoner_plugins.cli.wording import printable
from flowreasoner_training.commands.planning import print_plan
from flowreasoner_training.recipes.stages import STAGES, Assumptions

if TYPE_CHECKING:
    from flowreasoner_plugins.manager import Plugins

__all__ = ["command"]

_recipe = click.argument("recipe", metavar="RECIPE")


@click.group("recipes")
def command() -> None:
    """List, show, check and plan recipes of trainings.

    RECIPE is a name, a name with variants such as flowreasoner-7b+lora+4gpu, or a YAML file, which may say
    `extends: NAME` and then only what is different.

    \b
    Examples:
      flowreasoner recipes list
      flowreasoner recipes show flowreasoner-7b+lora
      flowreasoner recipes plan flowreasoner-7b+lora+4gpu
      flowreasoner recipes check my.yaml
    """


@command.command("list")
@options.as_json
def list_recipes(as_json: bool) -> None:
    """List the recipes that come with the package, and their variants."""
    from flowreasoner_training.recipes.loading import describe, recipe_names, variant_names

    kinds = {
        kind: {name: describe(name) for name in names}
        for kind, names in (("recipes", recipe_names()), ("variants", variant_names()))
    }
    if as_json:
        click.echo(json.dumps(kinds))
        return
    for kind, named in kinds.items():
        click.echo("recipes" if kind == "recipes" else "\nvariants, added to a recipe's name with +")
        for name, description in named.items():
            click.echo(f"  {name:<18}{description}")


@command.command("show")
@_recipe
@options.as_json
def show(recipe: str, as_json: bool) -> None:
    """Show every setting of a recipe, defaults included, as a recipe file."""
    import yaml

    from flowreasoner_training.recipes import load_recipe

    value: dict[str, Any] = usage_errors(lambda: load_recipe(recipe)).model_dump(mode="json")
    text = json.dumps(value) if as_json else yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=120)
    click.echo(printable(text).rstrip())


@command.command("check")
@_recipe
@click.pass_obj
def check(plugins: Plugins, recipe: str) -> None:
    """Check a recipe, and that all it names is there: benchmark, data, reward terms, models."""
    from flowreasoner_training.recipes import load_recipe

    loaded = usage_errors(lambda: load_recipe(recipe, plugins))
    click.echo(f"{printable(loaded.name)}: no problem found")


@command.command("plan")
@_recipe
@click.option("--stage", "stages", type=click.Choice(STAGES), multiple=True, help="Only this stage; can be repeated.")
@click.option(
    "--calls-per-run",
    type=click.FloatRange(min=0, min_open=True),
    default=Assumptions().calls_per_run,
    help="Worker calls of one run of a workflow, on average.",
    show_default=True,
)
@click.option(
    "--write",
    "folder",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Write accelerate's configuration there.",
)
@options.as_json
@click.pass_obj
def plan(plugins: Plugins, /, recipe: str, **given: Any) -> None:
    """Print what a training comes to: steps, rollouts, tokens, calls, dollars, memory per GPU, and the commands.

    Nothing is started. Ends with 0 if it fits into the memory, 1 if not.
    """
    from flowreasoner_training.recipes import load_recipe

    loaded = usage_errors(lambda: load_recipe(recipe))
    stages = tuple(stage for stage in STAGES if stage in given["stages"]) or STAGES
    assumed = replace(Assumptions.of(loaded), calls_per_run=given["calls_per_run"])
    raise SystemExit(print_plan(recipe, loaded, plugins, stages, assumed, given["folder"], as_json=given["as_json"]))
