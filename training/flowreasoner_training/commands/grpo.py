"""``flowreasoner grpo``: trains a fine-tuned meta-agent with a reward per round."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flowreasoner.errors import FlowReasonerError
from flowreasoner_plugins.cli.exits import INTERRUPTED, Failure, usage_errors
from flowreasoner_plugins.cli.options import as_json, quiet
from flowreasoner_plugins.cli.wording import one_line

if TYPE_CHECKING:
    from flowreasoner.query import Query
    from flowreasoner_plugins.manager import Plugins
    from flowreasoner_training.grpo.train import GrpoResult
    from flowreasoner_training.recipes.schema import Recipe

__all__ = ["command"]


@click.command("grpo", short_help="Train a meta-agent with a reward per round.")
@click.argument("recipe")
@click.option(
    "--model",
    required=True,
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Fine-tuned model to start from.",
)
@click.option("--out", required=True, type=click.Path(path_type=Path), metavar="DIR", help="Folder for everything.")
@click.option("--worker", metavar="URI", help="Model that runs operators.  [default: the recipe's]")
@click.option("--resume", is_flag=True, help="Go on from the last whole checkpoint in --out.")
@click.option("--max-steps", type=click.IntRange(min=1), metavar="N", help="Steps at most.  [default: the recipe's]")
@click.option("--seed", type=click.IntRange(min=0), help="Seed of every draw.  [default: the recipe's]")
@as_json
@quiet
@click.pass_obj
def command(plugins: Plugins, /, **given: Any) -> None:
    """Train the meta-agent in --model by reinforcement learning, with a reward per round, as RECIPE says.

    RECIPE is a name that `flowreasoner recipes list` shows, or a file. For each query, the meta-agent designs
    several workflows, round after round; the worker runs them, and what a round came to is what its words are
    credited with. DIR gets the trained model with its tokenizer, log.jsonl with a line per step, and checkpoints.

    After a crash or Ctrl-C, --resume goes on from the last whole checkpoint, with the same steps as if nothing had
    happened.

    \b
    Examples:
      flowreasoner grpo flowreasoner-7b --model sft/model --out grpo
      flowreasoner grpo flowreasoner-7b --model sft/model --out grpo --resume
      flowreasoner grpo recipe.yaml --model sft/model --out try --worker sim: --max-steps 2

    \b
    Ends with 0 when done, 2 on wrong usage, 3 when a model or the sandbox fails, the loss is no number or the
    disk is full, and 130 when interrupted.
    """
    recipe = usage_errors(lambda: _recipe(plugins, given))
    queries = usage_errors(lambda: _queries(recipe, plugins))
    try:
        result = _train(recipe, queries, plugins, given)
    except KeyboardInterrupt:
        raise Failure("interrupted; go on from the last checkpoint with --resume", INTERRUPTED) from None
    except FlowReasonerError as error:
        raise Failure.of(error) from None
    if os.environ.get("RANK", "0") == "0":  # of several processes, one speaks
        click.echo(json.dumps(result.to_json()) if given["as_json"] else _shown(result))


def _recipe(plugins: Plugins, given: dict[str, Any]) -> Recipe:
    """Loads the recipe, and puts what was given on the command line into it."""
    from flowreasoner_training.recipes import load_recipe

    recipe = load_recipe(given["recipe"], plugins)
    if given["max_steps"] is not None:
        recipe = recipe.model_copy(update={"grpo": recipe.grpo.model_copy(update={"max_steps": given["max_steps"]})})
    if given["seed"] is not None:
        recipe = recipe.model_copy(update={"seed": given["seed"]})
    return recipe


def _queries(recipe: Recipe, plugins: Plugins) -> list[Query]:
    from flowreasoner_training.queries import training_queries

    return training_queries(recipe, plugins)


def _train(recipe: Recipe, queries: list[Query], plugins: Plugins, given: dict[str, Any]) -> GrpoResult:
    from flowreasoner_training.grpo.progress import StepLines
    from flowreasoner_training.grpo.train import train_grpo

    def tell(line: str) -> None:
        if not given["quiet"]:
            click.echo(one_line(line), err=True)

    worker = given["worker"] or recipe.worker.model
    return train_grpo(
        recipe,
        given["model"],
        queries,
        worker,
        given["out"],
        resume=given["resume"],
        plugins=plugins,
        observers=[StepLines(tell)],
    )


def _shown(result: GrpoResult) -> str:
    reward = result.metrics.get("reward", float("nan"))
    return "\n".join(
        [
            f"{result.steps} steps; mean reward of the last one: {reward:.3f}",
            f"wrote {result.model}; try it with: flowreasoner solve QUERY --meta-agent hf:{result.model}",
        ]
    )
