"""The state of a workflow's graph, field by field: for live graphs and for the modules that `source` writes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from typing_extensions import TypedDict

from flowreasoner.lowering import Dispatch
from flowreasoner_adapters.langgraph.building import collected

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flowreasoner.lowering import StepGraph

__all__ = ["OUTPUTS", "RESULTS", "input_fields", "live_schema", "state_fields"]

_COLLECTED = "Annotated[dict[str, Any], collected]"
_INPUTS = {"problem": "str", "entry_point": "str", "test_cases": "list[str]"}
_PLAIN: dict[str, Any] = {"Any": Any, "bool": bool, "int": int, "int | float": int | float, "str": str}

OUTPUTS: Mapping[str, str] = {"answer": "str"}
"""What a graph gives."""

RESULTS: Mapping[str, str] = {"results": _COLLECTED}
"""What a graph gives that runs beside others."""


def state_fields(steps: StepGraph, *, inner: bool) -> dict[str, str]:
    """Returns the annotations of a graph's state by key: its variables, and what the graph itself keeps.

    Args:
        steps: The graph.
        inner: Whether it is one of several that run beside each other.
    """
    fields = {name: _annotation(kind) for name, kind in steps.variables.items()}
    fields |= {"feedback": "dict[str, Any]", "position": "int"} if inner else {**_INPUTS, **OUTPUTS}
    if inner or any(isinstance(step.exit, Dispatch) for step in steps.steps.values()):
        fields |= {**RESULTS, "requests": "list[dict[str, Any]]"}
    if any(map(steps.returns_to, steps.steps.values())):
        fields["collector"] = "str"
    if steps.guarded or any(step.handlers for step in steps.steps.values()):
        fields["failed"] = "Any"
    if steps.prompts or inner:
        fields["prompts"] = "dict[str, str]"
    if steps.shared:
        fields["links"] = "list[Any]"
    return fields


def input_fields(steps: StepGraph) -> dict[str, str]:
    """Returns the annotations of what a graph takes, by key."""
    return {**_INPUTS, **{name: _annotation(steps.variables[name]) for name in steps.parameters}}


def live_schema(name: str, fields: Mapping[str, str]) -> Any:
    """Returns the typed dictionary of annotations."""
    made: Any = TypedDict  # its functional form takes no computed fields where types are checked
    return made(name, {key: _type(annotation) for key, annotation in fields.items()}, total=False)


def _annotation(kind: str) -> str:
    if kind.startswith("list:"):
        return f"list[{_annotation(kind.removeprefix('list:'))}]"
    if kind.startswith("result:"):
        return "dict[str, Any]"
    return {"text": "str", "number": "int | float", "flag": "bool"}.get(kind, "Any")


def _type(annotation: str) -> Any:
    if annotation == _COLLECTED:
        return Annotated[dict[str, Any], collected]
    if annotation.startswith("list["):
        return list[_type(annotation[len("list[") : -1])]  # type: ignore[misc]
    if annotation.startswith("dict[str, "):
        return dict[str, _type(annotation[len("dict[str, ") : -1])]  # type: ignore[misc]
    return _PLAIN[annotation]
