"""Reads what a server of OpenAI's chat protocol sent, taking nothing for granted."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from flowreasoner.models.base import Completion

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

__all__ = ["ReplyMalformed", "read_body", "read_stream"]

_REASONING = ("reasoning_content", "reasoning")
"""Where providers put reasoning: DeepSeek and vLLM, then OpenRouter and Ollama."""


class ReplyMalformed(Exception):
    """A reply that cannot be used, and may be better next time.

    Attributes:
        tokens: Input and output tokens that the server counted for it.
    """

    def __init__(self, message: str, tokens: tuple[int, int] = (0, 0)) -> None:
        self.tokens = tokens
        super().__init__(message)


def read_body(body: Any, prompt_characters: int) -> Completion:
    """Reads a whole reply.

    Args:
        body: The parsed JSON.
        prompt_characters: Length of the conversation, to estimate tokens that the server did not count.

    Raises:
        ReplyMalformed: If it holds no answer.
    """
    choice = _first(body)
    message = _get(choice, "message")
    if message is None:
        raise ReplyMalformed(_complaint(body), _counted(_get(body, "usage")))
    return _completion([_text(_get(message, "content"))], [_reasoning(message)], _get(body, "usage"), prompt_characters)


async def read_stream(chunks: AsyncIterator[Any], prompt_characters: int) -> Completion:
    """Reads a streamed reply.

    Args:
        chunks: The stream's events.
        prompt_characters: As for `read_body`.

    Raises:
        ReplyMalformed: If it breaks off, or holds no answer.
    """
    text: list[str] = []
    reasoning: list[str] = []
    usage, ended, seen = None, False, None
    async for chunk in chunks:
        usage, seen = _get(chunk, "usage") or usage, chunk
        choice = _first(chunk)
        delta = _get(choice, "delta")
        text.append(_text(_get(delta, "content")))
        reasoning.append(_reasoning(delta))
        ended = ended or _get(choice, "finish_reason") is not None
    if not ended:
        broken = "the stream broke off before its end" if any(text) else _complaint(seen)
        raise ReplyMalformed(broken, _counted(usage))
    return _completion(text, reasoning, usage, prompt_characters)


def _completion(text: Sequence[str], reasoning: Sequence[str], usage: Any, prompt_characters: int) -> Completion:
    answer, thoughts = "".join(text), "".join(reasoning)
    if not answer.strip() and not thoughts.strip():
        raise ReplyMalformed("the reply is empty", _counted(usage))
    read, written = _tokens(usage)
    estimated = read is None or written is None
    read = prompt_characters // 4 if read is None else read
    written = (len(answer) + len(thoughts)) // 4 if written is None else written
    return Completion(answer, thoughts, read, written, estimated=estimated)


def _get(thing: Any, name: str) -> Any:
    return thing.get(name) if isinstance(thing, dict) else getattr(thing, name, None)


def _first(body: Any) -> Any:
    choices = _get(body, "choices")
    return choices[0] if isinstance(choices, list) and choices else None


def _text(content: Any) -> str:
    """Returns a message's content, which may also be a list of parts."""
    if content is None or isinstance(content, str):
        return content or ""
    if isinstance(content, list):
        return "".join(_text(_get(part, "text")) for part in content)
    raise ReplyMalformed(f"the content is no text: {type(content).__name__}")


def _reasoning(message: Any) -> str:
    return next((value for name in _REASONING if isinstance(value := _get(message, name), str)), "")


def _tokens(usage: Any) -> tuple[int | None, int | None]:
    """Returns input and output tokens, each None where the server does not say."""
    read, written, total = (_count(_get(usage, f"{name}_tokens")) for name in ("prompt", "completion", "total"))
    if total and written is None and read is not None:
        written = max(0, total - read)
    if not read and not written:  # some servers send zeros for "not counted"
        return None, None
    return read, written


def _counted(usage: Any) -> tuple[int, int]:
    read, written = _tokens(usage)
    return read or 0, written or 0


def _count(value: Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
        return None
    return int(value)


def _complaint(body: Any) -> str:
    """Says what came instead of an answer; servers put errors into replies that claim success."""
    error = _get(body, "error")
    told = _get(error, "message") or error
    if told:
        return f"the server says: {told}"
    return f"the reply has no choices: {body!r}"
