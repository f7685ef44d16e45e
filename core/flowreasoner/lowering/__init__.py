"""Lowering: a checked program as what every target framework needs of it (docs/backends.md).

Program to program, in this order: `flatten` makes every await a statement of its own; `parallelise` writes
independent calls and sampling loops as `asyncio.gather`. Then `control_flow` makes a graph of it.
"""

from flowreasoner.lowering.flatten import flatten
from flowreasoner.lowering.parallel import parallelise

__all__ = ["flatten", "parallelise"]
