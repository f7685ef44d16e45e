"""The AFlow backend: a workflow as a live graph on a MetaGPT LLM, or as the files of one round."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flowreasoner.operators import BUILTIN
from flowreasoner_adapters.aflow.source import round_source
from flowreasoner_adapters.arguments import check_workflow

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flowreasoner.operators import Operator
    from flowreasoner.sandbox import Sandbox
    from flowreasoner.workflow import Workflow
    from flowreasoner_adapters.aflow.graph import AFlowGraph
    from flowreasoner_adapters.aflow.source import Layout, Operators

__all__ = ["AFlowBackend"]


class AFlowBackend:
    """Emits workflows to MetaGPT's AFlow.

    Args:
        llm: MetaGPT ``LLMConfig`` or LLM of live graphs; MetaGPT's configured model when None.
        sandbox: Runs code in live graphs.
        operators: Operators of live graphs, by class name.
        layout: Which imports written files have; see `Layout`.
        dataset: AFlow's name of the data set.
        uses: Whose operators written files use; see `Operators`.
    """

    name = "aflow"

    def __init__(
        self,
        llm: Any = None,
        *,
        sandbox: Sandbox | str | None = None,
        operators: Mapping[str, Operator] = BUILTIN,
        layout: Layout = "portable",
        dataset: str = "HumanEval",
        uses: Operators = "aflow",
    ) -> None:
        self._llm, self._sandbox, self._operators = llm, sandbox, operators
        self._layout, self._dataset, self._uses = layout, dataset, uses

    def emit(self, workflow: Workflow) -> AFlowGraph:
        """Returns the workflow as a graph: ``answer, cost = await graph(problem, entry_point)``.

        Raises:
            WorkflowInvalid: If it calls an operator that is not there.
            PluginError: If MetaGPT is not installed and the model needs it.
            ModelRefused: If the model is of the wrong kind.
        """
        from flowreasoner_adapters.aflow.graph import AFlowGraph

        check_workflow(workflow)
        return AFlowGraph(workflow, self._llm, dataset=self._dataset, sandbox=self._sandbox, operators=self._operators)

    def source(self, workflow: Workflow) -> Mapping[str, str]:
        """Returns the files of one round: ``graph.py``, ``prompt.py``, ``__init__.py``.

        Raises:
            WorkflowInvalid: If AFlow's operators cannot express it; with line and remedy.
        """
        check_workflow(workflow)
        return round_source(workflow, layout=self._layout, dataset=self._dataset, operators=self._uses)
