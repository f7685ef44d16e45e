"""Models for tests, yours and ours: scripted replies, or a function of the request; both keep a history."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

from flowreasoner.errors import ModelError, ModelRefused
from flowreasoner.models.base import Completion

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from flowreasoner.models.base import ChatRequest

__all__ = ["FunctionModel", "ScriptedModel"]

Reply = str | Completion | Exception


class FunctionModel:
    """Answers with what a function returns.

    Args:
        function: Called with each request; returns the reply's text, a `Completion`, or an exception to raise.
            It may be async.
        name: The model's name.

    Attributes:
        history: Every request, in order of arrival.
    """

    simulated = True

    def __init__(self, function: Callable[[ChatRequest], Reply | Awaitable[Reply]], name: str = "function:") -> None:
        self.name = name
        self.history: list[ChatRequest] = []
        self._function = function

    async def complete(self, request: ChatRequest) -> Completion:
        """Returns the function's answer."""
        self.history.append(request)
        reply = self._function(request)
        if inspect.isawaitable(reply):
            reply = await reply
        if isinstance(reply, Exception):
            raise reply
        if isinstance(reply, Completion):
            return reply
        if not isinstance(reply, str):
            raise ModelRefused(f"{self.name} must return text or a Completion, not {type(reply).__name__}")
        read = sum(len(message.content) for message in request.messages)
        return Completion(reply, input_tokens=read // 4, output_tokens=len(reply) // 4, usd=0.0, estimated=True)

    async def aclose(self) -> None:
        """Does nothing."""


class ScriptedModel(FunctionModel):
    """Answers with the given replies, one after the other.

    Args:
        replies: Texts, completions, or exceptions to raise.
        name: The model's name.

    Raises:
        ModelError: On a request after the last reply.
    """

    def __init__(self, replies: Iterable[Reply], name: str = "scripted:") -> None:
        self._replies = list(replies)
        super().__init__(self._next, name)

    def _next(self, request: ChatRequest) -> Reply:
        index = len(self.history) - 1
        if index >= len(self._replies):
            asked = request.messages[-1].content if request.messages else ""
            return ModelError(
                f"the script has {len(self._replies)} replies, and request {index + 1} asks: {asked!r:.80}"
            )
        return self._replies[index]
