"""DSPy: workflows as modules with a named predictor per operator call, and a program generator."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from flowreasoner_adapters.dspy.backend import DSPyBackend
from flowreasoner_adapters.requires import require
from flowreasoner_plugins import hookimpl

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


def __getattr__(name: str) -> Any:
    """Loads what needs DSPy on first use, and explains the extra where it is missing."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    require("dspy", "dspy", least=(3, 4), below=(3, 5))
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


@hookimpl
def flowreasoner_backends() -> Mapping[str, BackendFactory]:
    """Returns the DSPy backend."""
    return {"dspy": DSPyBackend}
