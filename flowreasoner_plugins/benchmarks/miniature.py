"""The miniature family as benchmarks: what the embedded models know, and what they were trained on."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from flowreasoner.miniature.queries import Split
    from flowreasoner.query import Query

__all__ = ["MINIATURE", "MINIATURE_TRAIN"]


class _Miniature:
    """A fixed number of queries of one split; tasks are their numbers, from 0."""

    def __init__(self, name: str, split: Split, count: int, training: str = "") -> None:
        self.name, self._split, self._count, self.training = name, split, count, training
        seen = {"test": "held out of training", "train": "for training"}[split]
        self.description = f"{count:,} small functions that the embedded models know, {seen}"

    def queries(self, data: Path | None = None) -> Iterable[Query]:
        """Returns the queries; they state feedback and hidden tests themselves."""
        from flowreasoner.miniature import endless

        del data  # they come from a grammar
        for number, query in enumerate(islice(endless(self._split), self._count)):
            yield replace(query, id=f"{self.name}/{number}")


MINIATURE = _Miniature("miniature", "test", 240, "miniature-train")
MINIATURE_TRAIN = _Miniature("miniature-train", "train", 2_000)
