"""Model URIs, ``scheme:name?option=value``, and the factories behind the built-in schemes."""

from __future__ import annotations

import math
import re
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

_LONGEST_NAME = 40
_YES, _NO = {"1", "true", "yes", "on"}, {"0", "false", "no", "off", ""}


def _shown(text: str) -> str:
    """Returns a URI for messages, without its options, and without what may be a key in the place of a model."""
    if ":" not in text and (len(text) > _LONGEST_NAME or re.match(r"(?:sk|hf|gsk|xai|key)[-_]", text)):
        return "the given text (not shown, as it may be a key)"
    return repr(text.partition("?")[0] + ("?…" if "?" in text else ""))


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
            raise ModelRefused(
                f"{_shown(text)} is no model URI; write scheme:name, e.g. openai:gpt-4o-mini or embedded:"
            )
        name, _, query = rest.partition("?")
        try:
            options = dict(parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query)))
        except ValueError:
            raise ModelRefused(f"the options of {_shown(text)} must look like ?a=1&b=2") from None
        return cls(scheme, name, options)

    def number(self, option: str, default: float | None = None, *, least: float | None = None) -> float | None:
        """Returns an option as a number.

        Raises:
            ModelRefused: If it is none, or below `least`.
        """
        text = self.options.get(option)
        if text is None:
            return default
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise ModelRefused(f"the option {option} of {self} must be a number, not {text!r}")
        if least is not None and value < least:
            raise ModelRefused(f"the option {option} of {self} must be at least {least:g}, not {text}")
        return value

    def whole(self, option: str, default: int | None = None, *, least: int | None = None) -> int | None:
        """Returns an option as a whole number.

        Raises:
            ModelRefused: If it is none, or below `least`.
        """
        value = self.number(option, default, least=least)
        if value is not None and value != int(value):
            raise ModelRefused(f"the option {option} of {self} must be a whole number, not {self.options[option]!r}")
        return None if value is None else int(value)

    def flag(self, option: str) -> bool:
        """Returns an option as yes or no; no when it is absent.

        Raises:
            ModelRefused: If it is neither.
        """
        text = self.options.get(option, "0").lower()
        if text not in _YES | _NO:
            raise ModelRefused(f"the option {option} of {self} must be 1 or 0, not {text!r}")
        return text in _YES

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
        query: The query at hand; simulations look at it, and the embedded models, for whether they know its kind.
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


def _embedded(uri: ModelURI, context: ModelContext) -> ChatModel:
    from flowreasoner.models.embedded import embedded_model

    return embedded_model(uri, context)


SCHEMES: Mapping[str, ModelFactory] = {
    "embedded": _embedded,
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
        raise ModelRefused(f"there is no model scheme {uri.scheme!r} (in {_shown(text)}); known are {known}")
    return factory(uri, context or ModelContext())
