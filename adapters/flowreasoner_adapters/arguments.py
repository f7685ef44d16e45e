"""Checks of what users hand to adapters, before it fails much later and elsewhere."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from flowreasoner.api import design
from flowreasoner.errors import QueryError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["check_design_settings", "check_workflow", "listed_tests"]

_OWN = {"query", "meta_agent", "worker", "sandbox"}


def check_workflow(workflow: object) -> None:
    """Checks that a backend is given a workflow.

    Raises:
        QueryError: Naming what it is and what to write.
    """
    if not hasattr(workflow, "program"):
        raise QueryError(f"workflow must be a Workflow, e.g. Workflow.parse(source), not {type(workflow).__name__}")


def check_design_settings(settings: Mapping[str, Any]) -> None:
    """Checks settings that are handed on to `flowreasoner.design`.

    Raises:
        QueryError: Naming the one that it does not have.
    """
    known = inspect.signature(design).parameters.keys() - _OWN
    for name in settings:
        if name not in known:
            raise QueryError(f"there is no setting {name!r}; there are {', '.join(sorted(known))}")


def listed_tests(test_cases: object) -> list[str]:
    """Returns test cases as a list, where one was given as it is.

    Raises:
        QueryError: If they are no statements.
    """
    if isinstance(test_cases, str):
        return [test_cases]
    if test_cases is None:
        return []
    if not isinstance(test_cases, list | tuple):
        raise QueryError(f"test_cases must be a list of assert statements, not {type(test_cases).__name__}")
    return [str(case) for case in test_cases]
