"""DSPy: workflows as modules with a named predictor per operator call, and a program generator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from flowreasoner_adapters.dspy.backend import DSPyBackend, check_dspy
from flowreasoner_plugins import hookimpl
from flowreasoner_plugins.requires import lazily

if TYPE_CHECKING:
    from flowreasoner_adapters.dspy.generator import FlowReasonerProgram
    from flowreasoner_adapters.dspy.model import DSPyModel
    from flowreasoner_adapters.dspy.predictors import OperatorPredict
    from flowreasoner_adapters.dspy.program import LMError, WorkflowModule, WorkflowProgram, answering
    from flowreasoner_plugins.manager import BackendFactory

__all__ = [
    "DSPyBackend",
    "DSPyModel",
    "FlowReasonerProgram",
    "LMError",
    "OperatorPredict",
    "WorkflowModule",
    "WorkflowProgram",
    "answering",
]

_HOMES = {
    "DSPyModel": "model",
    "FlowReasonerProgram": "generator",
    "OperatorPredict": "predictors",
    **dict.fromkeys(["LMError", "WorkflowModule", "WorkflowProgram", "answering"], "program"),
}


__getattr__ = lazily(__name__, _HOMES, check_dspy)


@hookimpl
def flowreasoner_backends() -> Mapping[str, BackendFactory]:
    """Returns the DSPy backend."""
    return {"dspy": DSPyBackend}
