"""Interprets a piece of a workflow between its operator calls, for frameworks that make those calls themselves.

A graph framework keeps the variables and decides what runs next; the statements of each of its nodes are run
here, within a budget and without executing generated code.
"""

from __future__ import annotations

import ast
import random
from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from flowreasoner.budget import Budget, Meter
from flowreasoner.engine.calls import catchable
from flowreasoner.engine.flow import Flow, matches
from flowreasoner.engine.library import random_functions
from flowreasoner.engine.pending import CallFailure
from flowreasoner.engine.scope import Scope
from flowreasoner.engine.values import settle, snapshot
from flowreasoner.operators import BUILTIN
from flowreasoner.workflow.program import Program, self_call

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flowreasoner.operators.spec import Operator

__all__ = ["Request", "Segment", "catchable", "matches"]


@dataclass(frozen=True, eq=False)
class Request:
    """A call of an operator or an async helper that is made but not awaited.

    Attributes:
        step: Name of the step that performs it.
        inputs: Arguments by name, copies of what they were.
    """

    step: str
    inputs: dict[str, Any]

    def __repr__(self) -> str:
        return "<coroutine object>"


class Segment:
    """Runs statements over variables.

    Args:
        program: The lowered program, for its synchronous helpers.
        variables: The variables; changed by `run`.
        prompts: Prompt constants; changed where statements rewrite them.
        nodes: Names of the steps that unawaited calls go to, by the `id` of the call in the tree.
        budget: Limits of this piece; its `steps` and `memory` apply.
        operators: Operators by class name.
        seed: Seeds the workflow's own `random`.
    """

    def __init__(
        self,
        program: Program,
        variables: dict[str, Any],
        prompts: dict[str, str],
        nodes: Mapping[int, str] | None = None,
        budget: Budget | None = None,
        operators: Mapping[str, Operator] = BUILTIN,
        seed: object = 0,
    ) -> None:
        limits = budget or Budget()
        run = SimpleNamespace(
            program=program,
            operators=dict(operators),
            meter=Meter(Budget(calls=None, seconds=None, steps=limits.steps, memory=limits.memory)),
            prompts=prompts,
            random_functions=random_functions(random.Random(str(seed))),  # noqa: S311 - reproducible on purpose
            log=[],
        )
        self._run = run
        self._flow = _SegmentFlow(run, nodes or {})
        self._scope = Scope(variables)

    async def run(self, statements: Sequence[ast.stmt]) -> None:
        """Runs statements, which await nothing.

        Raises:
            BudgetExceeded: If a limit is reached.
            Exception: Whatever the statements raise.
        """
        await self._own(self._flow.block(statements, self._scope))

    async def value(self, node: ast.expr) -> Any:
        """Returns the value of an expression."""
        return await self._own(self._flow.settled(node, self._scope))

    async def inputs(self, call: ast.Call) -> dict[str, Any]:
        """Returns the keyword arguments of an operator call, as copies."""
        values = {str(item.arg): await self.value(item.value) for item in call.keywords}
        return {name: snapshot(self._run.meter, value) for name, value in values.items()}

    async def requests(self, arguments: Sequence[ast.expr]) -> list[Request]:
        """Returns the calls that the arguments of a gathering stand for."""
        made = await self._own(self._flow.elements(arguments, self._scope))
        made = [await settle(item) for item in made]
        if not all(isinstance(item, Request) for item in made):
            raise TypeError("asyncio.gather takes calls that are not awaited yet")
        return made

    async def assign(self, target: ast.expr, value: Any) -> None:
        """Binds a target."""
        await self._own(self._flow.assign(target, value, self._scope))

    async def logged(self) -> list[str]:
        """Returns the lines that were printed."""
        return [str(await line.value()) for line in self._run.log]

    async def _own(self, work: Any) -> Any:
        try:
            return await work
        except CallFailure as failure:
            raise failure.error from None


class _SegmentFlow(Flow):
    """A flow that turns calls into requests instead of starting them."""

    def __init__(self, run: Any, nodes: Mapping[int, str]) -> None:
        super().__init__(run)
        self._nodes = nodes

    async def call(self, node: ast.Call, scope: Scope) -> Any:
        """Evaluates a call; of an operator or async helper, only its arguments."""
        name = self_call(node)
        method = self.program.helpers.get(name)
        if name in self.program.bindings:
            inputs = {str(item.arg): await self.settled(item.value, scope) for item in node.keywords}
        elif method is not None and method.is_async:
            positional, named = await self.arguments(node, scope)
            inputs = {**dict(zip(method.parameters, await settle(positional), strict=False)), **await settle(named)}
        else:
            return await super().call(node, scope)
        return Request(self._nodes[id(node)], {key: snapshot(self.meter, value) for key, value in inputs.items()})
