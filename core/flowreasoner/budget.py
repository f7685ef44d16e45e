"""Limits on what a run may spend, and the meter that counts it."""

from __future__ import annotations

import time
from dataclasses import dataclass, fields, replace
from typing import Any

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
            if value is not None and not value > 0:
                raise QueryError(f"the budget's {item.name!r} must be above 0, got {value!r}; use None for no limit")

    def to_json(self) -> dict[str, Any]:
        """Returns the limits as a JSON object."""
        return {item.name: getattr(self, item.name) for item in fields(self)}


@dataclass(frozen=True, slots=True)
class Spending:
    """What was used: model calls, tokens, US dollars, and the share of the dollars that a cache saved."""

    calls: int = 0
    model_calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    usd: float = 0.0
    cached_calls: int = 0
    cached_usd: float = 0.0

    @property
    def tokens(self) -> int:
        """Tokens read and written."""
        return self.input_tokens + self.output_tokens

    def __add__(self, other: Spending) -> Spending:
        return Spending(*(getattr(self, item.name) + getattr(other, item.name) for item in fields(self)))

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

    def charge(self, spending: Spending) -> None:
        """Adds what a model call cost.

        Raises:
            BudgetExceeded: If a limit on tokens or dollars is passed, here or at the parent.
        """
        self.spent += spending
        try:
            self.check()
        finally:
            if self.parent is not None:
                self.parent.charge(spending)

    def check(self) -> None:
        """Looks whether a limit on tokens or dollars is passed.

        Raises:
            BudgetExceeded: If one is.
        """
        self._check("tokens", self.spent.tokens)
        self._check("usd", self.spent.usd)

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
            raise BudgetExceeded(limit, allowed, spent)
