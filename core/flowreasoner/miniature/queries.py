"""Queries of the miniature world, with feedback and hidden tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from flowreasoner.query import Query

__all__ = ["Split", "queries", "random_query", "recognises"]

Split = Literal["train", "test"]


def queries(split: Split, count: int, seed: int = 0) -> list[Query]:
    """Returns distinct queries of a split; compositions of the test split occur in no training query.

    Args:
        split: ``train`` or ``test``.
        count: How many; depths 1 to 4 come equally often.
        seed: Decides which.
    """
    raise NotImplementedError


def random_query(seed: int, depth: int | None = None) -> Query:
    """Returns one query of the test split.

    Args:
        seed: Decides which.
        depth: Steps of the composition, 1 to 4; drawn unless given.
    """
    raise NotImplementedError


def recognises(problem: str) -> bool:
    """Tells whether a problem is of the family."""
    raise NotImplementedError
