"""The project's own dozen small problems, for a first look and for tests."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from flowreasoner.query import Query

__all__ = ["DEMO"]


class _Demo:
    name = "demo"
    description = "a dozen small programming problems that come with FlowReasoner"

    def queries(self, data: Path | None = None) -> Iterable[Query]:
        """Returns the problems; they state feedback and hidden tests themselves."""
        import yaml

        from flowreasoner.query_file import query_from_json

        del data  # they come with the package
        folder = resources.files("flowreasoner") / "demo"
        for file in sorted(folder.iterdir(), key=lambda item: item.name):
            if file.name.endswith(".yaml"):
                value = yaml.safe_load(file.read_text(encoding="utf-8"))
                yield query_from_json(value, where=f"demo:{file.name.removesuffix('.yaml')}")


DEMO = _Demo()
