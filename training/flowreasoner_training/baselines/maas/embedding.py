"""Texts as vectors: hashed n-grams, which need no download, or an encoder in a local folder."""

from __future__ import annotations

import hashlib
import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from flowreasoner_training.requires import explained

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["WIDTH", "Embedder", "folder_encoder", "hashed_ngrams"]

Embedder = Callable[[str], Sequence[float]]
"""Gives every text a vector of the same width."""

WIDTH = 384
"""As wide as the published MiniLM's."""

_LONGEST = 20_000
_WORDS, _CHARACTERS = (1, 2), (3, 4, 5)


def hashed_ngrams(text: str) -> list[float]:
    """Returns a text as a bag of hashed n-grams, of length 1 (or 0 for a text without any).

    Words and pairs of words, and three to five characters within a word, count with the square root of their
    frequency. A hash decides an n-gram's place and sign (Weinberger et al. 2009), the same on every machine.

    Args:
        text: Its first 20,000 characters count, in lower case.
    """
    vector = [0.0] * WIDTH
    for gram, count in Counter(_grams(text[:_LONGEST].lower())).items():
        number = int.from_bytes(hashlib.blake2b(gram.encode("utf-8", "replace"), digest_size=8).digest(), "big")
        sign = 1.0 if number >> 63 else -1.0
        vector[number % WIDTH] += sign * math.sqrt(count)
    norm = math.sqrt(math.fsum(value * value for value in vector)) or 1.0
    return [value / norm for value in vector]


def folder_encoder(folder: Path, most_tokens: int = 256) -> Embedder:
    """Returns an encoder such as the published MiniLM: the mean over tokens, of length 1.

    Args:
        folder: A model and tokenizer for transformers; nothing is downloaded.
        most_tokens: Of a text; what is beyond is left out.

    Raises:
        PluginError: If torch or transformers is not installed.
        OSError: If the folder holds no such model.
    """
    with explained("an encoder for MaAS"):
        import torch
        from transformers import AutoModel, AutoTokenizer
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    model = AutoModel.from_pretrained(folder, local_files_only=True).eval()

    def embed(text: str) -> list[float]:
        tokens = tokenizer(text, return_tensors="pt", truncation=True, max_length=most_tokens)
        with torch.no_grad():
            mean = model(**tokens).last_hidden_state[0].mean(0)
        return [float(value) for value in torch.nn.functional.normalize(mean, dim=0)]

    return embed


def _grams(text: str) -> Iterator[str]:
    words = re.findall(r"\w+|[^\w\s]", text)
    for size in _WORDS:
        yield from (f"w{size}:" + " ".join(words[at : at + size]) for at in range(len(words) - size + 1))
    for word in words:
        marked = f"<{word}>"
        for size in _CHARACTERS:
            yield from (f"c{size}:" + marked[at : at + size] for at in range(len(marked) - size + 1))
