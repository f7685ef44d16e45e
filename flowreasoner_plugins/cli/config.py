"""The configuration file: defaults for options, from ``flowreasoner.toml`` here or in the user's folder."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any

import click

from flowreasoner_plugins.cli.exits import USAGE, Failure

__all__ = ["config_path", "configured"]

_KEYS: dict[str, type | tuple[type, ...]] = {
    "meta_agent": str,
    "worker": str,
    "rounds": int,
    "evaluations": int,
    "budget_usd": (int, float),
    "sandbox": str,
    "seed": int,
    "store": str,
}


def config_path() -> Path | None:
    """Returns the file that is in force: ``$FLOWREASONER_CONFIG``, ``./flowreasoner.toml``, or the user's own."""
    given = os.environ.get("FLOWREASONER_CONFIG")
    if given:
        return Path(given).expanduser()
    import platformdirs

    user = Path(platformdirs.user_config_dir("flowreasoner", appauthor=False)) / "config.toml"
    return next((path for path in (Path("flowreasoner.toml"), user) if path.is_file()), None)


def configured() -> dict[str, Any]:
    """Returns the settings of the configuration file.

    Raises:
        Failure: If the file cannot be read, or has an unknown key or a value of the wrong type.
    """
    path = config_path()
    if path is None:
        return {}
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Failure(f"cannot read the configuration file {path}: {error}", USAGE) from None
    for key, value in values.items():
        kind = _KEYS.get(key)
        if kind is None:
            raise Failure(f"{path} has the unknown key {key!r}; known are {', '.join(_KEYS)}", USAGE)
        if not isinstance(value, kind) or isinstance(value, bool):
            raise Failure(f"{path}: {key} has the wrong type: {value!r}", USAGE)
    return values


class FromConfig(click.Option):
    """An option whose default comes from the configuration file, then from its own declaration."""

    def get_default(self, ctx: click.Context, call: bool = True) -> Any:
        """Returns the configured value where there is one."""
        values = ctx.meta.get("flowreasoner.config")
        if values is None:
            values = ctx.meta["flowreasoner.config"] = configured()
        if self.name in values:
            return values[self.name]
        return super().get_default(ctx, call)
