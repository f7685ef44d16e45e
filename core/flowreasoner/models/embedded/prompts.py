"""Reads prompts, and remembers their beginnings: samples of one prompt, and rounds of one conversation, share much."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

import numpy as np

from flowreasoner.models.embedded.transformer import CHUNK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from flowreasoner.models.embedded.transformer import Memory, Transformer

__all__ = ["PromptReader"]


class PromptReader:
    """Reads prompts chunk by chunk, each distinct beginning once.

    A chunk's keys and values depend on the tokens up to its end alone, and chunks begin at the same places in every
    prompt; so what is remembered is what reading it again would give, to the last bit.

    Args:
        transformer: Reads.
        most: Chunks to remember, the least recently used forgotten first.
    """

    def __init__(self, transformer: Transformer, most: int = 64) -> None:
        self.transformer, self.most = transformer, most
        self._known: OrderedDict[bytes, tuple[NDArray[np.float32], NDArray[np.float32]]] = OrderedDict()

    def read(self, prompt: Sequence[int], memory: Memory) -> NDArray[np.float32]:
        """Reads a prompt into a fresh memory.

        Args:
            prompt: Token ids, at least one.
            memory: With capacity for them.

        Returns:
            Logits of the token that follows, ``(vocabulary,)``.
        """
        ids = np.asarray(prompt, np.int64)
        last = (len(ids) - 1) // CHUNK * CHUNK  # always read, for its logits
        for start in range(0, last, CHUNK):
            self._read_chunk(ids, slice(start, start + CHUNK), memory)
        return self.transformer.read(ids[last:], memory)

    def _read_chunk(self, ids: NDArray[np.int64], part: slice, memory: Memory) -> None:
        key = ids[: part.stop].tobytes()
        known = self._known.get(key)
        if known is None:
            self.transformer.read(ids[part], memory)
            self._known[key] = memory.keys[:, :, part].copy(), memory.values[:, :, part].copy()
            if len(self._known) > self.most:
                self._known.popitem(last=False)
        else:
            self._known.move_to_end(key)
            memory.keys[:, :, part], memory.values[:, :, part] = known
            memory.length = part.stop
