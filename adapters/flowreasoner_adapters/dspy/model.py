"""A `dspy.LM` as the core's `ChatModel`, so that DSPy's callbacks, history and usage see every call."""

from __future__ import annotations

import asyncio
import hashlib
from typing import TYPE_CHECKING, Any

import dspy
from dspy.utils.exceptions import (
    ContextWindowExceededError,
    LMAuthError,
    LMBillingError,
    LMConfigurationError,
    LMError,
    LMUnsupportedFeatureError,
    LMUnsupportedModelError,
)

from flowreasoner.errors import ModelError, ModelRefused, RequestRefused
from flowreasoner.models.base import ChatModel, Completion
from flowreasoner.models.pricing import price_of

if TYPE_CHECKING:
    from flowreasoner.models.base import ChatRequest

__all__ = ["DSPyModel", "as_chat_model", "checked_lm", "either_way"]


def checked_lm(lm: Any) -> Any:
    """Returns an LM that is one of DSPy's.

    Raises:
        ModelRefused: If there is none, or it is of another kind.
    """
    if lm is None:
        raise ModelRefused("DSPy has no LM: call dspy.configure(lm=dspy.LM('openai/gpt-4o-mini')), or give one")
    if not isinstance(lm, dspy.BaseLM) and getattr(lm, "supports_decision_requests", False) is not True:
        kind = type(lm).__name__  # alone: a configuration's text holds the key
        raise ModelRefused(f"the LM must be a dspy.LM, e.g. dspy.LM('openai/gpt-4o-mini'), not {kind}")
    return lm


def as_chat_model(lm: Any) -> ChatModel:
    """Returns a `dspy.LM` as a core chat model; one of the core's is returned as it is.

    Args:
        lm: The LM; the one that DSPy is configured with when None.

    Raises:
        ModelRefused: If there is none, or it is no LM.
    """
    if not isinstance(lm, dspy.BaseLM) and isinstance(lm, ChatModel):
        return lm
    return DSPyModel(checked_lm(dspy.settings.lm if lm is None else lm))


async def either_way(callee: Any, **arguments: Any) -> Any:
    """Awaits ``callee.acall(...)``, or runs ``callee(...)`` in a thread where the LM is only synchronous.

    Raises:
        Exception: Whatever the LM raises.
    """
    try:
        return await callee.acall(**arguments)
    except (NotImplementedError, LMUnsupportedFeatureError):  # raised before anything is sent
        return await asyncio.to_thread(callee, **arguments)


class _Conversation(dspy.Signature):  # type: ignore[misc]  # DSPy is not typed
    """Goes on with a conversation."""

    messages: list[dict[str, str]] = dspy.InputField()
    text: str = dspy.OutputField()


class _Verbatim(dspy.Adapter):  # type: ignore[misc]
    """Sends a conversation as it is: adapters are how DSPy 3.4 wants messages to reach an LM."""

    def format(self, signature: Any, demos: Any, inputs: dict[str, Any]) -> list[dict[str, str]]:
        """Returns the messages."""
        del signature, demos
        messages: list[dict[str, str]] = inputs["messages"]
        return messages

    def parse(self, signature: Any, completion: str) -> dict[str, str]:
        """Returns the whole reply as a field."""
        del signature
        return {"text": completion}

    def _call_postprocess(self, _: Any, __: Any, outputs: Any, *___: Any) -> list[dict[str, Any]]:
        """Returns text and reasoning of each reply; `parse` is not given the reasoning."""
        told = [item if isinstance(item, dict) else {"text": item} for item in outputs or [None]]
        return [{"text": item.get("text"), "reasoning": item.get("reasoning_content") or ""} for item in told]


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
            ModelRefused: If trying again cannot help: a wrong key, an unknown model.
            RequestRefused: If the conversation is too long.
            ModelError: If the LM fails otherwise, or answers with no text.
        """
        request.permit()
        messages = [{"role": item.role, "content": item.content} for item in request.messages]
        settings = {}
        if getattr(self.lm, "kwargs", {}).get("temperature") != 0:
            settings = {"rollout_id": int(hashlib.sha256(request.draw.encode()).hexdigest()[:8], 16)}
        with dspy.track_usage() as usage:
            said = (await self._answers(messages, settings))[0]
        text, reasoning = said["text"], said["reasoning"]
        if not isinstance(text, str):
            raise ModelError(f"{self.name} answered without text")
        read, written = _tokens(usage)
        if read or written:
            price = price_of(self.name.rpartition("/")[2], "", None)
            usd = price.of(read, written) if price else None
            return Completion(text, reasoning, read, written, usd)
        read = sum(len(item.content) for item in request.messages)
        return Completion(text, reasoning, read // 4, len(text) // 4, estimated=True)

    async def _answers(self, messages: list[dict[str, str]], settings: dict[str, int]) -> Any:
        asked = {"signature": _Conversation, "demos": [], "inputs": {"messages": messages}}
        try:
            return await either_way(_Verbatim(), lm=self.lm, lm_kwargs=settings, **asked)
        except ContextWindowExceededError as error:
            raise RequestRefused(f"{self.name}: {error}") from error
        except (LMAuthError, LMBillingError, LMConfigurationError, LMUnsupportedModelError) as error:
            raise ModelRefused(f"{self.name}: {error}") from error
        except LMError as error:
            raise ModelError(f"{self.name}: {error}") from error

    async def aclose(self) -> None:
        """Does nothing: the LM is its owner's."""


def _tokens(usage: Any) -> tuple[int, int]:
    """Returns the tokens read and written."""
    totals = usage.get_total_tokens().values()
    read = sum(total.get("prompt_tokens") or 0 for total in totals)
    return read, sum(total.get("completion_tokens") or 0 for total in totals)
