"""One query in, a designed, executed and verified multi-agent system out.

The core of FlowReasoner (arXiv: "FlowReasoner: Reinforcing Query-Level Meta-Agents"): the meta-agent's
inference, without any agent framework. Names are loaded when they are first used, so that importing the
package costs next to nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flowreasoner.api import design, design_sync, evaluate
    from flowreasoner.budget import Budget, Spending
    from flowreasoner.designers import Design, Designer, FlowReasoner, Round
    from flowreasoner.errors import FlowReasonerError
    from flowreasoner.feedback import Evaluation, Feedback
    from flowreasoner.models import ChatModel, FunctionModel, ScriptedModel, model_from_uri
    from flowreasoner.operators import Operator
    from flowreasoner.query import Query
    from flowreasoner.query_file import load_query
    from flowreasoner.sandbox import Sandbox, Suite, Verdict
    from flowreasoner.store import Store
    from flowreasoner.workflow import Diagnostic, Workflow, check

__version__ = "0.1.0"

_HOMES = {
    "api": ("design", "design_sync", "evaluate"),
    "budget": ("Budget", "Spending"),
    "designers": ("Design", "Designer", "FlowReasoner", "Round"),
    "errors": ("FlowReasonerError",),
    "feedback": ("Evaluation", "Feedback"),
    "models": ("ChatModel", "FunctionModel", "ScriptedModel", "model_from_uri"),
    "operators": ("Operator",),
    "query": ("Query",),
    "query_file": ("load_query",),
    "sandbox": ("Sandbox", "Suite", "Verdict"),
    "store": ("Store",),
    "workflow": ("Diagnostic", "Workflow", "check"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "Budget",
    "ChatModel",
    "Design",
    "Designer",
    "Diagnostic",
    "Evaluation",
    "Feedback",
    "FlowReasoner",
    "FlowReasonerError",
    "FunctionModel",
    "Operator",
    "Query",
    "Round",
    "Sandbox",
    "ScriptedModel",
    "Spending",
    "Store",
    "Suite",
    "Verdict",
    "Workflow",
    "__version__",
    "check",
    "design",
    "design_sync",
    "evaluate",
    "load_query",
    "model_from_uri",
]


def __getattr__(name: str) -> Any:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module 'flowreasoner' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"flowreasoner.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
