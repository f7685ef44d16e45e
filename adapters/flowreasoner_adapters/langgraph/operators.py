"""Performs operators on a LangChain model and the sandbox."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from flowreasoner.budget import Budget
from flowreasoner.errors import FlowReasonerError, ModelError
from flowreasoner.operators import BUILTIN
from flowreasoner.operators.toolkit import ModelToolkit
from flowreasoner.sandbox.suite import Suite
from flowreasoner_adapters.arguments import listed_tests
from flowreasoner_adapters.hosting import Sandboxes
from flowreasoner_adapters.langgraph.model import as_chat_model

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flowreasoner.budget import Spending
    from flowreasoner.operators import Operator
    from flowreasoner.sandbox import Sandbox

__all__ = ["ModelRaised", "Operators"]


class ModelRaised(FlowReasonerError):
    """The model raised; no workflow's `try` is about that, and the run ends with the error itself.

    Args:
        error: What the model raised.
    """

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error


@dataclass
class Operators:
    """What a graph's nodes work with.

    Attributes:
        model: The LangChain chat model that performs steps; needed when the graph runs.
        sandbox: Runs code: a sandbox, the name of a tier, or None for the strongest that isolates.
        tests: Feedback tests of `Test`; the ``test_cases`` of the graph's input unless given.
        operators: Operators by class name.
        budget: Limits of each node's statements.
        seed: Seeds the workflow's own `random` and the order of votes.
        retry_policy: LangGraph's retry policy of the nodes that call operators.
        cache_policy: LangGraph's cache policy of the nodes that call operators.
    """

    model: Any = None
    sandbox: Sandbox | str | None = None
    tests: Suite | None = None
    operators: Mapping[str, Operator] = field(default_factory=lambda: BUILTIN)
    budget: Budget = field(default_factory=Budget)
    seed: int = 0
    retry_policy: Any = None
    cache_policy: Any = None

    def __post_init__(self) -> None:
        self._chat = None if self.model is None else as_chat_model(self.model)
        self._sandboxes = Sandboxes(self.sandbox)

    async def perform(
        self, name: str, inputs: Mapping[str, Any], feedback: Mapping[str, Any], label: str
    ) -> dict[str, Any]:
        """Performs one operator call.

        Args:
            name: The operator's class name.
            inputs: Its arguments.
            feedback: ``entry_point`` and ``test_cases`` of the graph's input.
            label: Seeds the call's own randomness.

        Returns:
            One value per output.

        Raises:
            OperatorError: If an input or the model's reply cannot be used.
            ModelError: If no model was given.
            ModelRaised: With what the model raises.
        """
        operator = self.operators[name]
        toolkit: Any = _Worker(self, feedback, label)
        return dict(await operator(toolkit, inputs))

    def toolkit(self, feedback: Mapping[str, Any], label: str) -> ModelToolkit:
        """Returns the toolkit of one call.

        Raises:
            ModelError: If no model was given.
        """
        if self._chat is None:
            raise ModelError(
                "the graph has no model: pass one, e.g. LangGraphBackend(init_chat_model('openai:gpt-4o'))"
            )
        entry_point = str(feedback.get("entry_point") or "")
        suite = self.tests or _suite(tuple(listed_tests(feedback.get("test_cases"))), entry_point)
        source = random.Random(f"{self.seed}/{label}")  # noqa: S311 - reproducible on purpose
        return ModelToolkit(self._chat, self._sandboxes.here(), suite, entry_point, label, source, _spent)


class _Worker:
    """A toolkit that is made on first use: operators that ask nothing need neither model nor sandbox."""

    def __init__(self, operators: Operators, feedback: Mapping[str, Any], label: str) -> None:
        self._given = operators, feedback, label
        self._toolkit: ModelToolkit | None = None

    async def ask(self, operator: Operator, values: Mapping[str, Any], *, entry_point: str = "") -> dict[str, Any]:
        """Asks the model; tells its own errors from those that a workflow may catch."""
        toolkit = self._made()
        try:
            return await toolkit.ask(operator, values, entry_point=entry_point)
        except FlowReasonerError:
            raise
        except Exception as error:
            raise ModelRaised(error) from error

    def __getattr__(self, name: str) -> Any:
        return getattr(self._made(), name)

    def _made(self) -> ModelToolkit:
        if self._toolkit is None:
            operators, feedback, label = self._given
            self._toolkit = operators.toolkit(feedback, label)
        return self._toolkit


def _spent(_: Spending) -> None:
    """LangChain's own callbacks count what calls cost."""


@lru_cache(maxsize=64)
def _suite(test_cases: tuple[str, ...], entry_point: str) -> Suite | None:
    return Suite.asserts(list(test_cases), entry_point) if test_cases else None
