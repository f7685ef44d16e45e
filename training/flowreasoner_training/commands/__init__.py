"""The commands of the training; each module is imported when its command is used."""

from __future__ import annotations

import importlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from flowreasoner.errors import PluginError
from flowreasoner_plugins.cli.exits import USAGE, Failure
from flowreasoner_training.requires import explained

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["COMMANDS", "LazyCommand"]


class LazyCommand(click.Command):
    """Stands in for a command until it is used.

    Args:
        name: Name of the command, and of its module in this package.
        short_help: What ``flowreasoner --help`` says about it.
    """

    def __init__(self, name: str, short_help: str) -> None:
        super().__init__(name, short_help=short_help)
        self._loaded: click.Command | None = None

    @property
    def command(self) -> click.Command:
        """The command itself."""
        if self._loaded is None:
            command: click.Command = importlib.import_module(f"{__name__}.{self.name}").command
            self._loaded = command
        return self._loaded

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Reads the arguments as the command itself does; it is then run through `invoke` of this one."""
        with self._explained():
            context = self.command.make_context(info_name, args, parent, **extra)
        context.command = self
        return context

    def invoke(self, ctx: click.Context) -> Any:
        """Runs the command; a package that is not installed is explained, with its extra."""
        with self._explained():
            ctx.command = self.command
            return self.command.invoke(ctx)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            with explained(f"flowreasoner {self.name}"):
                yield
        except PluginError as error:
            raise Failure(str(error), USAGE) from error


COMMANDS = (
    LazyCommand("distill", "Make training data: a teacher designs workflows."),
    LazyCommand("sft", "Fine-tune a meta-agent on distilled trajectories."),
    LazyCommand("grpo", "Train a meta-agent with a reward per round."),
    LazyCommand("train", "Run a whole recipe, from queries to a meta-agent."),
    LazyCommand("recipes", "List, show, check and plan recipes."),
)
