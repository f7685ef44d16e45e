"""Prices of models: from `genai-prices`, a maintained table, or as the user says."""

from __future__ import annotations

from dataclasses import dataclass

from flowreasoner.errors import ModelRefused

__all__ = ["Price", "price_of"]

_PROVIDERS = {"openai": "openai", "deepseek": "deepseek", "openrouter": "openrouter"}


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars per million input and output tokens."""

    input: float
    output: float

    def of(self, input_tokens: int, output_tokens: int) -> float:
        """Returns the dollars for a number of tokens."""
        return (self.input * input_tokens + self.output * output_tokens) / 1e6

    @classmethod
    def parse(cls, text: str) -> Price:
        """Parses ``IN,OUT``, dollars per million tokens.

        Raises:
            ModelRefused: If the text has another form.
        """
        try:
            read, written = (float(part) for part in text.split(","))
        except ValueError:
            raise ModelRefused(f"a price must be IN,OUT in dollars per million tokens, not {text!r}") from None
        if not (read >= 0 and written >= 0):
            raise ModelRefused(f"a price cannot be negative: {text!r}")
        return cls(read, written)


def price_of(model: str, scheme: str, base_url: str | None) -> Price | None:
    """Looks up a model's list price, without network.

    Args:
        model: The model's name.
        scheme: The scheme of its URI.
        base_url: Of a server that is not the scheme's own; then nothing is known.

    Returns:
        The price, or None when the table does not have it.
    """
    if base_url and scheme == "openai":
        return None
    from genai_prices import Usage, calc_price

    million = 1_000_000
    try:
        read = calc_price(Usage(input_tokens=million), model, provider_id=_PROVIDERS.get(scheme))
        written = calc_price(Usage(output_tokens=million), model, provider_id=_PROVIDERS.get(scheme))
    except LookupError:
        return None
    return Price(float(read.total_price), float(written.total_price))
