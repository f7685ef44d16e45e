"""The seam to benchmarks: named collections of queries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from flowreasoner.query import Query

__all__ = ["Benchmark"]


class Benchmark(Protocol):
    """A benchmark.

    Attributes:
        name: Short name, e.g. ``humaneval``.
        description: One sentence.
    """

    @property
    def name(self) -> str:
        """Short name."""
        ...

    @property
    def description(self) -> str:
        """One sentence."""
        ...

    def queries(self, data: Path | None = None) -> Iterable[Query]:
        """Returns all queries, with all tests in `hidden`; a policy divides them.

        Args:
            data: The benchmark's file or folder, where it does not come with the package.

        Raises:
            QueryError: If the data cannot be found or read.
        """
        ...
