"""The seam to target frameworks: what a backend makes of a workflow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flowreasoner.workflow import Workflow

__all__ = ["Backend"]


class Backend(Protocol):
    """A target framework that workflows are emitted to.

    Attributes:
        name: Short name, e.g. ``langgraph``.
    """

    @property
    def name(self) -> str:
        """Short name."""
        ...

    def emit(self, workflow: Workflow) -> Any:
        """Returns the workflow as the framework's own live object.

        Raises:
            WorkflowInvalid: If the framework cannot express it.
        """
        ...

    def source(self, workflow: Workflow) -> Mapping[str, str]:
        """Returns readable source files by name, for a user to keep and edit."""
        ...
