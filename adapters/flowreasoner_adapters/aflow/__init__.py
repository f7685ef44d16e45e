"""AFlow and MetaGPT: workflows as the files that AFlow keeps per round."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from flowreasoner.errors import FlowReasonerError
from flowreasoner_plugins import hookimpl

if TYPE_CHECKING:
    from flowreasoner.workflow import Workflow
    from flowreasoner_plugins.manager import BackendFactory

__all__ = ["AFlowBackend"]


class AFlowBackend:
    """Writes ``graph.py`` and ``prompt.py`` in AFlow's form: the class alone, as AFlow adds its own imports."""

    name = "aflow"

    def emit(self, workflow: Workflow) -> object:
        """Always raises: a live AFlow graph needs MetaGPT, which this version does not drive yet.

        Raises:
            FlowReasonerError: Naming the other method.
        """
        del workflow
        raise FlowReasonerError("the aflow backend does not build live graphs yet; write files with source()")

    def source(self, workflow: Workflow) -> Mapping[str, str]:
        """Returns the files of one round."""
        return {"graph.py": workflow.source, "prompt.py": workflow.prompt_source}


@hookimpl
def flowreasoner_backends() -> Mapping[str, BackendFactory]:
    """Returns the AFlow backend."""
    return {"aflow": AFlowBackend}
