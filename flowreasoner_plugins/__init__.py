"""Plugins of FlowReasoner and its command line (docs/plugins.md).

A plugin author needs `hookimpl` and the names in `flowreasoner_plugins.hookspecs`; a program that wants what
plugins provide needs `load_plugins`.
"""

from flowreasoner_plugins.hookspecs import hookimpl
from flowreasoner_plugins.manager import Plugins, load_plugins

__all__ = ["Plugins", "hookimpl", "load_plugins"]
