"""A command as it was given, for whoever wants to do the same."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["chosen", "command_line"]


def chosen(ctx: click.Context) -> frozenset[str]:
    """Returns the names of the parameters that are on the command line."""
    return frozenset(name for name in ctx.params if ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE)


def command_line(ctx: click.Context, changed: Mapping[str, Any] | None = None) -> str:
    """Returns the command.

    Args:
        ctx: Of the command; what was not on its command line is left out.
        changed: Parameters that are to be there, too, or otherwise.
    """
    params = {name: value for name, value in ctx.params.items() if name in chosen(ctx)} | dict(changed or {})
    words = ["flowreasoner", ctx.command.name or ""]
    for item in ctx.command.params:
        value = params.get(item.name or "")
        if value is None or value is False:
            continue
        values = value if isinstance(value, tuple) else (value,)
        if isinstance(item, click.Option):
            flag = max(item.opts, key=len)
            words += [flag] if item.is_flag else [word for own in values for word in (flag, str(own))]
        else:
            words += values
    return shlex.join(words)
