"""Limits on what a run may spend, and the meter that counts it."""

from __future__ import annotations

import time
from dataclasses import dataclass, fields, replace
from typing import Any, NoReturn

from flowreasoner.errors import BudgetExceeded, QueryError

__all__ = ["Budget", "Meter", "Spending"]

_CLOCK_EVERY = 32
_BEYOND = 10**15  # a size over this is beyond any budget, and may be too long a number to print


@dataclass(frozen=True, slots=True)
class Budget:
    """What one run of a workflow may use; ``None`` is no limit.

    Attributes:
        calls: Operator calls.
        seconds: Wall-clock seconds.
        tokens: Tokens read and written by the worker.
        usd: US dollars.
        steps: Statements and expressions evaluated by the engine.
        memory: Characters of all values the workflow ever makes; an element of a container counts as 16.
    """

    calls: int | None = 64
    seconds: float | None = 900.0
    tokens: int | None = None
    usd: float | None = None
    steps: int | None = 200_000
    memory: int | None = 32_000_000

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            if value is not None and not (isinstance(value, int | float) and value > 0):
                raise QueryError(f"the budget's {item.name!r} must be above 0, got {value!r}; use None for no limit")

    @classmethod
    def unlimited(cls, *, usd: float | None = None) -> Budget:
        """Returns a budget without limits, except on dollars where one is given."""
        return cls(calls=None, seconds=None, tokens=None, usd=usd, steps=None, memory=None)

    def to_json(self) -> dict[str, Any]:
        """Returns the limits as a JSON object."""
        return {item.name: getattr(self, item.name) for item in fields(self)}


@dataclass(frozen=True, slots=True)
class Spending:
    """What was used: model calls, tokens, US dollars, and the share of the dollars that a cache saved.

    `unpriced_calls` are model calls that the dollars leave out, as nobody knows their price.
    """

    calls: int = 0
    model_calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    usd: float = 0.0
    cached_calls: int = 0
    cached_usd: float = 0.0
    unpriced_calls: int = 0

    @property
    def tokens(self) -> int:
        """Tokens read and written."""
        return self.input_tokens + self.output_tokens

    def __add__(self, other: Spending) -> Spending:
        return Spending(*(getattr(self, item.name) + getattr(other, item.name) for item in fields(self)))

    def __sub__(self, other: Spending) -> Spending:
        # Sums of dollars in another order differ in the last digits; what is left of equal sums must be nothing.
        return Spending(*(round(getattr(self, item.name) - getattr(other, item.name), 12) for item in fields(self)))

    def to_json(self) -> dict[str, float]:
        """Returns the amounts as a JSON object."""
        return {item.name: getattr(self, item.name) for item in fields(self)}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Spending:
        """Reads what `to_json` wrote."""
        return cls(**value)


class Meter:
    """Counts spending against a budget.

    Args:
        budget: The limits.
        parent: A meter that is charged as well, e.g. the whole design's.
    """

    def __init__(self, budget: Budget, parent: Meter | None = None) -> None:
        self.budget, self.parent = budget, parent
        self.spent = Spending()
        self.steps = 0
        self.memory = 0
        self._started = time.monotonic()
        self._ended: BudgetExceeded | None = None

    def charge(self, spending: Spending) -> None:
        """Adds what a model call cost.

        Raises:
            BudgetExceeded: If a limit on tokens or dollars is passed, here or at the parent.
        """
        self.spent += spending
        try:
            self._check("tokens", self.spent.tokens)
            self._check("usd", self.spent.usd)
            self._check_prices()
        finally:
            if self.parent is not None:
                self.parent.charge(spending)

    def permit(self) -> None:
        """Looks, before a model call, whether anything is left to pay it with.

        Raises:
            BudgetExceeded: If the tokens or dollars are used up, here or at the parent.
        """
        self._check_prices()
        for limit, spent in (("tokens", self.spent.tokens), ("usd", self.spent.usd)):
            allowed = getattr(self.budget, limit)
            if allowed is not None and spent >= allowed:
                self._exceeded(limit, spent, f"the {limit} limit of {allowed:,g} is used up")
        if self.parent is not None:
            self.parent.permit()

    def check(self) -> None:
        """Looks whether anything was refused so far.

        Raises:
            BudgetExceeded: The first one that this meter, or else its parent, raised for tokens or dollars.
        """
        if self._ended is not None:
            raise self._ended
        if self.parent is not None:
            self.parent.check()

    def call(self) -> None:
        """Counts an operator call.

        Raises:
            BudgetExceeded: If it is one too many.
        """
        self._check("calls", self.spent.calls + 1)
        if self.parent is not None:
            self.parent.call()
        self.spent = replace(self.spent, calls=self.spent.calls + 1)

    def step(self) -> None:
        """Counts a step of the engine, and looks at the clock now and then.

        Raises:
            BudgetExceeded: If it is one too many, or if the time is up.
        """
        self.steps += 1
        if not self.steps % _CLOCK_EVERY:
            self._check("seconds", time.monotonic() - self._started)
        if self.budget.steps is not None and self.steps > self.budget.steps:
            raise BudgetExceeded("steps", self.budget.steps, self.steps)

    def allocate(self, size: int) -> None:
        """Counts the size of a value that is about to be made.

        Raises:
            BudgetExceeded: If there is no room for it.
        """
        self.memory += min(size, _BEYOND)
        if self.budget.memory is not None and self.memory > self.budget.memory:
            raise BudgetExceeded("memory", self.budget.memory, self.memory)

    def _check(self, limit: str, spent: float) -> None:
        allowed = getattr(self.budget, limit)
        if allowed is not None and spent > allowed:
            self._exceeded(limit, spent)

    def _check_prices(self) -> None:
        if self.budget.usd is not None and self.spent.unpriced_calls:
            self._exceeded(
                "usd", self.spent.usd, "the price of a model is not known, so that a dollar limit cannot hold"
            )

    def _exceeded(self, limit: str, spent: float, note: str = "") -> NoReturn:
        error = BudgetExceeded(limit, getattr(self.budget, limit), spent, note)
        if limit in {"tokens", "usd"}:
            self._ended = self._ended or error
        raise error
