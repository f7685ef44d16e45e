"""A LangChain chat model as the core's `ChatModel`, so that LangChain's callbacks and tracing see every call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flowreasoner.errors import ModelError
from flowreasoner.models.base import ChatModel, Completion

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from flowreasoner.models.base import ChatRequest

__all__ = ["LangChainModel", "as_chat_model", "text_of"]


def as_chat_model(model: Any) -> ChatModel:
    """Returns a LangChain chat model as a core chat model; one of the core's is returned as it is.

    Args:
        model: A chat model, e.g. of ``init_chat_model``, also with ``.with_retry()`` and the like around it.

    Raises:
        ModelError: If it is no chat model.
    """
    from langchain_core.runnables import Runnable

    if not isinstance(model, Runnable) and isinstance(model, ChatModel):
        return model
    if not isinstance(model, Runnable):
        raise ModelError(  # its kind alone: a configuration's text holds the key
            "the model must be a LangChain chat model, e.g. init_chat_model('openai:gpt-4o-mini'), "
            f"not {type(model).__name__}"
        )
    return LangChainModel(model)


class LangChainModel:
    """Answers with a LangChain chat model.

    Args:
        model: The chat model.
    """

    simulated = False

    def __init__(self, model: BaseChatModel | Any) -> None:
        self.model = model

    @property
    def name(self) -> str:
        """Name of the model, without any key."""
        for attribute in ("model_name", "model", "model_id"):
            value = getattr(self.model, attribute, None)
            if isinstance(value, str) and value:
                return f"langchain:{value}"
        return f"langchain:{type(self.model).__name__}"

    async def complete(self, request: ChatRequest) -> Completion:
        """Answers a request; what the model raises is passed on as it is, for the host's own retries.

        Raises:
            ModelError: If the model answers with something else than a message.
        """
        request.permit()
        message = await self.model.ainvoke([(item.role, item.content) for item in request.messages])
        text = message if isinstance(message, str) else text_of(message)
        usage = getattr(message, "usage_metadata", None) or {}
        extra = getattr(message, "additional_kwargs", None) or {}
        return Completion(
            text,
            str(extra.get("reasoning_content") or ""),
            usage.get("input_tokens", 0),
            usage.get("output_tokens", 0),
        )

    async def aclose(self) -> None:
        """Does nothing: the model is its owner's."""


def text_of(message: Any) -> str:
    """Returns the text of a message; of content blocks, those of text.

    Raises:
        ModelError: If it is no message.
    """
    content = getattr(message, "content", None)
    if isinstance(content, str):
        return content
    if isinstance(content, list):  # content blocks: only text is an answer
        parts = [item if isinstance(item, str) else item.get("text", "") for item in content]
        return "".join(parts)
    raise ModelError(f"the model answered with {type(message).__name__}, which has no text content")
