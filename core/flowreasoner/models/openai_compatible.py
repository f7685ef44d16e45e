"""Any endpoint that speaks OpenAI's chat protocol, through the `openai` SDK, which is loaded on first use.

The SDK retries 408, 409, 429 and 5xx with backoff and honours ``Retry-After``; this module adds what it
leaves to callers: replies that are malformed or break off, a concurrency limit, reasoning fields, prices,
and messages that never contain a key.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import weakref
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from flowreasoner.errors import ModelError, ModelRefused, RequestRefused
from flowreasoner.models.base import Completion
from flowreasoner.models.openai_replies import ReplyMalformed, read_body, read_stream
from flowreasoner.models.pricing import Price, price_of
from flowreasoner.models.uri import ModelURI

if TYPE_CHECKING:
    from flowreasoner.models.base import ChatRequest

__all__ = ["ENDPOINTS", "Endpoint", "OpenAICompatibleModel", "is_local"]

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
_LONGEST_BACKOFF = 120.0  # seconds between two attempts of the SDK
_SHORTEST_SECRET = 7
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
        base_url = _given_url(uri) or configured or endpoint.base_url
        key_env = uri.options.get("key_env", endpoint.key_env)
        key = os.environ.get(key_env, "").strip()
        optional = endpoint.free or is_local(base_url)
        if not key and ("key_env" in uri.options or not optional):
            raise ModelRefused(f"no API key for {uri}: set the environment variable {key_env}")
        if not (key.isascii() and key.isprintable()):
            raise ModelRefused(
                f"the environment variable {key_env} is no API key: it has line breaks or odd characters"
            )
        numbers = {
            "temperature": uri.number("temperature", least=0),
            "top_p": uri.number("top_p", least=0),
            "timeout": uri.number("timeout", least=0.001),
            "max_tokens": uri.whole("max_tokens", least=1),
            "seed": uri.whole("seed"),
            "retries": uri.whole("retries", least=0),
            "concurrency": uri.whole("concurrency", least=1),
        }
        price = Price.parse(uri.options["price"]) if "price" in uri.options else None
        if price is None:
            price = Price(0.0, 0.0) if endpoint.free else price_of(uri.name, uri.scheme, base_url)
        return cls(
            uri.name,
            base_url=base_url,
            api_key=key or "none",
            scheme=uri.scheme,
            stream=uri.flag("stream"),
            price=price,
            **{name: value for name, value in numbers.items() if value is not None},  # type: ignore[arg-type]
        )

    def _connect(self) -> Any:
        """Returns the SDK's client for the running event loop."""
        loop = asyncio.get_running_loop()
        if self._client is None or self._loop is not loop:
            import openai

            self._client = openai.AsyncOpenAI(
                api_key=self._key, base_url=self.base_url, timeout=self._timeout, max_retries=self._retries
            )
            self._loop = loop
        return self._client

    async def complete(self, request: ChatRequest) -> Completion:
        """Answers a request; see `flowreasoner.models.ChatModel.complete`."""
        client = self._connect()
        read = written = 0  # tokens of replies that could not be used, which cost the same
        async with _slots(self.base_url, self.model, self.concurrency):
            attempts = min(_MALFORMED_ATTEMPTS, self._retries + 1)
            for attempt in range(1, attempts + 1):
                request.permit()
                try:
                    reply = await self._attempt(client, request)
                except ReplyMalformed as error:
                    read, written = read + error.tokens[0], written + error.tokens[1]
                    if attempt == attempts:
                        count = f"{attempt} attempt{'s' * (attempt != 1)}"
                        message = f"{self.name} gave no usable reply in {count}: {self._clean(error)}"
                        raise ModelError(message, self._priced("", "", read, written).spending) from None
                    await asyncio.sleep(0.2 * 2**attempt)
                else:
                    read, written = read + reply.input_tokens, written + reply.output_tokens
                    priced = self._priced(self._redact(reply.text), self._redact(reply.reasoning), read, written)
                    return replace(priced, estimated=reply.estimated)
        raise AssertionError("unreachable")

    async def _attempt(self, client: Any, request: ChatRequest) -> Completion:
        """Sends a request, which the SDK repeats where that may help, and reads the reply within the time limit."""
        import openai

        arguments: dict[str, Any] = {
            "model": self.model,
            "messages": [{"role": message.role, "content": message.content} for message in request.messages],
            **self.sampling,
        }
        if self.stream:
            arguments |= {"stream": True, "stream_options": {"include_usage": True}}
        # The SDK's limit is on each wait for bytes; a server that drips would never reach it.
        longest = (self._timeout + _LONGEST_BACKOFF) * (self._retries + 1)
        try:
            async with asyncio.timeout(longest) as limit:
                async with client.chat.completions.with_streaming_response.create(**arguments) as response:
                    limit.reschedule(asyncio.get_running_loop().time() + self._timeout)
                    return await self._read(response, sum(len(message.content) for message in request.messages))
        except TimeoutError:
            raise ModelError(f"{self.name} took longer than {self._timeout:g} s for a reply") from None
        except openai.APIConnectionError as error:
            raise ModelError(f"cannot reach {self.name}: {self._clean(error.__cause__ or error)}") from None
        except openai.APIStatusError as error:
            raise self._explain(error) from None

    async def _read(self, response: Any, prompt_characters: int) -> Completion:
        try:
            if not self.stream:
                return read_body(json.loads(await response.read()), prompt_characters)
            async with contextlib.aclosing(aiter(await response.parse())) as chunks:
                return await read_stream(chunks, prompt_characters)
        except ReplyMalformed:
            raise
        except Exception as error:  # the reply had begun: whatever is wrong with it is the server's doing
            cause = error.__cause__ or error  # the SDK wraps what the connection says
            raise ReplyMalformed(f"{type(cause).__name__}: {cause}") from None

    def _priced(self, text: str, reasoning: str, read: int, written: int) -> Completion:
        usd = None if self.price is None else self.price.of(read, written)
        return Completion(text, reasoning, read, written, usd)

    def _explain(self, error: Any) -> ModelError:
        """Returns a refused or failed request as one sentence, without the key."""
        detail = self._clean(getattr(error, "message", error))
        match error.status_code:
            case 401 | 403:
                return ModelRefused(f"{self.name} refused the API key (HTTP {error.status_code}): {detail}")
            case 404:
                return ModelRefused(f"{self.name} does not exist at this endpoint (HTTP 404): {detail}")
            case 400 | 413 | 422:
                return RequestRefused(f"{self.name} refused the request (HTTP {error.status_code}): {detail}")
            case 408 | 409 | 429:
                retried = self._retries
            case status:
                retried = self._retries if status >= 500 else 0
        tries = f", after up to {retried} {'retry' if retried == 1 else 'retries'}" if retried else ""
        return ModelError(f"{self.name} failed{tries} (HTTP {error.status_code}): {detail}")

    def _clean(self, error: object) -> str:
        """Returns an error's text on one line with the key taken out, should a server echo it."""
        return self._redact(" ".join(f"{error}".split()) or type(error).__name__)[:300]

    def _redact(self, text: str) -> str:
        """Takes the key out of a text, also as it looks inside JSON, a URL, or base64."""
        if len(self._key) > _SHORTEST_SECRET:
            for form in (self._key, json.dumps(self._key)[1:-1], quote(self._key, safe=""), _base64(self._key)):
                text = text.replace(form, "***")
        return text

    async def aclose(self) -> None:
        """Closes the connections."""
        if self._client is not None and self._loop is asyncio.get_running_loop():
            await self._client.close()
        self._client = None


_SLOTS: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, dict[tuple[str | None, str, int], asyncio.Semaphore]]
_SLOTS = weakref.WeakKeyDictionary()


def _slots(base_url: str | None, model: str, concurrency: int) -> asyncio.Semaphore:
    """Returns the semaphore that all users of a model in this event loop share."""
    slots = _SLOTS.setdefault(asyncio.get_running_loop(), {})
    return slots.setdefault((base_url, model, concurrency), asyncio.Semaphore(concurrency))


def is_local(base_url: str | None) -> bool:
    """Tells whether a URL is on this machine."""
    try:
        return urlsplit(base_url or "").hostname in _LOCAL
    except ValueError:
        return False


def _given_url(uri: ModelURI) -> str | None:
    """Returns the option ``base_url``; URIs are stored and printed, so that no secret may be in them."""
    url = uri.options.get("base_url")
    if not url:
        return None
    try:
        parts = urlsplit(url)
        fits = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        fits = False
    if not fits:
        raise ModelRefused(f"the base_url of {uri} must look like http://host:8000/v1")
    if "@" in parts.netloc or parts.query:
        variable = f"{uri.scheme.upper()}_BASE_URL"
        raise ModelRefused(f"the base_url of {uri} holds a password or a query: put it into {variable} instead")
    return url


def _without_credentials(url: str) -> str:
    """Returns a URL without user name, password and query: names of models are printed and stored."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode().rstrip("=")
