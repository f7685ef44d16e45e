"""Continuous batching: requests join and leave between steps, whoever waits for them, from any thread or event loop."""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flowreasoner.models.embedded.prompts import PromptReader
from flowreasoner.models.embedded.transformer import Memory

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from flowreasoner.models.embedded.sampling import Sampler
    from flowreasoner.models.embedded.transformer import Transformer

__all__ = ["Batcher"]


@dataclass(eq=False)
class _Job:
    """A request on its way.

    Attributes:
        prompt: Token ids.
        sampler: Draws the reply.
        limit: Tokens of the reply at most.
        future: Gets the reply; cancelled by who no longer wants it.
        tokens: The reply so far.
        memory: What the transformer has read of it; None before the first step.
    """

    prompt: Sequence[int]
    sampler: Sampler
    limit: int
    future: Future[list[int]] = field(default_factory=Future)
    tokens: list[int] = field(default_factory=list)
    memory: Memory | None = None


class Batcher:
    """Steps all requests at once in one thread, which lives as long as there are any.

    Args:
        transformer: Does the steps.
        end: Token id that ends a reply.
        most: Requests in one step at most; others wait.
    """

    def __init__(self, transformer: Transformer, end: int, most: int = 32) -> None:
        self.transformer, self.end, self.most = transformer, end, most
        self._prompts = PromptReader(transformer)
        self._lock = threading.Lock()
        self._waiting: deque[_Job] = deque()
        self._thread: threading.Thread | None = None

    def submit(self, prompt: Sequence[int], sampler: Sampler, limit: int) -> Future[list[int]]:
        """Starts a request.

        Args:
            prompt: Token ids; with the reply they must fit the context.
            sampler: Draws the reply.
            limit: Tokens of the reply at most.

        Returns:
            The reply's token ids, with the ending one where it came to that; cancelling it frees the place.
        """
        job = _Job(prompt, sampler, limit)
        with self._lock:
            self._waiting.append(job)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="flowreasoner-embedded")
                self._thread.start()
        return job.future

    def _work(self) -> None:
        active: list[_Job] = []
        while True:
            active = [job for job in active if not job.future.done()]
            with self._lock:
                while self._waiting and len(active) < self.most:
                    job = self._waiting.popleft()
                    active += [] if job.future.done() else [job]
                if not active:
                    self._thread = None
                    return
            try:
                self._step(active)
            except Exception as error:  # whatever it was, who waits must hear of it
                for job in active:
                    _settle(job, error)

    def _step(self, active: Sequence[_Job]) -> None:
        """Draws the next token of each request; a new one reads its prompt first."""
        going = [job for job in active if job.memory is not None]
        if going:
            last = [job.tokens[-1] for job in going]
            rows = self.transformer.step(last, [job.memory for job in going if job.memory is not None])
            for job, logits in zip(going, rows, strict=True):
                self._extend(job, logits)
        for job in active:
            if job.memory is None and not job.future.done():
                job.memory = Memory(self.transformer.config, len(job.prompt) + job.limit)
                self._extend(job, self._prompts.read(job.prompt, job.memory))

    def _extend(self, job: _Job, logits: NDArray[np.float32]) -> None:
        token = job.sampler.draw(logits)
        job.tokens.append(token)
        if token == self.end or len(job.tokens) == job.limit:
            _settle(job, job.tokens)


def _settle(job: _Job, outcome: list[int] | Exception) -> None:
    with contextlib.suppress(InvalidStateError):  # cancelled meanwhile
        if isinstance(outcome, Exception):
            job.future.set_exception(outcome)
        else:
            job.future.set_result(outcome)
