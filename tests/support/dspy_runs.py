"""Runs workflows as DSPy programs whose operators are an oracle's, for comparisons with other ways to run them."""

from __future__ import annotations

from typing import Any

from langgraph_runs import oracle_operators

from flowreasoner.errors import WorkflowFailed
from flowreasoner.workflow import Workflow


async def _answer(program: Any, arguments: dict[str, Any]) -> tuple[str, str]:
    try:
        prediction = await program.acall(**arguments)
    except WorkflowFailed as error:  # the engine names the error and its line
        return "error", str(error).split(": ")[1]
    except Exception as error:
        return "error", type(error).__name__
    return "answer", prediction.answer


async def run_dspy(source: str, prompts: dict[str, str], arguments: dict[str, Any], oracle: Any) -> tuple[str, str]:
    """Runs a workflow's source as a live DSPy module.

    Returns:
        ``("answer", text)``, or ``("error", exception type)``.
    """
    from flowreasoner_adapters.dspy import DSPyBackend

    backend = DSPyBackend(operators=oracle_operators(oracle))
    return await _answer(backend.emit(Workflow.parse(source, prompts)), arguments)


async def run_dspy_source(
    source: str, prompts: dict[str, str], arguments: dict[str, Any], oracle: Any
) -> tuple[str, str]:
    """Runs the module that the backend writes; sources of this repository only, as it is executed."""
    from flowreasoner_adapters.dspy import DSPyBackend

    operators = oracle_operators(oracle)
    text = DSPyBackend(operators=operators).source(Workflow.parse(source, prompts))["workflow.py"]
    namespace: dict[str, Any] = {"__name__": "workflow"}
    exec(compile(text, "workflow.py", "exec", dont_inherit=True), namespace)
    program = namespace["Workflow"]()
    for _, predictor in program.named_predictors():
        predictor.operator = operators[predictor.operator.name]
    return await _answer(program, arguments)
