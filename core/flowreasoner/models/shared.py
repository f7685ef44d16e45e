"""A model whose answers are shared: contenders that ask the same with the same draw get the same answer, asked once."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from flowreasoner.models.base import ModelWrapper

if TYPE_CHECKING:
    from flowreasoner.models import ChatModel, ChatRequest, Completion

__all__ = ["SharedModel"]


class SharedModel(ModelWrapper):
    """Asks a model once per request and draw, also where several wait for the answer at the same time.

    A model that is seeded by the request would give the same answer each time, so this saves time and changes no
    result. Tokens count for everyone who gets the answer, as if each had asked.

    Args:
        model: Asked. Answers are kept in memory.
        most: Answers that are kept; then the oldest are forgotten.
    """

    def __init__(self, model: ChatModel, most: int = 20_000) -> None:
        super().__init__(model)
        self.most = most
        self.asked = 0
        self.shared = 0
        self._answers: dict[str, asyncio.Task[Completion]] = {}

    async def complete(self, request: ChatRequest) -> Completion:
        """Answers a request.

        Raises:
            ModelError: From the inner model; whoever asks next has it try again.
        """
        key = request.key(self.model.name)
        answer = self._answers.get(key)
        known = answer is not None
        if answer is None:
            answer = self._answers[key] = asyncio.ensure_future(self.model.complete(request))
            self.asked += 1
            self._forget()
        else:
            self.shared += 1
        try:
            completion = await asyncio.shield(answer)  # who stops waiting must not take it from the others
        except Exception:
            self._answers.pop(key, None)
            raise
        return replace(completion, cached=True) if known else completion

    def _forget(self) -> None:
        if len(self._answers) > self.most:
            oldest = next(iter(self._answers))
            if self._answers[oldest].done():
                del self._answers[oldest]

    async def aclose(self) -> None:
        """Gives up what is still being asked, and closes the inner model."""
        unfinished = [answer for answer in self._answers.values() if not answer.done()]
        for answer in unfinished:
            answer.cancel()
        await asyncio.gather(*unfinished, return_exceptions=True)
        await super().aclose()
