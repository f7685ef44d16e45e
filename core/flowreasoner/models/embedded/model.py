"""The chat model on top of the runtime: ChatML in, text out, nothing to pay."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from flowreasoner.errors import ModelRefused, RequestRefused
from flowreasoner.models.base import Completion
from flowreasoner.models.embedded.batching import Batcher
from flowreasoner.models.embedded.checkpoint import CONFIG, GENERATION, TOKENIZER, WEIGHTS, Generation, load_checkpoint
from flowreasoner.models.embedded.sampling import Sampler
from flowreasoner.models.embedded.transformer import Transformer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tokenizers import Tokenizer

    from flowreasoner.models.base import ChatRequest, Message
    from flowreasoner.models.embedded.checkpoint import Checkpoint

__all__ = ["EmbeddedModel"]


class EmbeddedModel:
    """A small language model in this process, on the CPU.

    Args:
        folder: Of the checkpoint; models of the same folder share one batch.
        label: Names it in `name`.
        temperature: The checkpoint's own unless given; 0 takes the likeliest token always.
        top_p: Share of the probability that is sampled from; the checkpoint's own unless given.
        max_tokens: Longest reply; the checkpoint's own unless given.
        seed: Another one gives other draws.

    Raises:
        ModelRefused: If the checkpoint or a setting cannot be used.
    """

    simulated = False

    def __init__(
        self,
        folder: Path,
        *,
        label: str = "",
        temperature: float | None = None,
        top_p: float | None = None,
        max_tokens: int | None = None,
        seed: int | None = None,
    ) -> None:
        self.folder = folder
        self._runtime = _runtime(folder, _stamp(folder))
        given = {"temperature": temperature, "top_p": top_p, "max_tokens": max_tokens}
        settings = self._runtime.checkpoint.generation.model_dump()
        settings |= {name: value for name, value in given.items() if value is not None}
        if top_p is not None and not 0 < top_p <= 1:
            raise ModelRefused(f"embedded: top_p must be above 0 and at most 1, got {top_p:g}")
        self.generation = Generation(**settings)
        shown = settings if seed is None else settings | {"seed": seed}
        shown = shown | {"weights": self._runtime.checkpoint.digest[:12]}
        # The weights' hash keeps a cached reply from being taken for one of other weights.
        self.name = f"embedded:{label or folder}?" + "&".join(f"{name}={value}" for name, value in shown.items())

    @property
    def context(self) -> int:
        """Tokens that a request and its reply may take together."""
        return self._runtime.checkpoint.config.max_position_embeddings

    @property
    def parameters(self) -> int:
        """How many numbers the model has."""
        return sum(value.size for value in self._runtime.checkpoint.weights.values())

    def fits(self, messages: Sequence[Message]) -> bool:
        """Tells whether there is room for a whole reply after a conversation."""
        return len(self.tokens(messages)) + self.generation.max_tokens <= self.context

    async def complete(self, request: ChatRequest) -> Completion:
        """Answers a request; the same request always gets the same answer, whatever else is asked meanwhile.

        Raises:
            RequestRefused: If the conversation does not fit the context.
        """
        prompt = self.tokens(request.messages)
        room = self.context - len(prompt)
        if room < 1:
            raise RequestRefused(
                f"the request has {len(prompt)} tokens, but {self.name.partition('?')[0]} reads {self.context} at most"
            )
        request.permit()
        sampler = Sampler(request.key(self.name), self.generation.temperature, self.generation.top_p)
        future = self._runtime.batcher.submit(prompt, sampler, min(self.generation.max_tokens, room))
        written = await asyncio.wrap_future(future)
        text = self._runtime.checkpoint.tokenizer.decode(written, skip_special_tokens=True)
        return Completion(text, input_tokens=len(prompt), output_tokens=len(written), usd=0.0)

    def tokens(self, messages: Sequence[Message]) -> list[int]:
        """Returns a conversation as the token ids that ask for the assistant's next message (ChatML).

        Args:
            messages: Their content is never read as a mark, whatever it spells.
        """
        start, end = self._runtime.start, self._runtime.end
        line = self._plain("\n")
        ids: list[int] = []
        for message in messages:
            ids += [start, *self._plain(f"{message.role}\n{message.content}"), end, *line]
        return [*ids, start, *self._plain("assistant\n")]

    def _plain(self, text: str) -> list[int]:
        ids: list[int] = self._runtime.checkpoint.tokenizer.encode(text, add_special_tokens=False).ids
        return ids

    async def aclose(self) -> None:
        """Does nothing: what is under way belongs to who awaits it, and the runtime stops by itself."""


@dataclass(frozen=True)
class _Runtime:
    """A checkpoint at work; `start` and `end` are the token ids of ChatML's marks."""

    checkpoint: Checkpoint
    batcher: Batcher
    start: int
    end: int


@lru_cache(maxsize=4)
def _runtime(folder: Path, stamp: tuple[int, ...]) -> _Runtime:
    """Loads a checkpoint once for all who use it.

    Args:
        folder: Of the checkpoint.
        stamp: Changes with the files, so that new ones are read anew.
    """
    del stamp
    checkpoint = load_checkpoint(folder)
    tokenizer = checkpoint.tokenizer
    start, end = (_mark(tokenizer, mark, folder) for mark in ("<|im_start|>", "<|im_end|>"))
    tokenizer.encode_special_tokens = True  # marks within a message are text
    tokenizer.no_truncation()
    tokenizer.no_padding()
    transformer = Transformer(checkpoint.config, checkpoint.weights)
    return _Runtime(checkpoint, Batcher(transformer, end), start, end)


def _mark(tokenizer: Tokenizer, mark: str, folder: Path) -> int:
    found: int | None = tokenizer.token_to_id(mark)
    if found is None:
        raise ModelRefused(f"{folder / TOKENIZER} has no token {mark}; the runtime speaks ChatML only")
    return found


def _stamp(folder: Path) -> tuple[int, ...]:
    """Returns what changes with the checkpoint's files."""
    stamps: list[int] = []
    for name in (CONFIG, TOKENIZER, WEIGHTS, GENERATION):
        try:
            status = (folder / name).stat()
        except OSError:
            continue  # reading it will say what is wrong
        stamps += [status.st_mtime_ns, status.st_size]
    return tuple(stamps)
