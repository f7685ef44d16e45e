"""A program's control flow as blocks: straight statements, each block with one way to end.

Helper methods are put where they are awaited; those that are gathered stay graphs of their own. Loops become
jumps, `try` becomes regions with handlers, `finally` is written out on every way that leaves.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

__all__ = ["Block", "Branch", "Call", "Catch", "End", "Fan", "Goto", "Raise", "Region", "Return"]


@dataclass(eq=False)
class Block:
    """Statements that run one after the other.

    Attributes:
        statements: Statements without awaits and without jumps out of them.
        end: What comes after them.
        region: The `try` that the block stands in.
        caught: Name that an error is bound to, for the first block of a handler; empty for a handler without one.
    """

    region: Region | None = None
    statements: list[ast.stmt] = field(default_factory=list)
    end: End | None = None
    caught: str | None = None


@dataclass(eq=False)
class Catch:
    """A handler: exception names (none for all of them), and where it goes on."""

    exceptions: tuple[str, ...]
    block: Block


@dataclass(eq=False)
class Region:
    """The body of a `try` statement.

    Attributes:
        parent: The `try` around it.
        catches: Its handlers, in order.
    """

    parent: Region | None
    catches: list[Catch] = field(default_factory=list)


@dataclass(eq=False)
class Goto:
    """Goes on with another block."""

    next: Block


@dataclass(eq=False)
class Branch:
    """Goes on with one of two blocks."""

    test: ast.expr
    yes: Block
    no: Block


@dataclass(eq=False)
class Call:
    """Calls an operator and stores its result."""

    call: ast.Call
    target: str
    next: Block


@dataclass(eq=False)
class Fan:
    """Runs the calls that its arguments evaluate to at the same time, and stores their results.

    Attributes:
        arguments: Arguments of `asyncio.gather`; one expression without a list for a single awaited variable.
        target: Where the list of results goes, or the only result.
        single: Whether there is only one call, whose result is stored itself.
        keep: The expression of ``return_exceptions``, or None.
        next: Where it goes on.
    """

    arguments: list[ast.expr]
    target: ast.expr
    single: bool
    keep: ast.expr | None
    next: Block


@dataclass(eq=False)
class Return:
    """Ends with a value."""

    value: ast.expr
    line: int


@dataclass(eq=False)
class Raise:
    """Raises the error again that the block was entered with."""


End = Goto | Branch | Call | Fan | Return | Raise
