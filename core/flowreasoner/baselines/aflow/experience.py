"""AFlow's experience backpropagation: a round knows which changes of it helped and which did not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flowreasoner.baselines.aflow.selection import Node

__all__ = ["Experience"]


@dataclass(frozen=True)
class Experience:
    """The rounds that were made from one round.

    Attributes:
        parent: That round.
        successes: Those that score more.
        failures: The others.
    """

    parent: Node
    successes: tuple[Node, ...]
    failures: tuple[Node, ...]

    @classmethod
    def of(cls, parent: Node, nodes: Sequence[Node]) -> Experience:
        """Returns the experience with a round.

        Args:
            parent: The round.
            nodes: All rounds.
        """
        children = [node for node in nodes if node.parent is parent]
        better = tuple(node for node in children if node.score > parent.score)
        return cls(parent, better, tuple(node for node in children if node.score <= parent.score))

    @property
    def children(self) -> tuple[Node, ...]:
        """All rounds made from it, in their order."""
        return tuple(sorted((*self.successes, *self.failures), key=lambda node: node.number))

    def knows(self, modification: str) -> bool:
        """Tells whether a change was tried before, by its words."""
        return any(node.validated.modification == modification for node in self.children)

    def render(self) -> str:
        """Returns the experience as the meta-agent reads it."""
        if not self.children:
            return "Nothing was tried yet."
        lines: list[str] = []
        for heading, nodes in (
            (
                "These changes made it better. Do not propose the same again; what made them work may help:",
                self.successes,
            ),
            ("These changes did not help. Do not repeat them or what amounts to them:", self.failures),
        ):
            if nodes:
                lines += [heading, *(f"- (score {node.score:.4f}) {node.validated.modification}" for node in nodes)]
        return "\n".join(lines)
