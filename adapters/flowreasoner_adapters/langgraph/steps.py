"""Runs one step of a workflow as a LangGraph node: reads the state, works on a copy, returns what changed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from langchain_core.runnables import Runnable
from langgraph.config import get_config, get_stream_writer
from langgraph.runtime import get_runtime

from flowreasoner.engine import catchable
from flowreasoner_adapters.hosting import run_sync
from flowreasoner_adapters.langgraph.values import alike, exception_named, freeze, links_of, relink, thaw

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from langchain_core.runnables import RunnableConfig

    from flowreasoner.lowering import Handler
    from flowreasoner_adapters.langgraph.operators import Operators

__all__ = ["NOT_VARIABLES", "Moment", "Node", "SampleNode", "Work", "answer_of", "step_label"]

Work = Callable[["Moment"], Awaitable[None]]
"""What a step does: reads and changes ``moment.variables``."""

NOT_VARIABLES = frozenset({"answer", "failed", "feedback", "links", "position", "prompts", "requests", "results"})
"""Keys of the state that are the graph's own."""


@dataclass
class Moment:
    """What a step works with.

    Attributes:
        variables: The workflow's variables; private copies.
        prompts: Rewritten prompt constants; private copies.
        results: Results of a fan-out, in order; errors among them as exceptions.
        error: The error that a handler was entered with.
        feedback: Entry point and test cases of the input.
        answer: Set by the step that ends the workflow.
        requests: Set by a step that starts a fan-out.
        log: Lines that were printed.
    """

    variables: dict[str, Any]
    prompts: dict[str, str]
    results: list[Any]
    error: BaseException | None
    feedback: dict[str, Any]
    answer: Any = None
    answered: bool = False
    requests: list[Any] | None = None
    log: list[str] = field(default_factory=list)


class _StepRunnable(Runnable[dict[str, Any], dict[str, Any]]):
    """A node that runs in synchronous and in asynchronous graphs."""

    async def update(self, state: Mapping[str, Any]) -> dict[str, Any]:
        """Returns the update of the state."""
        raise NotImplementedError

    def invoke(self, input: dict[str, Any], config: RunnableConfig | None = None, **_: Any) -> dict[str, Any]:  # noqa: A002
        """Runs the step."""
        del config  # the context has it
        return run_sync(self.update(input))

    async def ainvoke(self, input: dict[str, Any], config: RunnableConfig | None = None, **_: Any) -> dict[str, Any]:  # noqa: A002
        """Runs the step."""
        del config
        return await self.update(input)


class Node(_StepRunnable):
    """A step with its work.

    Args:
        name: Name of the node.
        work: What it does.
        operators: What the graph works with.
        handlers: Where its errors go.
        variables: Variables of the state.
        shared: Whether variables may share values.
        caught: Whether it begins a handler.
        subgraph: Whether the graph is one of several that run beside each other.
    """

    def __init__(
        self,
        name: str,
        work: Work,
        operators: Operators,
        *,
        handlers: Sequence[Handler] = (),
        shared: bool = False,
        caught: bool = False,
        subgraph: bool = False,
    ) -> None:
        self.node, self.work, self.operators = name, work, operators
        self.handlers, self.shared, self.caught, self.subgraph = tuple(handlers), shared, caught, subgraph

    async def update(self, state: Mapping[str, Any]) -> dict[str, Any]:
        """Does the work on a copy of the state and returns what changed."""
        moment = _moment(state)
        failed: Any = None
        try:
            await self.work(moment)
        except Exception as error:
            step = self._handler(error)
            if step is None:
                raise
            failed = {"step": step, "error": freeze(error)}
        for line in moment.log:
            get_stream_writer()({"log": line})
        return self._changes(state, moment, failed)

    def _handler(self, error: Exception) -> str | None:
        """Returns the step that catches an error; an error that may go away is first tried again."""
        if not catchable(error) or _tried_again(self.operators.retry_policy):
            return None
        for handler in self.handlers:
            kinds = tuple(map(exception_named, handler.exceptions)) or (Exception,)
            if isinstance(error, kinds):
                return handler.step
        return None

    def _changes(self, state: Mapping[str, Any], moment: Moment, failed: Any) -> dict[str, Any]:
        after = {name: freeze(value, name) for name, value in moment.variables.items()}
        update = {name: value for name, value in after.items() if name not in state or not alike(state[name], value)}
        if moment.prompts != (state.get("prompts") or {}):
            update["prompts"] = moment.prompts
        if self.shared:
            links = links_of(moment.variables)
            if links != (state.get("links") or []):
                update["links"] = links
        if state.get("results"):
            update["results"] = None
        if failed or state.get("failed"):
            update["failed"] = failed
        if failed:
            return update
        if moment.requests is not None:
            update["requests"] = [freeze(request)["$call"] for request in moment.requests]
        if moment.answered and self.subgraph:
            update["results"] = {str(state["position"]): freeze(moment.answer)}
        elif moment.answered:
            update["answer"] = answer_of(moment.answer)
        return update


class SampleNode(_StepRunnable):
    """One call of a fan-out: performs the operator on what it was sent.

    Args:
        name: Name of the node.
        operator: The operator's class name.
        operators: What the graph works with.
        guarded: Whether an error is handed on as a result.
    """

    def __init__(self, name: str, operator: str, operators: Operators, *, guarded: bool = False) -> None:
        self.node, self.operator, self.operators, self.guarded = name, operator, operators, guarded

    async def update(self, state: Mapping[str, Any]) -> dict[str, Any]:
        """Performs the call."""
        position = str(state["position"])
        label = f"{step_label(self.node)}/{position}"
        try:
            outputs: Any = await self.operators.perform(self.operator, thaw(state["inputs"]), state["feedback"], label)
        except Exception as error:
            if not self.guarded or not catchable(error) or _tried_again(self.operators.retry_policy):
                raise
            outputs = error
        return {"results": {position: freeze(outputs)}}


def _moment(state: Mapping[str, Any]) -> Moment:
    variables = {name: thaw(value) for name, value in state.items() if name not in NOT_VARIABLES}
    relink(variables, state.get("links") or [])
    failed = state.get("failed")
    results = state.get("results") or {}
    return Moment(
        variables,
        dict(state.get("prompts") or {}),
        [thaw(results[key]) for key in sorted(results, key=int)],
        thaw(failed["error"]) if failed else None,
        state.get("feedback")
        or {"entry_point": state.get("entry_point", ""), "test_cases": state.get("test_cases") or []},
    )


def answer_of(value: Any) -> str:
    """Returns a workflow's value as its answer: the first of a tuple, as text.

    Raises:
        TypeError: If there is none.
    """
    if isinstance(value, tuple) and value:
        value = value[0]
    if value is None:
        raise TypeError("the workflow returned None instead of an answer")
    return value if isinstance(value, str) else str(value)


def step_label(name: str) -> str:
    """Returns a label of this visit of a node, which tells it from other visits of the same run."""
    return f"{name}/{get_config().get('metadata', {}).get('langgraph_step', 0)}"


def _tried_again(policy: Any) -> bool:
    """Tells whether LangGraph will try a node again after an error."""
    if policy is None:
        return False
    most = max(item.max_attempts for item in (policy if isinstance(policy, list | tuple) else [policy]))
    info = get_runtime().execution_info
    return info is not None and info.node_attempt < most
