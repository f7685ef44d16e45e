"""Any endpoint that speaks OpenAI's chat protocol, through the `openai` SDK, which is loaded on first use.

The SDK retries 408, 409, 429 and 5xx with backoff and honours ``Retry-After``; this module adds what it
leaves to callers: replies that are malformed or break off, a concurrency limit, reasoning fields, prices,
and messages that never contain a key.
"""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from flowreasoner.errors import ModelError, ModelRefused
from flowreasoner.models.base import Completion
from flowreasoner.models.pricing import Price, price_of
from flowreasoner.models.uri import ModelURI

if TYPE_CHECKING:
    from flowreasoner.models.base import ChatRequest

__all__ = ["ENDPOINTS", "Endpoint", "OpenAICompatibleModel"]

_OPTIONS = (
    "base_url",
    "concurrency",
    "key_env",
    "max_tokens",
    "price",
    "retries",
    "seed",
    "stream",
    "temperature",
    "timeout",
    "top_p",
)
_MALFORMED_ATTEMPTS = 3
_LOCAL = {"localhost", "127.0.0.1", "::1", "0.0.0.0"}  # noqa: S104 - compared with, not bound to


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a scheme's models are: base URL, variable with the key, and whether they cost nothing."""

    base_url: str | None
    key_env: str
    free: bool = False


ENDPOINTS: dict[str, Endpoint] = {
    "openai": Endpoint(None, "OPENAI_API_KEY"),
    "deepseek": Endpoint("https://api.deepseek.com", "DEEPSEEK_API_KEY"),
    "openrouter": Endpoint("https://openrouter.ai/api/v1", "OPENROUTER_API_KEY"),
    "ollama": Endpoint("http://localhost:11434/v1", "OLLAMA_API_KEY", free=True),
    "vllm": Endpoint("http://localhost:8000/v1", "VLLM_API_KEY", free=True),
}


class OpenAICompatibleModel:
    """A chat model behind an HTTP endpoint.

    Args:
        model: Name of the model, as the endpoint knows it.
        base_url: Of the API, with its version path; OpenAI's own when None.
        api_key: The key; may be any text for servers that ask for none.
        scheme: Prefix of `name`.
        temperature: Sampling temperature; the server's default when None.
        top_p: Nucleus sampling; the server's default when None.
        max_tokens: Longest reply, in tokens; the server's default when None.
        seed: Sent to servers that support it.
        timeout: Seconds that one request may take.
        retries: Further attempts on rate limits and server errors.
        concurrency: Requests at the same time.
        stream: Read replies as streams; keeps connections alive during long reasoning.
        price: Dollars per million input and output tokens; looked up when None.
    """

    simulated = False

    def __init__(
        self,
        model: str,
        *,
        base_url: str | None = None,
        api_key: str = "none",
        scheme: str = "openai",
        temperature: float | None = None,
        top_p: float | None = None,
        max_tokens: int | None = None,
        seed: int | None = None,
        timeout: float = 600.0,
        retries: int = 5,
        concurrency: int = 16,
        stream: bool = False,
        price: Price | None = None,
    ) -> None:
        self.model, self.base_url, self.stream = model, base_url, stream
        self.concurrency = concurrency
        sampling = {"temperature": temperature, "top_p": top_p, "max_tokens": max_tokens, "seed": seed}
        self.sampling = {name: value for name, value in sampling.items() if value is not None}
        shown_url = _without_credentials(base_url) if base_url else ""
        shown = "&".join(
            f"{name}={value}"
            for name, value in [*([("base_url", shown_url)] if base_url else []), *self.sampling.items()]
        )
        self.name = f"{scheme}:{model}" + (f"?{shown}" if shown else "")
        self.price = price
        self._key, self._timeout, self._retries = api_key, timeout, retries
        self._client: Any = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._slots: asyncio.Semaphore | None = None

    @classmethod
    def from_uri(cls, uri: ModelURI) -> OpenAICompatibleModel:
        """Makes the model that a URI of a known scheme names.

        Raises:
            ModelRefused: If the name or the key is missing, or an option is unknown or malformed.
        """
        uri.expect(_OPTIONS)
        if not uri.name:
            raise ModelRefused(f"{uri} names no model; write e.g. {uri.scheme}:MODEL")
        endpoint = ENDPOINTS.get(uri.scheme, ENDPOINTS["openai"])
        configured = os.environ.get(f"{uri.scheme.upper()}_BASE_URL", "").strip()
        base_url = uri.options.get("base_url") or configured or endpoint.base_url
        key_env = uri.options.get("key_env", endpoint.key_env)
        key = os.environ.get(key_env, "").strip()
        local = urlsplit(base_url or "").hostname in _LOCAL
        if not key and not endpoint.free and not local:
            raise ModelRefused(f"no API key for {uri}: set the environment variable {key_env}")
        numbers = {name: uri.number(name) for name in ("temperature", "top_p", "timeout")}
        whole = {name: uri.number(name) for name in ("max_tokens", "seed", "retries", "concurrency")}
        given: dict[str, Any] = {name: value for name, value in numbers.items() if value is not None}
        given |= {name: int(value) for name, value in whole.items() if value is not None}
        price = (
            Price.parse(uri.options["price"]) if "price" in uri.options else Price(0.0, 0.0) if endpoint.free else None
        )
        stream = uri.options.get("stream", "") in {"1", "true", "yes"}
        return cls(
            uri.name,
            base_url=base_url,
            api_key=key or "none",
            scheme=uri.scheme,
            stream=stream,
            price=price or price_of(uri.name, uri.scheme, base_url),
            **given,
        )

    def _connect(self) -> Any:
        """Returns the SDK's client for the running event loop."""
        loop = asyncio.get_running_loop()
        if self._client is None or self._loop is not loop:
            import openai

            self._client = openai.AsyncOpenAI(
                api_key=self._key, base_url=self.base_url, timeout=self._timeout, max_retries=self._retries
            )
            self._loop, self._slots = loop, asyncio.Semaphore(self.concurrency)
        return self._client

    async def complete(self, request: ChatRequest) -> Completion:
        """Answers a request; see `flowreasoner.models.ChatModel.complete`."""
        client = self._connect()
        assert self._slots is not None  # noqa: S101 - set by _connect
        async with self._slots:
            for attempt in range(1, _MALFORMED_ATTEMPTS + 1):
                try:
                    return await self._attempt(client, request)
                except _Malformed as error:
                    if attempt == _MALFORMED_ATTEMPTS:
                        raise ModelError(f"{self.name} gave no usable reply in {attempt} attempts: {error}") from error
                    await asyncio.sleep(0.2 * 2**attempt)
        raise AssertionError("unreachable")

    async def _attempt(self, client: Any, request: ChatRequest) -> Completion:
        import openai

        messages = [{"role": message.role, "content": message.content} for message in request.messages]
        try:
            reply = await (self._read_stream if self.stream else self._read)(client, messages)
        except openai.APIConnectionError as error:
            cause = error.__cause__ or error
            raise ModelError(f"cannot reach {self.name}: {self._clean(cause)}") from None
        except openai.APIStatusError as error:
            raise self._explain(error) from None
        except (openai.APIResponseValidationError, openai.OpenAIError, ValueError, TypeError, KeyError) as error:
            raise _Malformed(self._clean(error)) from None
        if not reply.text.strip() and not reply.reasoning.strip():
            raise _Malformed("the reply is empty")
        return self._priced(reply, request)

    async def _read(self, client: Any, messages: list[dict[str, str]]) -> Completion:
        response = await client.chat.completions.create(model=self.model, messages=messages, **self.sampling)
        choices = getattr(response, "choices", None)
        if not choices or getattr(choices[0], "message", None) is None:
            raise _Malformed(f"the reply has no choices: {str(response)[:120]!r}")
        message = choices[0].message
        return _completion(message.content, _reasoning(message), getattr(response, "usage", None))

    async def _read_stream(self, client: Any, messages: list[dict[str, str]]) -> Completion:
        stream = await client.chat.completions.create(
            model=self.model,
            messages=messages,
            stream=True,
            stream_options={"include_usage": True},
            **self.sampling,
        )
        text, reasoning, usage, ended = [], [], None, False
        async for chunk in stream:
            usage = getattr(chunk, "usage", None) or usage
            for choice in getattr(chunk, "choices", None) or []:
                text.append(choice.delta.content or "")
                reasoning.append(_reasoning(choice.delta))
                ended = ended or choice.finish_reason is not None
        if not ended:
            raise _Malformed("the stream broke off before its end")
        return _completion("".join(text), "".join(reasoning), usage)

    def _priced(self, reply: Completion, request: ChatRequest) -> Completion:
        from dataclasses import replace

        if not reply.input_tokens and not reply.output_tokens:
            read = sum(len(message.content) for message in request.messages) // 4
            written = (len(reply.text) + len(reply.reasoning)) // 4
            reply = replace(reply, input_tokens=read, output_tokens=written, estimated=True)
        usd = None if self.price is None else self.price.of(reply.input_tokens, reply.output_tokens)
        return replace(reply, usd=usd)

    def _explain(self, error: Any) -> ModelError:
        """Returns a refused or failed request as one sentence, without the key."""
        detail = self._clean(getattr(error, "message", error))
        match error.status_code:
            case 401 | 403:
                return ModelRefused(f"{self.name} refused the API key (HTTP {error.status_code}): {detail}")
            case 404:
                return ModelRefused(f"{self.name} does not exist at this endpoint (HTTP 404): {detail}")
            case 400 | 413 | 422:
                return ModelRefused(f"{self.name} refused the request (HTTP {error.status_code}): {detail}")
        return ModelError(f"{self.name} failed after {self._retries} retries (HTTP {error.status_code}): {detail}")

    def _clean(self, error: object) -> str:
        """Returns an error's text on one line with the key taken out, should a server echo it."""
        text = " ".join(f"{error}".split()) or type(error).__name__
        if len(self._key) > 4:
            text = text.replace(self._key, "***")
        return text[:300]

    async def aclose(self) -> None:
        """Closes the connections."""
        if self._client is not None and self._loop is asyncio.get_running_loop():
            await self._client.close()
        self._client = None


def _without_credentials(url: str) -> str:
    """Returns a URL without user name and password: names of models are printed and stored."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=host).geturl()


class _Malformed(Exception):
    """A reply that cannot be used, and may be better next time."""


def _reasoning(message: Any) -> str:
    """Returns the reasoning of a message or delta: ``reasoning_content`` (DeepSeek, vLLM) or ``reasoning``."""
    for name in ("reasoning_content", "reasoning"):
        value = getattr(message, name, None)
        if isinstance(value, str):
            return value
    return ""


def _completion(text: Any, reasoning: str, usage: Any) -> Completion:
    if text is not None and not isinstance(text, str):
        raise _Malformed(f"the content is no text: {type(text).__name__}")
    read, written = (getattr(usage, name, 0) for name in ("prompt_tokens", "completion_tokens"))
    return Completion(text or "", reasoning, int(read or 0), int(written or 0))
