"""The commands of the training; each module is imported when its command is used."""

from __future__ import annotations

import importlib
import os
from contextlib import contextmanager
from copy import copy
from typing import TYPE_CHECKING, Any

import click

from flowreasoner.errors import PluginError
from flowreasoner_plugins.cli.exits import USAGE, Failure
from flowreasoner_training.requires import explained

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flowreasoner_training.recipes.stages import StageName

__all__ = ["COMMANDS", "LazyCommand"]


class LazyCommand(click.Command):
    """Stands in for a command until it is used.

    Args:
        name: Name of the command, and of its module in this package.
        short_help: What ``flowreasoner --help`` says about it.
        stages: Stages of a training that it runs; it then has ``--dry-run``, which prints their plan.
    """

    def __init__(self, name: str, short_help: str, stages: tuple[StageName, ...] = ()) -> None:
        super().__init__(name, short_help=short_help)
        self._stages = stages
        self._loaded: click.Command | None = None

    @property
    def command(self) -> click.Command:
        """The command itself."""
        if self._loaded is None:
            command: click.Command = importlib.import_module(f"{__name__}.{self.name}").command
            if self._stages and _DRY_RUN not in command.params:
                command.params.append(_DRY_RUN)
            self._loaded = command
        return self._loaded

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Reads the arguments as the command itself does; it is then run through `invoke` of this one."""
        with self._explained():
            command = self.command
            if self._stages and "--dry-run" in args:
                command = _undemanding(command)
            context = command.make_context(info_name, args, parent, **extra)
        context.command = self
        return context

    def invoke(self, ctx: click.Context) -> Any:
        """Runs the command, or prints the plan; a package that is not installed is explained, with its extra."""
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # or torch's threads spin where cores are few
        with self._explained():
            ctx.command = self.command
            if ctx.meta.get(_DRY):
                from flowreasoner_training.commands.planning import dry_run

                return dry_run(ctx, self._stages)
            return self.command.invoke(ctx)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            with explained(f"flowreasoner {self.name}"):
                yield
        except PluginError as error:
            raise Failure(str(error), USAGE) from error


def _note(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    ctx.meta[_DRY] = value


_DRY = f"{__name__}.dry_run"
_DRY_RUN = click.Option(
    ["--dry-run"],
    is_flag=True,
    expose_value=False,
    callback=_note,
    help="Print steps, tokens, dollars, memory per GPU and the launch commands, and start nothing.",
)


def _undemanding(command: click.Command) -> click.Command:
    """Returns a command that demands no option: a plan needs the recipe alone."""
    command = copy(command)
    command.params = [copy(param) for param in command.params]
    for param in command.params:
        if isinstance(param, click.Option):
            param.required = False
    return command


COMMANDS = (
    LazyCommand("distill", "Make training data: a teacher designs workflows.", ("distill",)),
    LazyCommand("sft", "Fine-tune a meta-agent on distilled trajectories.", ("sft",)),
    LazyCommand("grpo", "Train a meta-agent with a reward per round.", ("grpo",)),
    LazyCommand("train", "Run a whole recipe, from queries to a meta-agent.", ("distill", "sft", "grpo")),
    LazyCommand("recipes", "List, show, check and plan recipes."),
)
