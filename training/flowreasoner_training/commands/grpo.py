"""``flowreasoner grpo``: trains a meta-agent with a reward per round."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flowreasoner.errors import FlowReasonerError
from flowreasoner_plugins.cli.exits import INTERRUPTED, Failure, usage_errors
from flowreasoner_plugins.cli.options import as_json, quiet
from flowreasoner_plugins.cli.wording import clock, printable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flowreasoner_plugins.manager import Plugins
    from flowreasoner_training.grpo.log import GrpoEvent, StepEnded
    from flowreasoner_training.grpo.train import GrpoResult
    from flowreasoner_training.recipes.schema import Recipe

__all__ = ["command"]


@click.command("grpo", short_help="Train a meta-agent with a reward per round.")
@click.argument("recipe")
@click.option("--model", required=True, type=click.Path(path_type=Path), metavar="DIR", help="Fine-tuned model.")
@click.option("--out", required=True, type=click.Path(path_type=Path), metavar="DIR", help="Folder for everything.")
@click.option("--worker", metavar="URI", help="Model that runs operators.  [default: the recipe's]")
@click.option("--max-steps", type=click.IntRange(min=1), metavar="N", help="Steps at most.  [default: the recipe's]")
@click.option("--resume", is_flag=True, help="Go on from the last whole checkpoint in --out.")
@as_json
@quiet
@click.pass_obj
def command(plugins: Plugins, /, **given: Any) -> None:
    """Train the fine-tuned model in --model with GRPO, on the queries of RECIPE.

    RECIPE is a name that `flowreasoner recipes list` shows, or a file. In each step the model designs a workflow per
    round for several queries, the worker runs them, and every round is rewarded. DIR gets the trained model with its
    tokenizer, log.jsonl with a line per step, and checkpoints.

    After a crash or Ctrl-C, --resume goes on from the last whole checkpoint, and makes the same steps as if nothing
    had happened.

    \b
    Examples:
      flowreasoner grpo flowreasoner-7b --model sft/model --out grpo
      flowreasoner grpo flowreasoner-7b --model sft/model --out grpo --resume

    \b
    Ends with 0 when done, 2 on wrong usage, 3 when the model, the worker or the sandbox cannot be used, the loss is
    no number or the disk is full, and 130 when interrupted.
    """
    recipe = usage_errors(lambda: _recipe(given))
    try:
        result = _train(recipe, plugins, given)
    except KeyboardInterrupt:
        raise Failure("interrupted; go on from the last step with --resume", INTERRUPTED) from None
    except FlowReasonerError as error:
        raise Failure.of(error) from None
    if os.environ.get("RANK", "0") == "0":  # of several processes, one speaks
        click.echo(json.dumps(result.to_json()) if given["as_json"] else _shown(result))


def _recipe(given: dict[str, Any]) -> Recipe:
    """Loads the recipe, and puts what was given on the command line into it."""
    from flowreasoner_training.recipes import load_recipe

    recipe: Recipe = load_recipe(given["recipe"])
    changes = {"grpo": {"max_steps": given["max_steps"]}, "worker": {"model": given["worker"]}}
    for section, values in changes.items():
        known = {name: value for name, value in values.items() if value is not None}
        recipe = recipe.model_copy(update={section: getattr(recipe, section).model_copy(update=known)})
    return recipe


def _train(recipe: Recipe, plugins: Plugins, given: dict[str, Any]) -> GrpoResult:
    from transformers.utils import logging

    from flowreasoner_training.grpo.log import StepEnded
    from flowreasoner_training.grpo.train import train_grpo
    from flowreasoner_training.queries import training_queries

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # of loading and saving, between the lines of the steps
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]

    def observe(event: GrpoEvent) -> None:
        if isinstance(event, StepEnded) and not given["quiet"]:
            click.echo(printable(_line(event, recipe.grpo.rounds)), err=True)

    return train_grpo(
        recipe,
        given["model"],
        training_queries(recipe, plugins),
        recipe.worker.model,
        given["out"],
        resume=given["resume"],
        plugins=plugins,
        observers=[observe],
    )


def _line(event: StepEnded, rounds: int) -> str:
    """Returns a step's line of progress: reward, pass rate of each round, validity, and time."""
    metrics: Mapping[str, float] = event.metrics
    scores = (metrics.get(f"round_{number}/score") for number in range(1, rounds + 1))
    passed = " ".join("-" if score is None else f"{score:.0%}" for score in scores)
    left = f", about {clock(event.left)} left" if event.left >= 1 else ""
    return (
        f"step {event.step}/{event.steps}: mean reward {metrics.get('reward', 0.0):.3f}, pass rate by round {passed}, "
        f"{metrics.get('valid', 0.0):.0%} valid, {clock(event.seconds)}{left}"
    )


def _shown(result: GrpoResult) -> str:
    reward = result.metrics.get("reward")
    return "\n".join(
        [
            f"{result.steps} steps{'' if reward is None else f'; mean reward of the last one: {reward:.3f}'}",
            f"wrote {result.model}; try it with: flowreasoner solve QUERY --meta-agent hf:{result.model}",
        ]
    )
