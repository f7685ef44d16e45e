"""``flowreasoner train``: runs a whole recipe, from queries to a trained meta-agent."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flowreasoner.errors import FlowReasonerError
from flowreasoner_plugins.cli.exits import INTERRUPTED, Failure, usage_errors
from flowreasoner_plugins.cli.options import as_json, quiet
from flowreasoner_plugins.cli.wording import clock, one_line

if TYPE_CHECKING:
    from flowreasoner_plugins.manager import Plugins
    from flowreasoner_training.pipeline import Pipeline

__all__ = ["command"]


@click.command("train", short_help="Run a whole recipe, from queries to a meta-agent.")
@click.argument("recipe")
@click.option("--out", required=True, type=click.Path(path_type=Path), metavar="DIR", help="Folder for everything.")
@click.option("--seed", type=click.IntRange(min=0), help="Seed of every draw.  [default: the recipe's]")
@click.option("--until", metavar="STAGE", help="Stop after this stage.")
@as_json
@quiet
@click.pass_context
def command(ctx: click.Context, /, **given: Any) -> None:
    """Distil, fine-tune and train with GRPO, all in one: RECIPE says how.

    The recipe `miniature` goes from nothing to a small worker and a small meta-agent on two CPU cores; `smoke` runs
    the same stages in minutes, to see that they work. The same command goes on after Ctrl-C or a crash: finished
    stages are kept, and a stage goes on from its last checkpoint.

    \b
    Examples:
      flowreasoner train smoke --out runs/smoke
      flowreasoner train miniature --out runs/miniature
      flowreasoner train flowreasoner-7b+lora+8gpu --dry-run

    \b
    Ends with 0 when done, 2 on wrong usage, 3 when a model, the sandbox or the training fails, and 130 when
    interrupted.
    """
    pipeline = usage_errors(lambda: _pipeline(ctx.obj, given))
    try:
        stages = pipeline.run(given["until"])
    except KeyboardInterrupt:
        raise Failure("interrupted; the same command goes on where it stopped", INTERRUPTED) from None
    except FlowReasonerError as error:
        raise Failure(
            f"{error}. What is finished is kept: the same command goes on", Failure.of(error).exit_code
        ) from None
    click.echo(json.dumps([asdict(stage) for stage in stages]) if given["as_json"] else _shown(pipeline))


def _pipeline(plugins: Plugins, given: dict[str, Any]) -> Pipeline:
    from flowreasoner.errors import TrainingError
    from flowreasoner_training.pipeline import Pipeline, stages_of
    from flowreasoner_training.recipes import load_recipe

    recipe = load_recipe(given["recipe"], plugins)
    if given["until"] is not None and given["until"] not in stages_of(recipe):
        raise TrainingError(f"there is no stage {given['until']!r}; the stages are {', '.join(stages_of(recipe))}")
    if given["seed"] is not None:
        recipe = recipe.model_copy(update={"seed": given["seed"]})

    def tell(stage: str, line: str) -> None:
        if not given["quiet"]:
            click.echo(one_line(f"{stage}: {line}"), err=True)

    return Pipeline(recipe, given["out"], plugins, tell)


def _shown(pipeline: Pipeline) -> str:
    lines = []
    for stage in pipeline.done:
        facts = ", ".join(f"{name} {value:g}" for name, value in stage.facts.items() if isinstance(value, int | float))
        lines.append(f"{stage.name}: {clock(stage.seconds)}{facts and f'; {facts}'}")
    if pipeline.done[-1].name == "pair":
        pair = pipeline.out / "pair"
        valid = next(stage.facts["metrics"]["valid"] for stage in pipeline.done if stage.name == "grpo")
        lines.append(
            f"try it: flowreasoner solve --random --worker embedded:{pair / 'worker'} "
            f"--meta-agent embedded:{pair / 'meta_agent'}"
            if valid
            else "the meta-agent writes no valid workflow yet: this recipe trains it for too short a time"
        )
    return "\n".join(lines)
