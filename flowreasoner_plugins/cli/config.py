"""The configuration file: defaults for options, from ``flowreasoner.toml`` here or in the user's folder."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any

import click

from flowreasoner_plugins.cli.exits import USAGE, Failure

__all__ = ["config_path", "configured"]

_HERE = Path("flowreasoner.toml")
_KEYS: dict[str, type | tuple[type, ...]] = {
    "meta_agent": str,
    "worker": str,
    "rounds": int,
    "evaluations": int,
    "budget_usd": (int, float),
    "max_calls": int,
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
    return next((path for path in (_HERE, user) if path.is_file()), None)


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
    if path == _HERE:
        _refuse_foreign_endpoints(values)
        _refuse_no_isolation(values)
    return values


def _refuse_foreign_endpoints(values: dict[str, Any]) -> None:
    """Refuses to take from a folder, which may be somebody else's, where a key is sent, or which."""
    from flowreasoner.errors import ModelRefused
    from flowreasoner.models import ModelURI
    from flowreasoner.models.openai_compatible import is_local

    for name in ("meta_agent", "worker"):
        try:
            options = ModelURI.parse(values.get(name, "embedded:")).options
        except ModelRefused as error:
            raise Failure(f"{_HERE}: {error}", USAGE) from None
        if "key_env" in options or ("base_url" in options and not is_local(options["base_url"])):
            raise Failure(
                f"{_HERE}: {name} must not set key_env, or a base_url on another machine: anybody's folder could "
                "send your keys away; give them as options, in the environment, or in your own configuration file",
                USAGE,
            )


def _refuse_no_isolation(values: dict[str, Any]) -> None:
    """Refuses to let a folder, which may be somebody else's, take the isolation away."""
    if values.get("sandbox") in {"none", "process"}:
        raise Failure(
            f"{_HERE}: sandbox must not be {values['sandbox']!r} here: anybody's folder could make programs run "
            "without isolation; give it as an option, in the environment, or in your own configuration file",
            USAGE,
        )


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
