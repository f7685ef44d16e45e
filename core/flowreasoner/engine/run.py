"""Runs a workflow: starts its calls as early as the program allows, within a budget, and records all of it."""

from __future__ import annotations

import ast
import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flowreasoner.budget import Budget, Meter, Spending
from flowreasoner.engine.calls import Coroutine as UnawaitedCall
from flowreasoner.engine.calls import catchable
from flowreasoner.engine.flow import Flow
from flowreasoner.engine.library import random_functions
from flowreasoner.engine.pending import CallFailure, Lazy, Promise
from flowreasoner.engine.trace import Call, Trace
from flowreasoner.engine.values import settle, weigh
from flowreasoner.errors import (
    BudgetExceeded,
    FlowReasonerError,
    ModelError,
    PluginError,
    SandboxError,
    StoreError,
    WorkflowFailed,
)
from flowreasoner.operators import BUILTIN, FieldKind
from flowreasoner.workflow.language import PARAMETERS

if TYPE_CHECKING:
    from flowreasoner.operators.spec import Operator
    from flowreasoner.workflow.program import Workflow

__all__ = ["Perform", "Run", "RunResult", "answer_of", "run_workflow"]

Perform = Callable[["Operator", dict[str, Any], Call], Awaitable[dict[str, Any]]]
"""Performs one operator call: ``await perform(operator, inputs, call) -> outputs``."""


@dataclass(frozen=True, slots=True)
class RunResult:
    """What a run gave.

    Attributes:
        answer: The workflow's answer, or None when it failed.
        error: Why it failed, or None.
        trace: All calls and the log.
        spent: Calls, tokens and dollars.
        seconds: Wall-clock time.
        steps: Steps of the engine.
    """

    answer: str | None
    error: FlowReasonerError | None
    trace: Trace
    spent: Spending
    seconds: float
    steps: int


async def run_workflow(
    workflow: Workflow,
    arguments: Mapping[str, Any],
    perform: Perform,
    *,
    budget: Budget | None = None,
    meter: Meter | None = None,
    operators: Mapping[str, Operator] = BUILTIN,
    seed: int = 0,
) -> RunResult:
    """Runs a workflow once.

    Args:
        workflow: A checked workflow.
        arguments: The run's ``problem``, ``entry_point`` and ``test_cases``; absent ones are empty.
        perform: Performs operator calls.
        budget: Limits of the run; the defaults of `Budget` unless given.
        meter: Counts spending; a new one over `budget` unless given.
        operators: Operators by class name.
        seed: Seeds the workflow's own `random`.

    Returns:
        The answer and the trace. A failure of the workflow, of an operator or of the budget is part of the
        result: it is a scored outcome, not a crash.

    Raises:
        ModelError: If a chat model cannot be reached.
        SandboxError: If the sandbox itself fails.
        StoreError: If the completion cache cannot be read or written.
    """
    run = Run(workflow, perform, meter or Meter(budget or Budget()), operators, seed)
    return await run.execute(arguments)


def answer_of(value: Any) -> Any:
    """Returns what of a workflow's value is the answer: the first of a tuple, as AFlow returns the cost beside it.

    Raises:
        TypeError: If there is none.
    """
    if isinstance(value, tuple) and value:
        value = value[0]
    if value is None:
        raise TypeError("the workflow returned None instead of an answer")
    return value


class Run:
    """The state that all flows of one run share."""

    def __init__(
        self, workflow: Workflow, perform: Perform, meter: Meter, operators: Mapping[str, Operator], seed: int
    ) -> None:
        self.program = workflow.program
        self.operators = dict(operators)
        self.perform, self.meter = perform, meter
        self.prompts = dict(workflow.prompts)  # a workflow may rewrite its own copy
        self.random_functions = random_functions(random.Random(seed))  # noqa: S311 - reproducible on purpose
        self.trace = Trace()
        self.log: list[Lazy] = []
        self.tasks: list[asyncio.Task[Any]] = []
        self.fatal: BaseException | None = None
        self._start = time.perf_counter()

    async def execute(self, arguments: Mapping[str, Any]) -> RunResult:
        """Runs the entry method to its end; see `run_workflow`."""
        flow = Flow(self)
        answer: str | None = None
        error: FlowReasonerError | None = None
        try:
            async with asyncio.timeout(self.meter.budget.seconds) as limit:
                answer = await self._answer(flow, arguments)
        except (CallFailure, Exception) as raised:
            if isinstance(raised, TimeoutError) and limit.expired():
                error = BudgetExceeded("seconds", self.meter.budget.seconds or 0.0, self._now())
            else:
                error = self._explain(raised, flow)
        finally:
            await self._finish()
        return RunResult(answer, error, self.trace, self.meter.spent, self._now(), self.meter.steps)

    async def _answer(self, flow: Flow, arguments: Mapping[str, Any]) -> str:
        entry = self.program.entry
        given = {name: arguments.get(name, [] if name == "test_cases" else "") for name in PARAMETERS}
        named = {name: given[name] for name in entry.parameters if name in given}
        value = await flow.run_alone(entry, [], named)
        value = answer_of(value)
        if isinstance(value, UnawaitedCall):
            raise TypeError("the workflow returned a call that was never awaited")
        if not isinstance(value, str):
            weigh(self.meter, value)
        return str(value)

    def _explain(self, raised: BaseException, flow: Flow) -> FlowReasonerError:
        """Returns what a failed run reports; infrastructure failures are raised on."""
        error = raised.error if isinstance(raised, CallFailure) else raised
        if isinstance(error, FlowReasonerError):
            if _is_infrastructure(error):
                raise error
            return error
        name = type(error).__name__
        return WorkflowFailed(f"{name}: {error}" if str(error) else name, flow.line)

    def _now(self) -> float:
        return time.perf_counter() - self._start

    # --- calls ---

    def start(self, node: ast.Call, operator: Operator, inputs: dict[str, Any], path: str, *, guarded: bool) -> Promise:
        """Starts an operator call at once; it waits for its own inputs.

        Args:
            node: The call, for its place in the text.
            operator: What to perform.
            inputs: Arguments, which may be pending.
            path: Position in the program's own order.
            guarded: Whether a handler may catch a failure of the call; if none may, no further call starts.
        """
        if self.fatal is not None:
            raise self.fatal
        self.meter.call()
        call = Call(path, operator.name, self.program.site_of(node).name, node.lineno)
        self.trace.calls.append(call)
        outputs: dict[str, type] = {
            item.name: bool if item.kind is FieldKind.FLAG else str for item in operator.outputs
        }
        return Promise(self.task(self._work(operator, inputs, call, guarded=guarded)), outputs)

    def task(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Starts a task that the run ends with itself."""
        task = asyncio.create_task(work)
        self.tasks.append(task)
        return task

    async def _work(self, operator: Operator, inputs: dict[str, Any], call: Call, *, guarded: bool) -> dict[str, Any]:
        try:
            for name, value in inputs.items():
                call.inputs[name] = await settle(value)
            call.start = self._now()
            outputs = await self.perform(operator, dict(call.inputs), call)
            self.meter.allocate(sum(len(str(value)) for value in outputs.values()))
        except asyncio.CancelledError:
            call.status = "cancelled"
            raise
        except CallFailure as failure:
            call.status, call.error = "cancelled", f"an input failed: {failure.error}"
            raise
        except Exception as error:
            call.status, call.error = "failed", str(error)
            if not guarded or not catchable(error):
                self.fatal = self.fatal or CallFailure(error)
            raise
        finally:
            call.end = self._now()
        call.outputs, call.status = dict(outputs), "ok"
        return outputs

    async def _finish(self) -> None:
        """Ends what is still running, and completes the trace."""
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        for line in self.log:
            try:
                self.trace.log.append(str(await line.value()))
            except (CallFailure, Exception):
                self.trace.log.append("<a logged value was never computed>")
        self.trace.calls.sort(key=lambda call: [int(part) for part in call.path.split(".")])


def _is_infrastructure(error: FlowReasonerError) -> bool:
    """Tells whether an error says nothing about the workflow."""
    return isinstance(error, ModelError | SandboxError | StoreError | PluginError)
