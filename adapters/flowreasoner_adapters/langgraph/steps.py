"""Nodes of a graph: each works on a copy of the state and returns what changed, in either kind of graph."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

from langchain_core.runnables import Runnable
from langgraph.config import get_stream_writer
from langgraph.graph import END
from langgraph.runtime import get_runtime
from langgraph.types import RetryPolicy

from flowreasoner.budget import Meter
from flowreasoner.engine import answer_of, catchable
from flowreasoner.engine.values import weigh
from flowreasoner.errors import QueryError
from flowreasoner.workflow.language import PARAMETERS
from flowreasoner_adapters.arguments import listed_tests
from flowreasoner_adapters.hosting import run_sync
from flowreasoner_adapters.langgraph.operators import ModelRaised
from flowreasoner_adapters.langgraph.run import OWN_KEYS, Run, label_of
from flowreasoner_adapters.langgraph.values import UNSET, alike, exception_named, freeze, links_of, thaw

if TYPE_CHECKING:
    from collections.abc import Mapping

    from langchain_core.runnables import RunnableConfig

    from flowreasoner.lowering import Handler
    from flowreasoner_adapters.langgraph.operators import Operators

__all__ = ["Node", "SampleNode", "StepRunnable", "Work"]

Work = Callable[[Run], Awaitable[None]]
"""What a node does: reads and changes ``run.variables``."""


class StepRunnable(Runnable[dict[str, Any], dict[str, Any]]):
    """A node for synchronous and asynchronous graphs; LangGraph's context has the config."""

    async def update(self, state: Mapping[str, Any]) -> dict[str, Any]:
        """Returns the update of the state."""
        raise NotImplementedError

    def invoke(self, input: dict[str, Any], config: RunnableConfig | None = None, **_: Any) -> dict[str, Any]:  # noqa: A002, ARG002
        """Runs the node."""
        return run_sync(self.update(input))

    async def ainvoke(self, input: dict[str, Any], config: RunnableConfig | None = None, **_: Any) -> dict[str, Any]:  # noqa: A002, ARG002
        """Runs the node."""
        return await self.update(input)


class Node(StepRunnable):
    """A node with its work.

    Args:
        name: Its name.
        work: What it does.
        operators: What the graph works with.
        handlers: Where its errors go, the innermost first.
        prompts: Prompt constants.
        rewritten: Those that the workflow rewrites.
        shared: Whether variables may share changeable values.
        subgraph: Whether its graph is one of several that run beside each other.
        guarded: Whether an error without a handler ends the subgraph as its result.
        start: Whether a run begins with it, so that nothing of the thread's earlier runs is left.
        collect: The node that collects what it sends, where the calls cannot tell.
        retry_policy: LangGraph's retry policy of this node.
    """

    def __init__(
        self,
        name: str,
        work: Work,
        operators: Operators,
        *,
        handlers: Sequence[Handler] = (),
        prompts: Mapping[str, str] | None = None,
        rewritten: Sequence[str] = (),
        shared: bool = False,
        subgraph: bool = False,
        guarded: bool = False,
        start: bool = False,
        collect: str = "",
        retry_policy: Any = None,
    ) -> None:
        self.node, self.work, self.operators = name, work, operators
        self.handlers, self.prompts, self.rewritten = tuple(handlers), dict(prompts or {}), tuple(rewritten)
        self.shared, self.subgraph, self.guarded = shared, subgraph, guarded
        self.start, self.collect, self.retry_policy = start, collect, retry_policy

    async def update(self, state: Mapping[str, Any]) -> dict[str, Any]:
        """Does the work on a copy of the state and returns what changed."""
        given = _checked_input(state) if self.start else state
        run = Run.of(self.node, self.operators, given, self.prompts)
        failed: Any = None
        try:
            await self.work(run)
        except ModelRaised as raised:
            raise raised.error from None
        except Exception as error:
            step = self._handler(error)
            if step is None:
                raise
            failed = {"step": step, "error": freeze(error)}
        self._weigh(run)
        for line in run.lines:
            get_stream_writer()({"log": line})
        left = {name: UNSET for name in state if name not in {*given, *run.variables} | OWN_KEYS}
        return left | self._variables(state, run) | self._control(state, run, failed)

    def _weigh(self, run: Run) -> None:
        """Refuses to store more than the budget has room for: values that share parts are far larger as plain data.

        Raises:
            BudgetExceeded: If there is more.
        """
        inputs = [request.inputs for request in run.requests or ()]
        weigh(Meter(self.operators.budget), *run.variables.values(), *inputs, run.answer)

    def _handler(self, error: Exception) -> str | None:
        """Returns the node that catches an error; an error that may go away is first tried again."""
        if not catchable(error) or _tried_again(self.retry_policy, error):
            return None
        for handler in self.handlers:
            kinds = tuple(map(exception_named, handler.exceptions)) or (Exception,)
            if isinstance(error, kinds):
                return handler.step
        return END if self.guarded else None

    def _variables(self, state: Mapping[str, Any], run: Run) -> dict[str, Any]:
        after = {name: freeze(value, name) for name, value in run.variables.items()}
        update = {name: value for name, value in after.items() if name not in state or not alike(state[name], value)}
        prompts = {name: run.prompts[name] for name in self.rewritten if name in run.prompts}
        if prompts != (state.get("prompts") or {}):
            update["prompts"] = prompts
        links = links_of(run.variables) if self.shared else []
        if links != (state.get("links") or []):
            update["links"] = links
        return update

    def _control(self, state: Mapping[str, Any], run: Run, failed: Any) -> dict[str, Any]:
        update: dict[str, Any] = {}
        if state.get("results"):
            update["results"] = None
        if failed or state.get("failed"):
            update["failed"] = failed
        if failed and failed["step"] == END:
            update["results"] = {"only": {str(state["position"]): failed["error"]}}
        if failed:
            return update
        if run.requests is not None:
            update["requests"] = [freeze(request)["$call"] for request in run.requests]
            update |= {"collector": self.collect} if self.collect else {}
        if run.answered and self.subgraph:
            update["results"] = {"only": {str(state["position"]): freeze(run.answer)}}
        elif run.answered:
            update["answer"] = str(answer_of(run.answer))
        return update


class SampleNode(StepRunnable):
    """One call of a fan-out: performs an operator on what it was sent.

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
        label = label_of(self.node, state["feedback"])
        result: Any
        try:
            result = await self.operators.perform(self.operator, thaw(state["inputs"]), state["feedback"], label)
        except ModelRaised as raised:
            raise raised.error from None
        except Exception as error:
            if not self.guarded or not catchable(error) or _tried_again(self.operators.retry_policy, error):
                raise
            result = error
        return {"results": {position: freeze(result)}}


def _checked_input(state: Mapping[str, Any]) -> dict[str, Any]:
    """Returns what a run is given, nothing of the thread's earlier runs.

    Raises:
        QueryError: If there is no problem, or something is of the wrong kind.
    """
    given = {name: value for name, value in state.items() if name in PARAMETERS}
    problem = given.get("problem")
    if not isinstance(problem, str) or not problem.strip():
        raise QueryError("the graph's input needs a problem as text: app.invoke({'problem': '...'})")
    if not isinstance(given.get("entry_point") or "", str):
        raise QueryError(f"entry_point must be the name of a function, not {type(given['entry_point']).__name__}")
    if "test_cases" in given:
        given["test_cases"] = listed_tests(given["test_cases"])
    return given


def _tried_again(policy: RetryPolicy | Sequence[RetryPolicy] | None, error: Exception) -> bool:
    """Tells whether LangGraph will try a node again after an error: by the first policy that the error is for."""
    policies: Sequence[RetryPolicy] = [policy] if isinstance(policy, RetryPolicy) else policy or ()
    most = next((item.max_attempts for item in policies if _is_for(item, error)), 0)
    info = get_runtime().execution_info
    return info is not None and info.node_attempt < most


def _is_for(policy: RetryPolicy, error: Exception) -> bool:
    wanted: Any = policy.retry_on
    if isinstance(wanted, type) and issubclass(wanted, Exception):
        return isinstance(error, wanted)
    return isinstance(error, tuple(wanted)) if isinstance(wanted, Sequence) else bool(wanted(error))
