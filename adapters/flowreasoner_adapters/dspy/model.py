"""A `dspy.LM` as the core's `ChatModel`, so that DSPy's callbacks, history and usage see every call."""

from __future__ import annotations

import asyncio
import hashlib
from typing import TYPE_CHECKING, Any

import dspy

from flowreasoner.errors import ModelError
from flowreasoner.models.base import ChatModel, Completion

if TYPE_CHECKING:
    from flowreasoner.models.base import ChatRequest

__all__ = ["DSPyModel", "as_chat_model"]


def as_chat_model(lm: Any) -> ChatModel:
    """Returns a `dspy.LM` as a core chat model; one of the core's is returned as it is.

    Args:
        lm: The LM; the one that DSPy is configured with when None.

    Raises:
        ModelError: If there is none, or it is no LM.
    """
    if lm is None:
        lm = dspy.settings.lm
    if lm is None:
        raise ModelError("DSPy has no LM: dspy.configure(lm=dspy.LM('openai/gpt-4o-mini')), or give one")
    if isinstance(lm, dspy.BaseLM):
        return DSPyModel(lm)
    if isinstance(lm, ChatModel):
        return lm
    raise ModelError(f"the LM must be a dspy.LM, e.g. dspy.LM('openai/gpt-4o-mini'), not {lm!r:.80}")


class DSPyModel:
    """Answers with a `dspy.LM`.

    Args:
        lm: The LM.
    """

    simulated = False

    def __init__(self, lm: Any) -> None:
        self.lm = lm

    @property
    def name(self) -> str:
        """Name of the model, without any key."""
        return f"dspy:{getattr(self.lm, 'model', type(self.lm).__name__)}"

    async def complete(self, request: ChatRequest) -> Completion:
        """Answers a request; another draw of the same conversation is no answer from DSPy's cache.

        Raises:
            ModelError: If the LM answers with no text.
        """
        request.permit()
        messages = [{"role": item.role, "content": item.content} for item in request.messages]
        draw = int(hashlib.sha256(request.draw.encode()).hexdigest()[:8], 16)
        try:
            outputs = await self.lm.acall(messages=messages, rollout_id=draw)
        except NotImplementedError:  # an LM that is only synchronous
            outputs = await asyncio.to_thread(self.lm, messages=messages, rollout_id=draw)
        first: Any = outputs[0] if outputs else None
        reasoning = ""
        if isinstance(first, dict):
            reasoning = first.get("reasoning_content") or ""
            first = first.get("text")
        if not isinstance(first, str):
            raise ModelError(f"{self.name} answered without text")
        read = sum(len(item.content) for item in request.messages)
        return Completion(first, reasoning, read // 4, len(first) // 4, estimated=True)

    async def aclose(self) -> None:
        """Does nothing: the LM is its owner's."""
