"""Draws tokens: temperature and top-p, from a generator that belongs to one request alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Sampler"]


class Sampler:
    """Draws the tokens of one reply.

    Args:
        key: The request's key, hexadecimal; the same key draws the same.
        temperature: Divides the logits; 0 takes the likeliest token.
        top_p: Share of the probability that is sampled from, the likeliest tokens first.
    """

    def __init__(self, key: str, temperature: float, top_p: float) -> None:
        self.temperature, self.top_p = temperature, top_p
        self._random = np.random.Generator(np.random.PCG64(int(key, 16)))

    def draw(self, logits: NDArray[np.float32]) -> int:
        """Returns a token id, by the logits of one position, ``(vocabulary,)``."""
        if self.temperature == 0:
            return int(logits.argmax())
        scaled = logits.astype(np.float64) / self.temperature
        weights: NDArray[Any] = np.exp(scaled - scaled.max())
        if self.top_p < 1:
            order = np.argsort(-weights, kind="stable")
            reached = np.cumsum(weights[order])
            kept = order[: int(np.searchsorted(reached, self.top_p * reached[-1])) + 1]
        else:
            kept = np.arange(len(weights))
        reached = np.cumsum(weights[kept])
        place = np.searchsorted(reached, self._random.random() * reached[-1], side="right")
        return int(kept[min(int(place), len(kept) - 1)])
