"""``flowreasoner sft``: fine-tunes a meta-agent on distilled trajectories."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flowreasoner.errors import FlowReasonerError
from flowreasoner_plugins.cli.exits import INTERRUPTED, Failure, usage_errors
from flowreasoner_plugins.cli.options import as_json, quiet
from flowreasoner_plugins.cli.wording import clock

if TYPE_CHECKING:
    from flowreasoner_training.recipes.schema import Recipe
    from flowreasoner_training.sft import SftProgress, SftResult

__all__ = ["command"]


@click.command("sft", short_help="Fine-tune a meta-agent on distilled trajectories.")
@click.argument("recipe")
@click.option("--data", required=True, type=click.Path(path_type=Path), metavar="FILE", help="trajectories.jsonl.")
@click.option("--out", required=True, type=click.Path(path_type=Path), metavar="DIR", help="Folder for everything.")
@click.option("--model", metavar="DIR", help="Checkpoint to start from.  [default: the recipe's]")
@click.option("--resume", is_flag=True, help="Go on from the last whole checkpoint in --out.")
@as_json
@quiet
def command(**given: Any) -> None:
    """Fine-tune the model of RECIPE on the trajectories of `flowreasoner distill`.

    RECIPE is a name that `flowreasoner recipes list` shows, or a file. DIR gets the trained model with its tokenizer,
    log.jsonl with a line per step, and checkpoints. Only the meta-agent's own words are learned, never feedback.

    After a crash or Ctrl-C, --resume goes on from the last whole checkpoint, and ends with the same weights as if
    nothing had happened.

    \b
    Examples:
      flowreasoner sft flowreasoner-7b --data data/trajectories.jsonl --out sft
      flowreasoner sft flowreasoner-7b --data data/trajectories.jsonl --out sft --resume

    \b
    Ends with 0 when done, 2 on wrong usage, 3 when data or model cannot be used, the loss is no number or the disk
    is full, and 130 when interrupted.
    """
    recipe = usage_errors(lambda: _recipe(given["recipe"]))
    try:
        result = _train(recipe, given)
    except KeyboardInterrupt:
        raise Failure("interrupted; go on from the last checkpoint with --resume", INTERRUPTED) from None
    except FlowReasonerError as error:
        raise Failure.of(error) from None
    if os.environ.get("RANK", "0") == "0":  # of several processes, one speaks
        click.echo(json.dumps(result.to_json()) if given["as_json"] else _shown(result))


def _recipe(name: str) -> Recipe:
    from flowreasoner_training.recipes import load_recipe

    return load_recipe(name)


def _train(recipe: Recipe, given: dict[str, Any]) -> SftResult:
    from flowreasoner_training.sft import train_sft

    def report(progress: SftProgress) -> None:
        if not given["quiet"]:
            left = f", about {clock(progress.seconds_left)} left" if progress.seconds_left >= 1 else ""
            click.echo(f"step {progress.step}/{progress.steps}: loss {progress.loss:.4f}{left}", err=True)

    return train_sft(recipe, given["data"], given["out"], model=given["model"], resume=given["resume"], report=report)


def _shown(result: SftResult) -> str:
    left_out = f", {result.left_out} too long and left out" if result.left_out else ""
    return "\n".join(
        [
            f"{result.steps} steps on {result.trajectories} trajectories{left_out}; "
            f"{result.trained_tokens} of {result.tokens} tokens are learned",
            f"loss of the last step: {result.loss:.4f}",
            f"wrote {result.model}; try it with: flowreasoner solve QUERY --meta-agent hf:{result.model}",
        ]
    )
