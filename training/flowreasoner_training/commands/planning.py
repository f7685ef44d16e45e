"""Prints plans: for ``flowreasoner recipes plan`` and for ``--dry-run`` of the commands that train."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from flowreasoner_plugins.cli.exits import FAILED, INFRASTRUCTURE, OK, Failure, usage_errors
from flowreasoner_plugins.cli.wording import printable
from flowreasoner_training.recipes import load_recipe
from flowreasoner_training.recipes.launch import CONFIG, accelerate_config, launch_commands
from flowreasoner_training.recipes.plan import make_plan
from flowreasoner_training.recipes.shown import shown_plan

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from flowreasoner_plugins.manager import Plugins
    from flowreasoner_training.recipes.schema import Recipe
    from flowreasoner_training.recipes.stages import Assumptions, StageName

__all__ = ["dry_run", "print_plan"]

_OPTIONS = {
    "count": ("queries", "count"),
    "max_steps": ("grpo", "max_steps"),
    "teacher": ("distill", "teacher"),
    "worker": ("worker", "model"),
}


def dry_run(ctx: click.Context, stages: tuple[StageName, ...]) -> None:
    """Prints the plan of a command that trains, by the arguments that it was given.

    Args:
        ctx: Of the command; its arguments hold the recipe, and perhaps ``--json``.
        stages: What the command runs.

    Raises:
        SystemExit: With 0, or 1 if it does not fit into the memory.
    """
    given = str(ctx.params["recipe"])
    plugins: Plugins = ctx.obj
    recipe = _changed(usage_errors(lambda: load_recipe(given)), ctx.params)
    raise SystemExit(print_plan(given, recipe, plugins, stages, as_json=bool(ctx.params.get("as_json"))))


def _changed(recipe: Recipe, params: Mapping[str, Any]) -> Recipe:
    """Returns a recipe with what a command's options say otherwise."""
    for option, (section, key) in _OPTIONS.items():
        value = params.get(option)
        if value is not None:
            part = getattr(recipe, section).model_copy(update={key: value})
            recipe = recipe.model_copy(update={section: part})
    return recipe


def print_plan(
    given: str,
    recipe: Recipe,
    plugins: Plugins,
    stages: tuple[StageName, ...],
    assumptions: Assumptions | None = None,
    folder: Path | None = None,
    *,
    as_json: bool = False,
) -> int:
    """Prints the plan of some stages.

    Args:
        given: The recipe as it was named.
        recipe: The recipe.
        plugins: Where benchmarks come from.
        stages: Which stages.
        assumptions: What is not known before.
        folder: Where accelerate's configuration is written; it is not unless given.
        as_json: Print one JSON object.

    Returns:
        The exit code: 0, or 1 if it does not fit into the memory.
    """
    made = usage_errors(lambda: make_plan(recipe, plugins, stages, assumptions))
    config = accelerate_config(recipe)
    if folder is not None and config is not None:
        _write(folder, config)
    commands = launch_commands(given, recipe, stages, folder)
    if as_json:
        value = made.to_json() | {"commands": [asdict(item) for item in commands], "accelerate": config}
        click.echo(json.dumps(value))
    else:
        click.echo(printable(shown_plan(made, commands)))
    return OK if made.fits else FAILED


def _write(folder: Path, config: dict[str, object]) -> None:
    import yaml

    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / CONFIG).write_text(yaml.safe_dump(config), encoding="utf-8")
    except OSError as error:
        raise Failure(f"cannot write to {str(folder)!r}: {error.strerror}", INFRASTRUCTURE) from None
