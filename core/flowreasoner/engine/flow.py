"""One flow of control through a workflow: its statements, and the calls it has started.

A run has one flow; each helper method handed to `asyncio.gather` gets one of its own.
"""

from __future__ import annotations

import ast
import asyncio
import builtins
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flowreasoner.engine.calls import Calls, catchable
from flowreasoner.engine.pending import CallFailure, Pending, Promise
from flowreasoner.engine.scope import Scope
from flowreasoner.engine.values import ELEMENT, OrderedSet, hashed, settle, snapshot

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flowreasoner.engine.run import Run
    from flowreasoner.operators.spec import Operator
    from flowreasoner.workflow.program import Method

__all__ = ["Flow", "matches"]

_DEEPEST = 12
_YIELD_EVERY = 1_000


@dataclass(frozen=True, slots=True)
class _Return:
    value: Any


_BREAK, _CONTINUE = object(), object()


class Flow(Calls):
    """Runs methods of a program.

    Args:
        run: What all flows of the run share.
        path: Prefix of the paths of this flow's calls.
        guarded: Whether a failure of this flow may be caught by whoever started it.
    """

    def __init__(self, run: Run, path: str = "", *, guarded: bool = False) -> None:
        self.run, self.path, self.guarded = run, path, guarded
        self.program, self.operators = run.program, run.operators
        self.meter, self.prompts, self.random_functions = run.meter, run.prompts, run.random_functions
        self.started: list[Promise] = []
        self.guards = self.count = self.depth = self.line = self._yielded = 0

    # --- calls: the part of `Calls` that needs the run ---

    def _next_path(self) -> str:
        self.count += 1
        return f"{self.path}{self.count}"

    def start_operator(self, node: ast.Call, operator: Operator, arguments: dict[str, Any]) -> Promise:
        """Starts an operator call on copies of its arguments."""
        private = {name: snapshot(self.meter, value) for name, value in arguments.items()}
        guarded = self.guarded or self.guards > 0
        return self._own(self.run.start(node, operator, private, self._next_path(), guarded=guarded))

    def start_helper(self, method: Method, arguments: Sequence[Any], named: dict[str, Any]) -> Promise:
        """Starts a helper method as a flow of its own, as `asyncio.gather` does."""
        flow = Flow(self.run, f"{self._next_path()}.", guarded=self.guarded or self.guards > 0)
        flow.depth = self.depth
        return self._own(Promise(self.run.task(flow.run_alone(method, arguments, named))))

    def _own(self, promise: Promise) -> Promise:
        if not self.guards:
            self.started.append(promise)
        return promise

    async def arrive(self, promise: Promise) -> Any:
        """Returns a started call's promise, or inside a `try` waits for it: its failure belongs there."""
        if not self.guards:
            return promise
        try:
            await promise.value()
        except CallFailure as failure:
            raise failure.error from None
        return promise

    async def all_done(self) -> None:
        """Waits for every call that this flow started; the first failure in its own order is raised."""
        for promise in self.started:
            await promise.result()

    async def spent_usd(self) -> float:
        """Returns the dollars spent, once every call of this flow has ended."""
        await self.all_done()
        return self.meter.spent.usd

    def log(self, parts: Sequence[Any]) -> None:
        """Adds a line to the log; values still pending are filled in later."""
        texts = [part if isinstance(part, str) else self.lazy_text(str, part) for part in parts]
        self.run.log.append(self.lazy_text(lambda *words: " ".join(words), *texts))

    # --- methods ---

    async def run_alone(self, method: Method, arguments: Sequence[Any], named: dict[str, Any]) -> Any:
        """Runs a method as a flow of its own, waits for all that it started, and returns a settled value."""
        try:
            value = await self.run_helper(method, arguments, named)
        except Exception as error:
            if catchable(error):
                await self.all_done()  # the sequential program had made these calls before it came to the error
            raise
        await self.all_done()
        return await settle(value)

    async def run_helper(self, method: Method, arguments: Sequence[Any], named: dict[str, Any]) -> Any:
        """Runs a method within this flow and returns its value, pending or not."""
        if len(arguments) > len(method.parameters):
            raise TypeError(f"{method.name}() takes {len(method.parameters)} arguments, got {len(arguments)}")
        values = dict(zip(method.parameters, arguments, strict=False))
        for name, value in named.items():
            if name in values or name not in method.parameters:
                raise TypeError(f"{method.name}() got an unexpected or repeated argument {name!r}")
            values[name] = value
        for name in method.parameters:
            default = method.default_of(name)
            if name not in values and default is None:
                raise TypeError(f"{method.name}() is missing the argument {name!r}")
            if name not in values and default is not None:
                values[name] = await self.evaluate(default, Scope())
        self.depth += 1
        if self.depth > _DEEPEST:
            raise RecursionError(f"methods call each other more than {_DEEPEST} deep")
        try:
            end = await self.block(method.body, Scope(values))
        finally:
            self.depth -= 1
        return end.value if isinstance(end, _Return) else None

    # --- statements: each returns None, or a signal that ends the block ---

    async def block(self, statements: Sequence[ast.stmt], scope: Scope) -> Any:
        """Runs statements until one ends the block."""
        for statement in statements:
            signal = await self._statement(statement, scope)
            if signal is not None:
                return signal
        return None

    async def _statement(self, node: ast.stmt, scope: Scope) -> Any:
        await self._tick(node)
        match node:
            case ast.If():
                return await self._branch(node, scope)
            case ast.For():
                return await self._for(node, scope)
            case ast.While():
                return await self._while(node, scope)
            case ast.Return():
                return _Return(None if node.value is None else await self.evaluate(node.value, scope))
            case ast.Try():
                return await self._attempt(node, scope)
            case ast.Break():
                return _BREAK
            case ast.Continue():
                return _CONTINUE
        await self._straight(node, scope)
        return None

    async def _tick(self, node: ast.stmt) -> None:
        """Counts a statement, and lets other tasks have their turn now and then."""
        self.meter.step()
        self.line = node.lineno
        if self.meter.steps - self._yielded > _YIELD_EVERY:
            self._yielded = self.meter.steps
            await asyncio.sleep(0)

    async def _straight(self, node: ast.stmt, scope: Scope) -> None:
        """Runs a statement after which the next one follows."""
        match node:
            case ast.Assign():
                value = await self.evaluate(node.value, scope)
                for target in node.targets:
                    await self.assign(target, value, scope)
            case ast.AugAssign():
                await self._augment(node, scope)
            case ast.Expr():
                await self.evaluate(node.value, scope)

    async def _branch(self, node: ast.If, scope: Scope) -> Any:
        """Runs the branch whose test holds; a chain of `elif` is walked without recursion."""
        while not await self.truth(node.test, scope):
            match node.orelse:
                case [ast.If() as following]:
                    node = following
                case orelse:
                    return await self.block(orelse, scope)
        return await self.block(node.body, scope)

    async def _for(self, node: ast.For, scope: Scope) -> Any:
        async for item in self.iterate(await self.ready(node.iter, scope)):
            self.meter.step()
            await self.assign(node.target, item, scope)
            signal = await self.block(node.body, scope)
            if signal is _BREAK:
                return None
            if isinstance(signal, _Return):
                return signal
        return await self.block(node.orelse, scope)

    async def _while(self, node: ast.While, scope: Scope) -> Any:
        while await self.truth(node.test, scope):
            signal = await self.block(node.body, scope)
            if signal is _BREAK:
                return None
            if isinstance(signal, _Return):
                return signal
        return await self.block(node.orelse, scope)

    # --- assignment ---

    async def assign(self, target: ast.expr, value: Any, scope: Scope) -> None:
        """Binds a target to a value, pending or not."""
        match target:
            case ast.Name(id=name):
                scope.values[name] = value
            case ast.Tuple(elts=targets) | ast.List(elts=targets):
                await self._unpack(targets, value, scope)
            case ast.Subscript():
                container = await self.ready(target.value, scope)
                key = await self.settled(target.slice, scope)
                if not isinstance(container, list | dict):
                    raise TypeError(f"{type(container).__name__!r} object does not support item assignment")
                self.meter.allocate(ELEMENT)
                if isinstance(key, slice):
                    value = await self.listed(await value.value() if isinstance(value, Pending) else value)
                container[hashed(self.meter, key)] = value
            case ast.Attribute(value=ast.Name(id="prompt_custom"), attr=name):
                text = await settle(value)
                if not isinstance(text, str):
                    raise TypeError(f"prompt_custom.{name} must be a string")
                self.prompts[name] = text
            case _:
                raise TypeError(f"cannot assign to {ast.unparse(target)}")

    async def _unpack(self, targets: Sequence[ast.expr], value: Any, scope: Scope) -> None:
        items = await self.listed(await value.value() if isinstance(value, Pending) else value)
        star = next((index for index, target in enumerate(targets) if isinstance(target, ast.Starred)), None)
        if star is None and len(items) != len(targets):
            many = "too many values" if len(items) > len(targets) else "not enough values"
            raise ValueError(f"{many} to unpack (expected {len(targets)}, got {len(items)})")
        if star is None:
            pairs = list(zip(targets, items, strict=True))
        else:
            after = len(targets) - star - 1
            if len(items) < star + after:
                raise ValueError(f"not enough values to unpack (expected at least {star + after}, got {len(items)})")
            end = len(items) - after
            starred = targets[star]
            assert isinstance(starred, ast.Starred)  # noqa: S101 - found as such above
            pairs = [*zip(targets[:star], items[:star], strict=True), (starred.value, items[star:end])]
            pairs += zip(targets[star + 1 :], items[end:], strict=True)
        for target, item in pairs:
            await self.assign(target, item, scope)

    async def _augment(self, node: ast.AugAssign, scope: Scope) -> None:
        if isinstance(node.target, ast.Subscript):
            container = await self.ready(node.target.value, scope)
            key = await self.settled(node.target.slice, scope)
            before = container[hashed(self.meter, key)]
        elif isinstance(node.target, ast.Name):
            before = scope.get(node.target.id)
        else:
            before = await self.evaluate(ast.Attribute(node.target.value, node.target.attr, ast.Load()), scope)
        value = await self.evaluate(node.value, scope)
        if isinstance(before, list) and isinstance(node.op, ast.Add):
            before.extend(await self.listed(await value.value() if isinstance(value, Pending) else value))
            result: Any = before
        else:
            combined = await self.shortened(await self.combine(type(node.op), before, value))
            result = _in_place(before, combined)
        if isinstance(node.target, ast.Subscript):
            container[key] = result
        else:
            await self.assign(node.target, result, scope)

    # --- try ---

    async def _attempt(self, node: ast.Try, scope: Scope) -> Any:
        try:
            signal = await self._handled(node, scope)
        except Exception as error:
            if not catchable(error):
                raise
            signal = await self.block(node.finalbody, scope)
            if signal is None:
                raise
            return signal
        last = await self.block(node.finalbody, scope)
        return signal if last is None else last

    async def _handled(self, node: ast.Try, scope: Scope) -> Any:
        """Runs the body, then a handler or the `else` part."""
        self.guards += 1
        try:
            signal = await self.block(node.body, scope)
            if isinstance(signal, _Return):
                signal = _Return(await settle(signal.value))
        except Exception as error:
            self.guards -= 1
            if not catchable(error):
                raise
            return await self._handle(error, node.handlers, scope)
        except BaseException:
            self.guards -= 1
            raise
        self.guards -= 1
        return signal if signal is not None else await self.block(node.orelse, scope)

    async def _handle(self, error: Exception, handlers: Sequence[ast.ExceptHandler], scope: Scope) -> Any:
        for handler in handlers:
            if matches(error, handler.type):
                if handler.name:
                    scope.values[handler.name] = error
                try:
                    return await self.block(handler.body, scope)
                finally:
                    if handler.name:
                        scope.values.pop(handler.name, None)
        raise error


def _in_place(before: Any, result: Any) -> Any:
    """Gives a changeable value its new content, as ``+=`` and ``|=`` do; other values are replaced."""
    match before:
        case list() if isinstance(result, list):
            before[:] = result
        case dict() | OrderedSet() if type(result) is type(before):
            before.clear()
            before.update(result)
        case _:
            return result
    return before


def matches(fault: Exception, kind: ast.expr | None) -> bool:
    """Tells whether a handler's exception expression covers an error."""
    if kind is None:
        return True
    names = kind.elts if isinstance(kind, ast.Tuple) else [kind]
    return any(isinstance(fault, _exception(name)) for name in names)


def _exception(node: ast.expr) -> type[BaseException]:
    match node:
        case ast.Name(id=name):
            found: type[BaseException] = getattr(builtins, name)
            return found
        case ast.Attribute(attr="JSONDecodeError"):
            import json

            return json.JSONDecodeError
    import re

    return re.error
