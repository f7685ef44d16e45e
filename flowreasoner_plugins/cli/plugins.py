"""``flowreasoner plugins``: every plugin with its source and hooks, and what it provides."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, get_args

import click

from flowreasoner.errors import PluginError
from flowreasoner_plugins.cli import options
from flowreasoner_plugins.cli.exits import USAGE, Failure

if TYPE_CHECKING:
    from flowreasoner_plugins.manager import Plugins

__all__ = ["command"]

_KINDS = (
    "operators",
    "chat_models",
    "designers",
    "methods",
    "backends",
    "test_formats",
    "metrics",
    "reward_terms",
    "benchmarks",
    "sandboxes",
    "commands",
)


@click.command("plugins", short_help="List plugins and what they provide.")
@options.as_json
@click.pass_obj
def command(plugins: Plugins, as_json: bool) -> None:
    """List every plugin with its source and hooks, and what all of them provide.

    \b
    Examples:
      flowreasoner plugins
      FLOWREASONER_TRACE_PLUGINS=1 flowreasoner plugins
    """
    from flowreasoner.sandbox.suite import SuiteFormat

    try:
        provided = {kind: sorted(getattr(plugins, kind)) for kind in _KINDS}
        provided["test_formats"] = sorted({*provided["test_formats"], *get_args(SuiteFormat)})
        observers = len(plugins.observers)
    except PluginError as error:
        raise Failure(str(error), USAGE) from None
    if as_json:
        infos = [
            {"name": item.name, "source": item.source, "hooks": list(item.hooks), "problem": item.problem}
            for item in plugins.infos
        ]
        click.echo(json.dumps({"plugins": infos, "provides": provided, "observers": observers}))
        return
    for info in plugins.infos:
        click.echo(f"{info.name} ({info.source})")
        click.echo(f"  skipped: {info.problem}" if info.problem else f"  hooks: {', '.join(info.hooks) or 'none'}")
    click.echo()
    for kind, names in provided.items():
        click.echo(f"{kind.replace('_', ' ')}: {', '.join(names) or 'none'}")
