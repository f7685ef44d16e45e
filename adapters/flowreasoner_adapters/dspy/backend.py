"""The backend: workflows as DSPy modules, live or as source."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flowreasoner_adapters.arguments import check_workflow
from flowreasoner_plugins.requires import require

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flowreasoner.workflow import Workflow
    from flowreasoner_adapters.dspy.program import WorkflowProgram

__all__ = ["DSPyBackend", "check_dspy"]


def check_dspy() -> None:
    """Checks that DSPy is there, in a version that works.

    Raises:
        PluginError: If not, with the command that helps.
    """
    require("dspy", "dspy", least=(3, 4), below=(3, 5))


class DSPyBackend:
    """Emits workflows to DSPy; they run on the LM that DSPy is configured with.

    Args:
        settings: Further arguments of `WorkflowProgram`: ``sandbox``, ``tests``, ``operators``, ``budget``, ``seed``.

    Raises:
        PluginError: If DSPy is missing or of a version that is not supported.
    """

    name = "dspy"

    def __init__(self, **settings: Any) -> None:
        check_dspy()
        self.settings = settings

    def emit(self, workflow: Workflow) -> WorkflowProgram:
        """Returns a workflow as a module with a named predictor per operator call site.

        Raises:
            WorkflowInvalid: If DSPy cannot express it, with the line and a remedy.
        """
        from flowreasoner_adapters.dspy.program import WorkflowProgram

        check_workflow(workflow)
        return WorkflowProgram(workflow, **self.settings)

    def source(self, workflow: Workflow) -> Mapping[str, str]:
        """Returns a Python module with the same program, to keep and edit.

        Raises:
            WorkflowInvalid: If DSPy cannot express it, with the line and a remedy.
        """
        from flowreasoner.operators import BUILTIN
        from flowreasoner_adapters.dspy.source import source

        check_workflow(workflow)
        return {"workflow.py": source(workflow, self.settings.get("operators", BUILTIN))}
