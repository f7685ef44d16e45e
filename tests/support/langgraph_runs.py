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


async def run_langgraph(
    source: str, prompts: dict[str, str], arguments: dict[str, Any], oracle: Any, **compiled: Any
) -> tuple[str, str]:
    """Runs a workflow's source as a LangGraph graph.

    Returns:
        ``("answer", text)``, or ``("error", exception type)``.
    """
    from flowreasoner_adapters.langgraph import LangGraphBackend

    graph = LangGraphBackend(operators=oracle_operators(oracle)).emit(Workflow.parse(source, prompts))
    config = {"configurable": {"thread_id": "1"}}
    try:
        state = await graph.compile(**compiled).ainvoke(arguments, config)
    except Exception as error:
        return "error", type(error).__name__
    return "answer", state["answer"]
