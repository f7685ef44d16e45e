"""The controller: from a query's embedding to a distribution over operators, layer by layer (MaAS)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional

from flowreasoner_training.baselines.maas.supernet import EARLY_STOP, GENERATE

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

    from torch import Tensor

    from flowreasoner_training.baselines.maas.supernet import Architecture

__all__ = ["Controller", "choose", "mend_first_layer"]


class Layer(nn.Module):
    """One layer: scores are cosines of query and operators, encoded to a small width.

    Args:
        width: Of embeddings.
        hidden: Of encodings.
        first: Whether no layer comes before it.
    """

    def __init__(self, width: int, hidden: int, first: bool) -> None:
        super().__init__()
        self.query = nn.Linear(width, hidden)
        self.operators = nn.Linear(width if first else 2 * width, hidden)

    def forward(self, query: Tensor, operators: Tensor, before: Tensor | None) -> Tensor:
        """Returns log-probabilities of the operators, ``(operators,)``.

        Args:
            query: Embedding, ``(width,)``.
            operators: Embeddings, ``(operators, width)``.
            before: Embedding of the operator chosen first in the layer before, ``(width,)``; None in the first layer.
        """
        if before is not None:
            operators = torch.cat([operators, before.expand_as(operators)], dim=1)
        encoded = functional.normalize(self.operators(operators), dim=1)
        return functional.log_softmax(encoded @ functional.normalize(self.query(query), dim=0), dim=0)


class Controller(nn.Module):
    """The distribution over architectures, given a query.

    Args:
        names: Operators.
        embeddings: Theirs, ``(operators, width)``.
        layers: How many.
        hidden: Width of encodings.
        threshold: Sum of probabilities at which a layer has operators enough.
    """

    def __init__(
        self, names: Sequence[str], embeddings: Tensor, layers: int = 4, hidden: int = 32, threshold: float = 0.3
    ) -> None:
        super().__init__()
        self.names, self.threshold = tuple(names), threshold
        self.embeddings = nn.Buffer(embeddings, persistent=False)
        width = embeddings.shape[1]
        self.layers = nn.ModuleList(Layer(width, hidden, number == 0) for number in range(layers))

    def sample(self, query: Tensor, roll: random.Random) -> Architecture:
        """Returns an architecture for a query.

        Args:
            query: Its embedding, ``(width,)``.
            roll: Source of all draws.
        """
        architecture: list[tuple[str, ...]] = []
        before = None
        for layer in self.layers:
            with torch.no_grad():
                probabilities = layer(query, self.embeddings, before).exp().tolist()
            chosen = tuple(self.names[index] for index in choose(probabilities, self.threshold, roll))
            stopped = EARLY_STOP in chosen
            chosen = chosen if architecture else mend_first_layer(chosen)
            architecture.append(chosen)
            if stopped:
                break
            before = self._embedding(chosen[0])
        return tuple(architecture)

    def log_probability(self, query: Tensor, architecture: Architecture) -> Tensor:
        """Returns what the published loss calls an architecture's log-probability, a scalar with a gradient.

        It is the sum of the log-probabilities of all chosen operators, each as if it were the only one of its layer;
        that drawing several without putting back is another distribution, the published code leaves out of account.
        """
        total, before = query.new_zeros(()), None
        for layer, chosen in zip(self.layers, architecture, strict=False):
            log_probabilities = layer(query, self.embeddings, before)
            total = total + log_probabilities[[self.names.index(name) for name in chosen]].sum()
            before = self._embedding(chosen[0])
        return total

    def _embedding(self, name: str) -> Tensor:
        return self.embeddings[self.names.index(name)]


def choose(probabilities: Sequence[float], threshold: float, roll: random.Random) -> list[int]:
    """Draws operators without putting back until their probabilities sum up to the threshold, as published.

    Args:
        probabilities: Of all operators; they sum up to 1.
        threshold: When there are enough.
        roll: Source of the draws.

    Returns:
        Indices, in the order in which they were drawn.
    """
    left, chosen, total = list(range(len(probabilities))), list[int](), 0.0
    while left and total < threshold:
        index = roll.choices(left, [probabilities[item] for item in left])[0]
        left.remove(index)
        chosen.append(index)
        total += probabilities[index]
    return chosen


def mend_first_layer(chosen: tuple[str, ...]) -> tuple[str, ...]:
    """Returns the first layer as it may be: it begins with an operator that writes a program, as published.

    The first such operator moves to the front. Where there is none, or where the work should stop at once, a single
    program is written.
    """
    writing = [name for name in chosen if "Generate" in name]
    if EARLY_STOP in chosen or not writing:
        return (GENERATE,)
    return (writing[0], *(name for name in chosen if name != writing[0]))
