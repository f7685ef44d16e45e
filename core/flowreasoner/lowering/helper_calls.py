"""Calls of helper methods, whose arguments become variables where the method is put in place."""

from __future__ import annotations

import ast
import copy
from typing import TYPE_CHECKING

from flowreasoner.lowering.refusals import refused

if TYPE_CHECKING:
    from flowreasoner.workflow.program import Method

__all__ = ["arguments_of"]


def arguments_of(method: Method, call: ast.Call) -> dict[str, ast.expr]:
    """Returns a call's arguments by parameter, in the order in which Python evaluates them.

    Args:
        method: The helper method.
        call: A call of it.

    Raises:
        WorkflowInvalid: If it cannot be called so, or only Python could tell.
    """
    if any(isinstance(item, ast.Starred) for item in call.args) or any(item.arg is None for item in call.keywords):
        raise refused(call, "starred-arguments", "a helper is called with * or **", "write its arguments one by one")
    if len(call.args) > len(method.parameters):
        raise refused(call, "helper-arguments", f"{method.name} takes fewer arguments", "leave the others out")
    given = dict(zip(method.parameters, call.args, strict=False))
    for keyword in call.keywords:
        if keyword.arg in given or keyword.arg not in method.parameters:
            message = f"{method.name} is called with a wrong or repeated argument {keyword.arg!r}"
            raise refused(call, "helper-arguments", message, f"it takes {', '.join(method.parameters)}")
        given[str(keyword.arg)] = keyword.value
    for name in method.parameters:
        if name not in given:
            default = method.default_of(name)
            if default is None:
                message = f"{method.name} is called without {name!r}"
                raise refused(call, "helper-arguments", message, f"it takes {', '.join(method.parameters)}")
            given[name] = copy.deepcopy(default)
    return given
