"""The seam to chat models: what is asked, what comes back, and the protocol between."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

from flowreasoner.budget import Spending

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["ChatModel", "ChatRequest", "Completion", "Message", "Role"]

Role = Literal["system", "user", "assistant"]


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """What a model is asked.

    Attributes:
        messages: The conversation so far.
        draw: Which of several independent samples of the same conversation this is. Two requests that differ
            only here get answers drawn independently; the same draw may be answered from the cache.
        purpose: Operator or role that asks, for traces and simulations; never sent to a model.
    """

    messages: tuple[Message, ...]
    draw: str = ""
    purpose: str = ""

    def key(self, model: str) -> str:
        """Returns the cache key of the request to a model: a SHA-256 in hexadecimal."""
        conversation = [[message.role, message.content] for message in self.messages]
        text = json.dumps([model, conversation, self.draw], ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()

    @classmethod
    def ask(cls, prompt: str, **more: Any) -> ChatRequest:
        """Returns a request of one user message."""
        return cls((Message("user", prompt),), **more)

    def then(self, reply: str, prompt: str, draw: str) -> ChatRequest:
        """Returns the conversation continued by the model's reply and a further user message."""
        more: Sequence[Message] = (Message("assistant", reply), Message("user", prompt))
        return ChatRequest((*self.messages, *more), draw, self.purpose)


@dataclass(frozen=True, slots=True)
class Completion:
    """What a model answered.

    Attributes:
        text: The reply.
        reasoning: The provider's separate reasoning field, when there is one.
        input_tokens: Tokens read; estimated where `estimated` says so.
        output_tokens: Tokens written, reasoning included.
        usd: Price in US dollars, or None when the model's price is not known.
        estimated: Whether the token counts are estimates, because the server sent none.
        cached: Whether the reply came from the cache.
    """

    text: str
    reasoning: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    usd: float | None = None
    estimated: bool = False
    cached: bool = False

    @property
    def spending(self) -> Spending:
        """What the reply cost."""
        usd = self.usd or 0.0
        saved = (1, usd) if self.cached else (0, 0.0)
        return Spending(0, 1, self.input_tokens, self.output_tokens, usd, *saved)

    def to_json(self) -> dict[str, Any]:
        """Returns the completion as the JSON object that the store keeps."""
        return {
            "text": self.text,
            "reasoning": self.reasoning,
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
            "usd": self.usd,
            "estimated": self.estimated,
        }


@runtime_checkable
class ChatModel(Protocol):
    """A chat model.

    Attributes:
        name: Identifies model and settings, e.g. ``openai:gpt-4o-mini``; part of cache keys.
        simulated: Whether there is no model behind it.
    """

    @property
    def name(self) -> str:
        """Identifies model and settings, without any secret."""
        ...

    @property
    def simulated(self) -> bool:
        """Whether there is no model behind it."""
        ...

    async def complete(self, request: ChatRequest) -> Completion:
        """Answers a request.

        Raises:
            ModelError: If there is no usable answer after all retries.
            ModelRefused: If trying again cannot help.
        """
        ...

    async def aclose(self) -> None:
        """Closes connections."""
        ...
