"""A workflow as boxes and lines: a box for each place that calls an operator, a line to what may come next."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from flowreasoner.lowering import Dispatch, Next, Route, destinations, step_graph

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from flowreasoner.lowering import Step, StepGraph
    from flowreasoner.operators import Operator
    from flowreasoner.workflow import CallSite, Program

__all__ = ["END", "START", "drawing"]

START, END = "(start)", "(answer)"
"""Where each drawing begins and ends; no call site has such a name."""


@dataclass
class _Place:
    """A step, or one of a subgraph: where it calls an operator, if it does, and where it goes on.

    Attributes:
        site: The call site, or None for statements alone.
        beside: Whether other calls may be made at the same time.
        ways: Names of the places that follow, each with its kind: ``then``, ``maybe`` or ``error``.
    """

    site: CallSite | None
    beside: bool
    ways: list[tuple[str, str]] = field(default_factory=list)


def drawing(program: Program, operators: Mapping[str, Operator]) -> dict[str, Any]:
    """Returns what a picture of a program shows.

    Steps without an operator call are left out, and lines pass through them.

    Args:
        program: A checked program.
        operators: Operators by class name.

    Returns:
        ``nodes``, one for each call site that can be reached, and ``edges`` between them, `START` and `END`; an edge
        is of the kind ``then``, ``maybe`` (a test decides) or ``error`` (an error leads there).

    Raises:
        WorkflowInvalid: If no graph can express it.
    """
    graph = step_graph(program, operators)
    places = {START: _Place(None, beside=False, ways=[(graph.entry.name, "then")])}
    _lay_out(graph, "", END, places)
    nodes, edges = dict[str, dict[str, Any]](), dict[tuple[str, str], str]()
    for name, place in places.items():
        if place.site is None and name != START:
            continue
        origin = START if place.site is None else place.site.name
        if place.site is not None:
            site = place.site
            beside = place.beside or bool(nodes.get(site.name, {}).get("beside"))
            nodes[site.name] = {"name": site.name, "operator": site.operator, "line": site.line, "beside": beside}
        for target, kind in _reached(name, places):
            known = edges.get((origin, target))
            edges[origin, target] = kind if known is None else min(known, kind, key=_KINDS.index)
    listed = [{"from": origin, "to": target, "kind": kind} for (origin, target), kind in edges.items()]
    return {"nodes": list(nodes.values()), "edges": listed}


_KINDS = ("then", "maybe", "error")


def _lay_out(graph: StepGraph, prefix: str, end: str, places: dict[str, _Place]) -> None:
    """Writes down the steps of a graph and of its subgraphs; `end` is where it goes on when it has finished."""
    collectors = graph.collectors()
    for step in graph.steps.values():
        after = [prefix + name for name in collectors.get(step.name, ())]
        place = places[prefix + step.name] = _Place(step.site, beside=bool(prefix) or step.kind == "sample")
        if step.graph is not None:
            inside = f"{prefix}{step.name}/"
            place.ways.append((inside + step.graph.entry.name, "then"))
            places[inside] = _Place(None, beside=True, ways=[(name, "then") for name in after])
            _lay_out(step.graph, inside, inside, places)
        elif step.kind == "sample":
            place.ways += [(name, "then") for name in after]
        else:
            place.ways += _ways(step, prefix, end)
        place.ways += [(prefix + handler.step, "error") for handler in step.handlers]


def _ways(step: Step, prefix: str, end: str) -> Iterator[tuple[str, str]]:
    match step.exit:
        case Dispatch(samples=samples, collect=collect):
            yield from ((prefix + name, "then") for name in samples or (collect,))
        case Next(step=name):
            yield prefix + name, "then"
        case Route() as route:
            following = destinations(route)
            kind = "then" if len(following) == 1 else "maybe"
            yield from ((end if name is None else prefix + name, kind) for name in sorted(following, key=str))
        case other:
            yield from ((end, "then") for _ in destinations(other))


def _reached(name: str, places: Mapping[str, _Place]) -> Iterator[tuple[str, str]]:
    """Yields the call sites, and `END`, that follow a place, with the weakest kind of line on the way."""
    waiting, seen = [(name, "then")], set[tuple[str, str]]()
    while waiting:
        at, kind = waiting.pop()
        for target, way in places[at].ways:
            weakest = max(kind, way, key=_KINDS.index)
            if (target, weakest) in seen:
                continue
            seen.add((target, weakest))
            place = places.get(target)
            if place is None:
                yield END, weakest
            elif place.site is not None:
                yield place.site.name, weakest
            else:
                waiting.append((target, weakest))
