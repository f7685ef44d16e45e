"""LangGraph: workflows as state graphs with a node per operator call, and a node factory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from flowreasoner_adapters.langgraph.backend import LangGraphBackend
from flowreasoner_plugins import hookimpl

if TYPE_CHECKING:
    from flowreasoner_plugins.manager import BackendFactory

__all__ = ["LangGraphBackend", "flowreasoner_backends"]


@hookimpl
def flowreasoner_backends() -> Mapping[str, BackendFactory]:
    """Returns the LangGraph backend."""
    return {"langgraph": LangGraphBackend}
