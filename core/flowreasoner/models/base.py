"""The seam to chat models: what is asked, what comes back, and the protocol between."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

from flowreasoner.budget import Spending
from flowreasoner.text import well_formed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["ChatModel", "ChatRequest", "Completion", "Message", "ModelWrapper", "Role"]

Role = Literal["system", "user", "assistant"]


def _permitted() -> None:
    """Withholds nothing."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation."""

    role: Role
    content: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "content", well_formed(self.content))


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """What a model is asked.

    Attributes:
        messages: The conversation so far.
        draw: Which of several independent samples of the same conversation this is. Two requests that differ
            only here get answers drawn independently; the same draw may be answered from the cache.
        purpose: Operator or role that asks, for traces and simulations; never sent to a model.
        permit: Called right before the request is sent, and again before it is repeated; raises to withhold it.
    """

    messages: tuple[Message, ...]
    draw: str = ""
    purpose: str = ""
    permit: Callable[[], None] = field(default=_permitted, repr=False, compare=False)

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
        return replace(self, messages=(*self.messages, *more), draw=draw)


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

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", well_formed(self.text))
        object.__setattr__(self, "reasoning", well_formed(self.reasoning))

    @property
    def spending(self) -> Spending:
        """What the reply cost."""
        usd = self.usd or 0.0
        return Spending(
            model_calls=1,
            input_tokens=self.input_tokens,
            output_tokens=self.output_tokens,
            usd=usd,
            cached_calls=int(self.cached),
            cached_usd=usd if self.cached else 0.0,
            unpriced_calls=int(self.usd is None and not self.cached),
        )

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

    One with a small context may have a method ``fits(messages) -> bool``, too, which tells whether a conversation
    leaves room for a reply; a designer then shortens what does not.

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


class ModelWrapper:
    """What stands in front of another model: its name, its nature and its connections are the inner one's.

    Args:
        model: The inner model.
    """

    def __init__(self, model: ChatModel) -> None:
        self.model = model

    @property
    def name(self) -> str:
        """The inner model's name."""
        return self.model.name

    @property
    def simulated(self) -> bool:
        """Whether the inner model is simulated."""
        return self.model.simulated

    def fits(self, messages: Sequence[Message]) -> bool:
        """Tells whether a conversation fits the inner model, where that knows."""
        fits = getattr(self.model, "fits", None)
        return fits is None or bool(fits(messages))

    async def aclose(self) -> None:
        """Closes the inner model."""
        await self.model.aclose()
