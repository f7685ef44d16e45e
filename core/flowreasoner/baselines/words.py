"""Instructions for the worker in workflows that a method puts together of fixed parts."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["GENERAL", "MINIATURE", "Words"]


@dataclass(frozen=True, slots=True)
class Words:
    """What the worker is told.

    Attributes:
        plan: To plan, without code.
        follow: To write code along a plan.
        write: To write code.
        improve: To write code anew after a solution failed.
    """

    plan: str
    follow: str
    write: str
    improve: str


GENERAL = Words(
    "Think step by step how this problem can be solved. Write the steps down, and no code yet.",
    "Write the program along the given steps.",
    "Solve the problem.",
    "An earlier solution failed some of its tests. Look for edge cases and pitfalls, then write a correct solution.",
)
"""For workers that understand any instruction."""

MINIATURE = Words(
    "List the steps that solve this problem, one a line. Plan only.",
    "Follow the plan, step by step.",
    "Write the function, simply and correctly.",
    "Work out each step carefully, then write the function.",
)
"""Those that the embedded worker knows from its training; it understands no others."""
