"""The backend: workflows as LangGraph state graphs, live or as source."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flowreasoner_adapters.arguments import check_workflow
from flowreasoner_plugins.requires import require

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flowreasoner.workflow import Workflow
    from flowreasoner_adapters.langgraph.building import WorkflowGraph

__all__ = ["LangGraphBackend", "check_langgraph"]


def check_langgraph() -> None:
    """Checks that LangGraph is there, in a version that works.

    Raises:
        PluginError: If not, with the command that helps.
    """
    require("langgraph", "langgraph", least=(1, 1), below=(2, 0))


class LangGraphBackend:
    """Emits workflows to LangGraph.

    Args:
        model: The LangChain chat model that performs steps; may be left out where only source is wanted.
        settings: Further arguments of `flowreasoner_adapters.langgraph.Operators`: ``sandbox``, ``tests``,
            ``operators``, ``budget``, ``seed``, ``retry_policy``, ``cache_policy``.

    Raises:
        PluginError: If LangGraph is missing or of a version that is not supported.
        ModelError: If the model is no chat model of LangChain's.
    """

    name = "langgraph"

    def __init__(self, model: Any = None, **settings: Any) -> None:
        check_langgraph()
        from flowreasoner_adapters.langgraph.operators import Operators

        self.operators = Operators(model, **settings)

    def emit(self, workflow: Workflow) -> WorkflowGraph:
        """Returns a workflow as a state graph that is not compiled yet.

        Raises:
            WorkflowInvalid: If no graph can express it, with the line and a remedy.
        """
        from flowreasoner_adapters.langgraph.emit import emit

        check_workflow(workflow)
        return emit(workflow, self.operators)

    def source(self, workflow: Workflow) -> Mapping[str, str]:
        """Returns a module that builds the same graph, to keep and edit.

        Raises:
            WorkflowInvalid: If no graph can express it, with the line and a remedy.
        """
        from flowreasoner_adapters.langgraph.source import source

        check_workflow(workflow)
        return {"workflow.py": source(workflow, self.operators.operators)}
