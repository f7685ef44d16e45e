"""Model URIs, ``scheme:name?option=value``, and the factories behind the built-in schemes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal
from urllib.parse import parse_qsl

from flowreasoner.errors import ModelRefused

if TYPE_CHECKING:
    from flowreasoner.models.base import ChatModel
    from flowreasoner.query import Query

__all__ = ["SCHEMES", "ModelContext", "ModelFactory", "ModelURI", "model_from_uri"]

ModelRole = Literal["worker", "meta_agent"]


@dataclass(frozen=True, slots=True)
class ModelURI:
    """A parsed model URI.

    Attributes:
        scheme: What kind of model, e.g. ``openai``.
        name: Which one, e.g. ``gpt-4o-mini``; may be empty.
        options: Settings given after the ``?``.
    """

    scheme: str
    name: str
    options: Mapping[str, str]

    @classmethod
    def parse(cls, text: str) -> ModelURI:
        """Parses ``scheme:name?option=value&…``.

        Raises:
            ModelRefused: If there is no scheme, or an option without a value.
        """
        scheme, colon, rest = text.strip().partition(":")
        if not colon or not scheme:
            raise ModelRefused(f"{text!r} is no model URI; write scheme:name, e.g. openai:gpt-4o-mini or sim:")
        name, _, query = rest.partition("?")
        try:
            options = dict(parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query)))
        except ValueError as error:
            raise ModelRefused(f"the options of {text!r} must look like a=1&b=2: {error}") from None
        return cls(scheme, name, options)

    def number(self, option: str, default: float | None = None) -> float | None:
        """Returns an option as a number.

        Raises:
            ModelRefused: If it is none.
        """
        text = self.options.get(option)
        if text is None:
            return default
        try:
            return float(text)
        except ValueError:
            raise ModelRefused(f"the option {option} of {self} must be a number, not {text!r}") from None

    def expect(self, known: Iterable[str]) -> None:
        """Checks that there are no other options.

        Raises:
            ModelRefused: Naming the unknown option.
        """
        unknown = self.options.keys() - set(known)
        if unknown:
            listed = ", ".join(sorted(known))
            raise ModelRefused(f"{self} has the unknown option {sorted(unknown)[0]!r}; known are {listed}")

    def __str__(self) -> str:
        return f"{self.scheme}:{self.name}"


@dataclass(frozen=True, slots=True)
class ModelContext:
    """What a factory may need beyond the URI.

    Attributes:
        role: What the model is for.
        query: The query at hand; only simulations look at it.
        seed: Seed of the design run.
    """

    role: ModelRole = "worker"
    query: Query | None = field(default=None)
    seed: int = 0


ModelFactory = Callable[[ModelURI, ModelContext], "ChatModel"]


def _endpoint(uri: ModelURI, _: ModelContext) -> ChatModel:
    from flowreasoner.models.openai_compatible import OpenAICompatibleModel

    return OpenAICompatibleModel.from_uri(uri)


def _simulation(uri: ModelURI, context: ModelContext) -> ChatModel:
    from flowreasoner.models.simulated import simulated_model

    return simulated_model(uri, context)


SCHEMES: Mapping[str, ModelFactory] = {
    "openai": _endpoint,
    "deepseek": _endpoint,
    "openrouter": _endpoint,
    "ollama": _endpoint,
    "vllm": _endpoint,
    "sim": _simulation,
}
"""Built-in factories by scheme."""


def model_from_uri(
    text: str, context: ModelContext | None = None, schemes: Mapping[str, ModelFactory] = SCHEMES
) -> ChatModel:
    """Makes the model that a URI names.

    Args:
        text: E.g. ``openai:gpt-4o-mini``, ``ollama:qwen2.5-coder:7b`` or ``sim:``.
        context: What the model is for.
        schemes: Factories by scheme.

    Raises:
        ModelRefused: If the scheme or an option is unknown, or a key is missing.
    """
    uri = ModelURI.parse(text)
    factory = schemes.get(uri.scheme)
    if factory is None:
        known = ", ".join(f"{scheme}:" for scheme in sorted(schemes))
        raise ModelRefused(f"there is no model scheme {uri.scheme!r} (in {text!r}); known are {known}")
    return factory(uri, context or ModelContext())
