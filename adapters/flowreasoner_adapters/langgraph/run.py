"""What one visit of a node works with: private copies of the state, and the way to operators."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from langgraph.config import get_config

from flowreasoner.engine import Request
from flowreasoner_adapters.langgraph.values import relink, thaw, thaw_variables

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from flowreasoner_adapters.langgraph.operators import Operators

__all__ = ["OWN_KEYS", "Run", "feedback_of", "label_of"]

OWN_KEYS = frozenset("answer collector failed feedback inputs links position prompts requests results".split())
"""Keys of the state that are the graph's own, and so are no variables."""


class Variables(dict[str, Any]):
    """A workflow's variables; one without a value is missed as a variable of Python is."""

    def __missing__(self, name: str) -> Any:
        raise NameError(f"name {name!r} is not defined")


@dataclass
class Run:
    """One visit of a node.

    ``await run.custom(input=..., instruction=...)`` performs an operator; any operator's attribute will do.

    Attributes:
        node: Name of the node.
        operators: What the graph works with.
        variables: The workflow's variables; private copies.
        prompts: Prompt constants; those that the workflow rewrites are kept in the state.
        results: Results of a fan-out, in order; errors among them as exceptions.
        error: The error that a handler was entered with.
        feedback: Entry point and test cases of the input; in a fan-out, also which of its calls this is.
        requests: The calls of a fan-out that the node starts.
        answer: The value that ends the workflow.
        answered: Whether there is one.
        lines: Lines that were printed.
    """

    node: str
    operators: Operators
    variables: dict[str, Any]
    prompts: dict[str, str]
    results: list[Any]
    error: Exception | None
    feedback: dict[str, Any]
    requests: list[Any] | None = None
    answer: Any = None
    answered: bool = False
    lines: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, node: str, operators: Operators, state: Mapping[str, Any], prompts: Mapping[str, str]) -> Run:
        """Returns the visit of a node in a state."""
        variables = Variables(thaw_variables(state, [name for name in state if name not in OWN_KEYS]))
        relink(variables, state.get("links") or [])
        failed, results = state.get("failed"), state.get("results") or {}
        return cls(
            node,
            operators,
            variables,
            {**prompts, **(state.get("prompts") or {})},
            [thaw(results[key]) for key in sorted(results, key=int)],
            thaw(failed["error"]) if failed else None,
            feedback_of(state),
        )

    async def perform(self, operator: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Performs an operator, by its class name."""
        return await self.operators.perform(operator, inputs, self.feedback, label_of(self.node, self.feedback))

    def __getattr__(self, attribute: str) -> Callable[..., Awaitable[dict[str, Any]]]:
        named = [name for name, operator in self.operators.operators.items() if operator.attribute == attribute]
        if not named:
            raise AttributeError(f"there is no operator {attribute!r}")

        async def call(**inputs: Any) -> dict[str, Any]:
            return await self.perform(named[0], inputs)

        return call

    def request(self, node: str, **inputs: Any) -> Request:
        """Returns a call for a fan-out; the node of that name performs it."""
        return Request(node, inputs)

    def send(self, *requests: Request) -> None:
        """Starts a fan-out when the node has ended."""
        if not all(isinstance(item, Request) for item in requests):
            raise TypeError("asyncio.gather takes calls that are not awaited yet")
        self.requests = list(requests)

    def collected(self, *, keep_errors: bool = False) -> list[Any]:
        """Returns a fan-out's results in order; the first error among them is raised unless errors are kept."""
        for result in self.results:
            if isinstance(result, Exception) and not keep_errors:
                raise result
        return self.results

    def finish(self, answer: Any) -> None:
        """Ends the workflow with an answer."""
        self.answer, self.answered = answer, True

    def log(self, *parts: Any) -> None:
        """Writes a line to the graph's custom stream."""
        self.lines.append(" ".join(map(str, parts)))


def feedback_of(state: Mapping[str, Any]) -> dict[str, Any]:
    """Returns entry point and test cases, which the operator `Test` needs."""
    known: dict[str, Any] | None = state.get("feedback")
    return known or {"entry_point": state.get("entry_point", ""), "test_cases": state.get("test_cases") or []}


def label_of(node: str, feedback: Mapping[str, Any]) -> str:
    """Returns a label of this visit of a node, which tells it from the run's other visits, samples among them."""
    return f"{node}/{get_config().get('metadata', {}).get('langgraph_step', 0)}{feedback.get('path', '')}"
