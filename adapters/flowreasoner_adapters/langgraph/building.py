"""What graphs are built with: the emitted ones, and the modules that `source` writes for a user to edit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langgraph.graph import StateGraph
from langgraph.types import Send

from flowreasoner.lowering import Handler
from flowreasoner_adapters.langgraph.operators import Operators
from flowreasoner_adapters.langgraph.run import OWN_KEYS, Run, feedback_of
from flowreasoner_adapters.langgraph.steps import Node, SampleNode
from flowreasoner_adapters.langgraph.values import thaw_variables

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

__all__ = ["Steps", "WorkflowGraph", "collected", "path", "send_back", "send_requests"]


class WorkflowGraph(StateGraph):  # type: ignore[type-arg]
    """A state graph whose compiled form knows how many steps it needs.

    Args:
        state: Schema of the state.
        most_steps: Steps that one run takes at most; the recursion limit of the compiled graph.
        schemas: ``input_schema`` and ``output_schema``.
    """

    def __init__(self, state: Any, *, most_steps: int, **schemas: Any) -> None:
        super().__init__(state, **schemas)
        self.most_steps = most_steps

    def compile(self, *arguments: Any, **settings: Any) -> Any:
        """Compiles the graph, as `StateGraph.compile` does."""
        compiled = super().compile(*arguments, **settings).with_config({"recursion_limit": self.most_steps})
        if compiled.cache is not None:  # LangGraph hands it on to no subgraph
            inner: Any
            for _, inner in compiled.get_subgraphs(recurse=True):
                inner.cache = compiled.cache
        return compiled


def collected(before: dict[str, Any] | None, new: dict[str, Any] | None) -> dict[str, Any]:
    """Reducer of a fan-out's results, by position; None forgets them, and what is under ``only`` replaces them."""
    if new is None or "only" in new:
        return dict(new["only"]) if new else {}
    return {**(before or {}), **new}


def send_requests(collect: str) -> Callable[[dict[str, Any]], Any]:
    """Returns the edge that starts a fan-out, or goes to the node that handles an error.

    Args:
        collect: The node that collects the results, where there is nothing to call.
    """

    def send(state: dict[str, Any]) -> Any:  # LangGraph reads these annotations: names of this module only
        if state.get("failed"):
            return state["failed"]["step"]
        feedback, prompts = feedback_of(state), state.get("prompts") or {}
        sent = []
        for index, item in enumerate(state.get("requests") or []):
            own = {**feedback, "path": f"{feedback.get('path', '')}/{index}"}
            given = {**item["inputs"], "inputs": item["inputs"], "feedback": own, "prompts": prompts}
            sent.append(Send(item["step"], {**given, "position": index}))
        return sent or collect

    return send


def send_back(state: dict[str, Any]) -> Any:
    """Chooses the node that collects the results of the fan-out that is running."""
    return state["collector"]


def path(choose: Callable[[Any], Any] | str) -> Callable[[dict[str, Any]], Any]:
    """Returns a conditional edge: to the node that handles an error, if there was one, else as chosen.

    Args:
        choose: Returns the next node from the variables; or its name.
    """

    def chosen(state: dict[str, Any]) -> Any:
        if state.get("failed"):
            return state["failed"]["step"]
        if isinstance(choose, str):
            return choose
        return choose(thaw_variables(state, [name for name in state if name not in OWN_KEYS]))

    chosen.__name__ = choose if isinstance(choose, str) else choose.__name__
    return chosen


class Steps:
    """Makes the nodes of an exported module.

    Args:
        model: The LangChain chat model that performs operators.
        prompts: Prompt constants that the workflow rewrites.
        shared: Whether variables may share changeable values.
        subgraph: Whether the graph is one of several that run beside each other.
        guarded: Whether an error without a handler ends the subgraph as its result.
        settings: Further arguments of `Operators`: ``sandbox``, ``tests``, ``operators``, ``seed``, ...
    """

    def __init__(
        self,
        model: Any,
        *,
        prompts: Mapping[str, str] | None = None,
        shared: bool = False,
        subgraph: bool = False,
        guarded: bool = False,
        **settings: Any,
    ) -> None:
        self.operators = model if isinstance(model, Operators) else Operators(model, **settings)
        self.prompts, self.shared, self.subgraph, self.guarded = dict(prompts or {}), shared, subgraph, guarded

    def add(
        self,
        graph: StateGraph[Any],
        work: Callable[[Any, Run], Awaitable[None]],
        *,
        line: int = 0,
        operator: str = "",
        start: bool = False,
        collect: str = "",
        on_error: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        """Adds a function as a node of its name.

        Args:
            graph: The graph.
            work: ``await work(state, run)``: changes the state in place.
            line: Line of the workflow.
            operator: The operator it calls, if it calls one.
            start: Whether a run begins with it, so that nothing of the thread's earlier runs is left.
            collect: The node that collects what it sends, where the calls cannot tell.
            on_error: Exceptions by the node that handles them; an empty list stands for all of them.
        """
        handlers = [Handler(tuple(kinds), node) for node, kinds in (on_error or {}).items()]

        async def working(run: Run) -> None:
            await work(run.variables, run)

        node = Node(
            work.__name__,
            working,
            self.operators,
            handlers=handlers,
            prompts=self.prompts,
            rewritten=tuple(self.prompts),
            shared=self.shared,
            subgraph=self.subgraph,
            guarded=self.guarded,
            start=start,
            collect=collect,
            retry_policy=self.operators.retry_policy if operator else None,
        )
        self._add(graph, work.__name__, node, line, operator)

    def add_sample(
        self, graph: StateGraph[Any], name: str, operator: str, *, line: int = 0, guarded: bool = False
    ) -> None:
        """Adds the node that performs the requested calls of an operator, by its class name."""
        self._add(graph, name, SampleNode(name, operator, self.operators, guarded=guarded), line, operator)

    def _add(self, graph: StateGraph[Any], name: str, node: Any, line: int, operator: str) -> None:
        policies: dict[str, Any] = {}
        if operator:
            policies = {"retry_policy": self.operators.retry_policy, "cache_policy": self.operators.cache_policy}
        metadata: dict[str, Any] = {"line": line} | ({"operator": operator} if operator else {})
        graph.add_node(name, node, metadata=metadata, **policies)
