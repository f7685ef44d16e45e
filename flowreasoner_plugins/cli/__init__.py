"""The command line: ``flowreasoner`` (docs/cli.md)."""

from flowreasoner_plugins.cli.main import main

__all__ = ["main"]
