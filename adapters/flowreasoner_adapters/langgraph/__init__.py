"""LangGraph: workflows as state graphs with a node per operator call, and a node factory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from flowreasoner_adapters.langgraph.backend import LangGraphBackend, check_langgraph
from flowreasoner_plugins import hookimpl
from flowreasoner_plugins.requires import lazily

if TYPE_CHECKING:
    from flowreasoner_adapters.langgraph.building import Steps, WorkflowGraph, collected, path, send_back, send_requests
    from flowreasoner_adapters.langgraph.model import LangChainModel
    from flowreasoner_adapters.langgraph.node import FlowReasonerNode, flowreasoner_node
    from flowreasoner_adapters.langgraph.operators import Operators
    from flowreasoner_adapters.langgraph.run import Run
    from flowreasoner_plugins.manager import BackendFactory

__all__ = [
    "FlowReasonerNode",
    "LangChainModel",
    "LangGraphBackend",
    "Operators",
    "Run",
    "Steps",
    "WorkflowGraph",
    "collected",
    "flowreasoner_node",
    "path",
    "send_back",
    "send_requests",
]

_HOMES = {
    **dict.fromkeys(["FlowReasonerNode", "flowreasoner_node"], "node"),
    "LangChainModel": "model",
    "Operators": "operators",
    "Run": "run",
    **dict.fromkeys(["Steps", "WorkflowGraph", "collected", "path", "send_back", "send_requests"], "building"),
}


__getattr__ = lazily(__name__, _HOMES, check_langgraph)


@hookimpl
def flowreasoner_backends() -> Mapping[str, BackendFactory]:
    """Returns the LangGraph backend."""
    return {"langgraph": LangGraphBackend}
