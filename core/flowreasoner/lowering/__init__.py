"""Lowering: a checked program as what every target framework needs of it (docs/backends.md).

Program to program, in this order: `flatten` makes every await a statement of its own; `parallelise` writes
independent calls and sampling loops as `asyncio.gather`. Then `step_graph` makes a graph of steps of it.
"""

from flowreasoner.lowering.flatten import flatten
from flowreasoner.lowering.graph import step_graph
from flowreasoner.lowering.parallel import parallelise
from flowreasoner.lowering.steps import (
    Dispatch,
    Exit,
    Finish,
    Handler,
    Next,
    Reraise,
    Route,
    Step,
    StepGraph,
    StepKind,
    destinations,
)

__all__ = [
    "Dispatch",
    "Exit",
    "Finish",
    "Handler",
    "Next",
    "Reraise",
    "Route",
    "Step",
    "StepGraph",
    "StepKind",
    "destinations",
    "flatten",
    "parallelise",
    "step_graph",
]
