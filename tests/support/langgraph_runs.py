"""Runs workflows as LangGraph graphs whose operators are an oracle's, for comparisons with other ways to run them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flowreasoner.operators import BUILTIN, Operator
from flowreasoner.workflow import Workflow


def oracle_operators(oracle: Any) -> dict[str, Operator]:
    """Returns the built-in operators, answered by an oracle instead of a model."""

    async def perform(operator: Operator, _: Any, inputs: dict[str, Any]) -> dict[str, Any]:
        return await oracle(operator.name, inputs)

    return {name: replace(operator, perform=perform) for name, operator in BUILTIN.items()}


def oracle_graph(source: str, prompts: dict[str, str], oracle: Any) -> Any:
    """Returns a workflow's source as a LangGraph graph, not compiled."""
    from flowreasoner_adapters.langgraph import LangGraphBackend

    return LangGraphBackend(operators=oracle_operators(oracle)).emit(Workflow.parse(source, prompts))


async def run_langgraph(
    source: str, prompts: dict[str, str], arguments: dict[str, Any], oracle: Any
) -> tuple[str, str]:
    """Runs a workflow's source as a LangGraph graph.

    Returns:
        ``("answer", text)``, or ``("error", exception type)``.
    """
    graph = oracle_graph(source, prompts, oracle)
    try:
        state = await graph.compile().ainvoke(arguments)
    except Exception as error:
        return "error", type(error).__name__
    return "answer", state["answer"]


async def run_langgraph_stepwise(
    source: str, prompts: dict[str, str], arguments: dict[str, Any], oracle: Any, checkpointer: Any
) -> tuple[str, str]:
    """Does the same, but stops before every node and goes on from the stored checkpoint."""
    app = oracle_graph(source, prompts, oracle).compile(checkpointer=checkpointer, interrupt_before="*")
    config = {"configurable": {"thread_id": "1"}}
    given: Any = arguments
    try:
        while True:
            state = await app.ainvoke(given, config)
            if not (await app.aget_state(config)).next:
                return "answer", state["answer"]
            given = None
    except Exception as error:
        return "error", type(error).__name__


async def run_langgraph_source(
    source: str, prompts: dict[str, str], arguments: dict[str, Any], oracle: Any
) -> tuple[str, str]:
    """Runs the module that the backend writes; sources of this repository only, as it is executed."""
    from flowreasoner_adapters.langgraph import LangGraphBackend, Operators

    operators = oracle_operators(oracle)
    text = LangGraphBackend(operators=operators).source(Workflow.parse(source, prompts))["workflow.py"]
    namespace: dict[str, Any] = {"__name__": "workflow"}
    exec(compile(text, "workflow.py", "exec", dont_inherit=True), namespace)
    try:
        state = await namespace["build"](Operators(operators=operators)).compile().ainvoke(arguments)
    except Exception as error:
        return "error", type(error).__name__
    return "answer", state["answer"]
