"""Runs the command line: in this process for speed, or as a process of its own where that matters."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

from click.testing import CliRunner, Result

from flowreasoner_plugins.cli.main import cli

__all__ = ["SIMULATED", "invoke", "invoke_json", "spawn"]

SIMULATED = ("--meta-agent", "sim:", "--worker", "sim:")
"""Options that let the simulation solve a query."""


def invoke(*args: Any, **settings: Any) -> Result:
    """Runs a command in this process."""
    return CliRunner().invoke(cli, [str(arg) for arg in args], **settings)


def invoke_json(*args: Any) -> dict[str, Any]:
    """Runs a command with ``--json`` that must end well, and returns its one object."""
    result = invoke(*args, "--json", "-q")
    assert result.exit_code == 0, result.output
    value: dict[str, Any] = json.loads(result.stdout)
    return value


def spawn(*args: Any, **settings: Any) -> subprocess.Popen[str]:
    """Starts a command as a process of its own."""
    environment = {**os.environ, **settings.pop("env", {})}
    return subprocess.Popen(
        [sys.executable, "-m", "flowreasoner_plugins", *map(str, args)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        **settings,
    )
