"""Evaluates calls and awaits: operators, helper methods, gather, functions and methods of values."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flowreasoner.engine.expressions import Expressions
from flowreasoner.engine.library import FUNCTIONS, MODULE_FUNCTIONS, TYPES
from flowreasoner.engine.methods import call_method, methods_of
from flowreasoner.engine.pending import Pending, Promise
from flowreasoner.engine.postponed import is_text
from flowreasoner.engine.regular import substitute
from flowreasoner.engine.scope import Closure, Function, Generator, Scope
from flowreasoner.engine.values import drain, settle, weigh
from flowreasoner.errors import FlowReasonerError, OperatorError
from flowreasoner.workflow.language import EXCEPTIONS, MODULES
from flowreasoner.workflow.program import self_call

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from flowreasoner.operators.spec import Operator
    from flowreasoner.workflow.program import Method, Program

__all__ = ["Calls", "Coroutine", "catchable"]

# Functions whose arguments may hold pending values: they only pass them on.
_PASSING = frozenset({"enumerate", "len", "list", "range", "reversed", "tuple", "zip"})
# Methods that only store or hand out elements, whatever they are.
_STORING = frozenset({"append", "clear", "copy", "extend", "get", "insert", "items", "keys", "pop", "popitem"}) | {
    "reverse",
    "setdefault",
    "update",
    "values",
}


_ITERATORS: tuple[type, ...] = (zip, enumerate, reversed, type(reversed([])))


@dataclass(eq=False, repr=False)
class Coroutine:
    """A call of an operator or an async helper that is not awaited yet, and so not started."""

    start: Callable[[], Any]
    used: bool = False

    def __repr__(self) -> str:
        return "<coroutine object>"


def catchable(error: BaseException) -> bool:
    """Tells whether a workflow's own handler may catch an error: its own faults, and an operator's."""
    return isinstance(error, Exception) and (
        not isinstance(error, FlowReasonerError) or isinstance(error, OperatorError)
    )


class Calls(Expressions):
    """The calling half of a flow.

    Attributes:
        guards: `try` bodies that the flow is inside of; above 0, every call is waited for at once.
    """

    guards: int
    program: Program
    operators: dict[str, Operator]
    random_functions: dict[str, Callable[..., Any]]

    def start_operator(self, node: ast.Call, operator: Operator, arguments: dict[str, Any]) -> Promise:
        """Starts an operator call."""
        raise NotImplementedError

    def start_helper(self, method: Method, arguments: Sequence[Any], named: dict[str, Any]) -> Promise:
        """Starts a helper method as a flow of its own."""
        raise NotImplementedError

    async def arrive(self, promise: Promise) -> Any:
        """Returns a started call's promise, or inside a `try` waits for it: its failure belongs there."""
        raise NotImplementedError

    async def run_helper(self, method: Method, arguments: Sequence[Any], named: dict[str, Any]) -> Any:
        """Runs a helper method within this flow."""
        raise NotImplementedError

    def log(self, parts: Sequence[Any]) -> None:
        """Adds a line to the trace's log."""
        raise NotImplementedError

    # --- await ---

    async def await_(self, node: ast.Await, scope: Scope) -> Any:
        """Evaluates an await: starts what is called and returns its pending result."""
        match node.value:
            case ast.Call() as call if (name := self_call(call)) in self.program.helpers:
                method = self.program.helpers[name]
                if method.is_async:
                    return await self.run_helper(method, *await self.arguments(call, scope))
            case ast.Call(func=ast.Attribute(value=ast.Name(id="asyncio"), attr="gather")) as call:
                return await self.gather(call, scope)
        value = await self.ready(node.value, scope)
        if not isinstance(value, Coroutine):
            raise TypeError(f"object {type(value).__name__} can't be used in 'await' expression")
        if value.used:
            raise RuntimeError("cannot reuse already awaited coroutine")
        value.used = True
        return await self.arrive(value.start())

    async def gather(self, node: ast.Call, scope: Scope) -> list[Any]:
        """Starts all awaitables of a gather, then takes their results in order."""
        keep = False
        for keyword in node.keywords:
            keep = keep or (keyword.arg == "return_exceptions" and await self.truth(keyword.value, scope))
        awaitables = await self.elements(node.args, scope)
        if not all(isinstance(item, Coroutine) for item in awaitables):
            raise TypeError("asyncio.gather takes calls that are not awaited yet")
        self.guards += keep
        try:
            promises = [item.start() for item in awaitables]
            if not keep:
                return [await self.arrive(promise) for promise in promises]
            return [await self._outcome(promise) for promise in promises]
        finally:
            self.guards -= keep

    async def _outcome(self, promise: Promise) -> Any:
        """Returns a call's result, or its error as a value."""
        try:
            return await self.arrive(promise)
        except Exception as error:
            if not catchable(error):
                raise
            return error

    # --- calls ---

    async def call(self, node: ast.Call, scope: Scope) -> Any:
        """Evaluates a call; an operator or async helper is not started before it is awaited."""
        name = self_call(node)
        if name in self.program.bindings:
            operator = self.operators[self.program.bindings[name]]
            arguments = {str(item.arg): await self.evaluate(item.value, scope) for item in node.keywords}
            return Coroutine(lambda: self.start_operator(node, operator, arguments))
        if name in self.program.helpers:
            method = self.program.helpers[name]
            positional, named = await self.arguments(node, scope)
            if method.is_async:
                return Coroutine(lambda: self.start_helper(method, positional, named))
            return await self.run_helper(method, positional, named)
        match node.func:
            case ast.Name(id=function):
                return await self._call_name(function, node, scope)
            case ast.Attribute(value=ast.Name(id=module), attr=function) if module in MODULES and not scope.has(module):
                return await self._call_member(Function(function, module), *await self.arguments(node, scope))
            case ast.Attribute(value=receiver, attr=method_name):
                return await self._call_value(receiver, method_name, node, scope)
        raise TypeError(f"{ast.unparse(node.func)} is not callable")

    async def arguments(self, node: ast.Call, scope: Scope) -> tuple[list[Any], dict[str, Any]]:
        """Returns positional and named arguments, pending or not."""
        positional = await self.elements(node.args, scope)
        named: dict[str, Any] = {}
        for keyword in node.keywords:
            if keyword.arg is None:
                named.update(_mapping(await self.ready(keyword.value, scope)))
            else:
                named[keyword.arg] = await self.evaluate(keyword.value, scope)
        return positional, named

    async def _call_name(self, name: str, node: ast.Call, scope: Scope) -> Any:
        function = scope.get(name) if scope.has(name) else Function(name)
        if function == Function("isinstance"):
            return await self._is_instance(node, scope)
        positional, named = await self.arguments(node, scope)
        if isinstance(function, Closure):
            return await self.apply(function, positional)
        if not isinstance(function, Function):
            raise TypeError(f"{type(function).__name__!r} object is not callable")
        return await self._call_function(function, positional, named)

    async def _call_function(self, function: Function, positional: list[Any], named: dict[str, Any]) -> Any:
        if function.module:
            return await self._call_member(function, positional, named)
        name = function.name
        if name == "print":
            self.log(positional)
            return None
        special = _SPECIAL.get(name)
        if special is not None:
            return await special(self, positional, named)
        if name == "str" and not named and len(positional) == 1 and is_text(positional[0]):
            return positional[0]  # a string to be is one already
        positional = [await self.concrete(item) for item in positional]
        if name not in _PASSING:
            positional, named = await self._settled_items(positional), await settle(named)
        if name not in FUNCTIONS:
            raise TypeError(f"{name}() can only be called by its name")
        return FUNCTIONS[name](self.meter, *positional, **named)

    async def concrete(self, value: Any) -> Any:
        """Returns a value that is not pending itself; a generator expression becomes a list of its items."""
        if isinstance(value, Pending):
            return await value.value()
        return [item async for item in self.iterate(value)] if isinstance(value, Generator) else value

    async def _settled_items(self, arguments: list[Any]) -> list[Any]:
        """Returns arguments with nothing pending in them; what an iterator would hand out is looked at too."""
        every = [drain(self.meter, item) if type(item) in _ITERATORS else item for item in arguments]
        settled: list[Any] = await settle(every)
        return settled

    async def _call_member(self, function: Function, positional: list[Any], named: dict[str, Any]) -> Any:
        """Calls a function of a module."""
        module, name = function.module, function.name
        positional = await self._settled_items([await self.concrete(item) for item in positional])
        named = await settle(named)
        if module == "asyncio":
            raise TypeError("asyncio.gather has to be awaited")
        if module == "re" and name in {"sub", "subn"}:
            repl = named.get("repl", positional[1] if len(positional) > 1 else "")
            if isinstance(repl, Closure | Function):
                made = await self._substitute(repl, positional, named)
                return made if name == "subn" else made[0]
        functions = self.random_functions if module == "random" else MODULE_FUNCTIONS[module]
        if name not in functions:
            raise TypeError(f"{module}.{name} is not callable")
        return functions[name](self.meter, *positional, **named)

    async def _substitute(self, repl: Any, positional: list[Any], named: dict[str, Any]) -> tuple[str, int]:
        """Calls `re.sub` with a function as replacement."""
        given = dict(zip(("pattern", "repl", "string", "count", "flags"), positional, strict=False)) | named
        if given.keys() - {"pattern", "repl", "string", "count", "flags"} or not given.keys() >= {"pattern", "string"}:
            raise TypeError("sub takes a pattern, a replacement, a string, count and flags")
        del given["repl"]
        return await substitute(self.meter, lambda match: self.apply(repl, [match]), **given)

    async def _call_value(self, receiver: ast.expr, name: str, node: ast.Call, scope: Scope) -> Any:
        """Calls a method of a value."""
        value = await self.evaluate(receiver, scope)
        positional, named = await self.arguments(node, scope)
        if name == "join" and isinstance(value, str) and len(positional) == 1:
            positional = [await self._parts(positional[0])]
        postponed = self.postponed_method(value, name, positional, named)
        if postponed is not None:
            return postponed
        value = await value.value() if isinstance(value, Pending) else value
        if name not in methods_of(value):
            raise AttributeError(f"{type(value).__name__!r} object has no attribute {name!r}")
        positional = [await self.concrete(item) if isinstance(item, Generator) else item for item in positional]
        if not isinstance(value, list | dict) or name not in _STORING:
            value, positional, named = await settle(value), await settle(positional), await settle(named)
        elif name in {"extend", "update", "insert", "pop"}:
            positional = [await item.value() if isinstance(item, Pending) else item for item in positional]
        if isinstance(value, dict) and positional and not isinstance(positional[0], dict):
            positional[0] = await settle(positional[0])  # keys have to be there
        if name == "sort" and named.get("key") is not None:
            return await self._sort_in_place(value, **named)
        return call_method(self.meter, value, name, positional, named)

    async def _parts(self, items: Any) -> Any:
        """Returns what `str.join` joins as a list, so that each part may be pending; a string is left as it is."""
        items = await items.value() if isinstance(items, Pending) else items
        return items if isinstance(items, str) else await self.listed(items)

    # --- functions that call back ---

    async def apply(self, function: Any, arguments: Sequence[Any]) -> Any:
        """Calls a lambda or a built-in given as a value, and returns a settled result."""
        self.meter.step()
        if isinstance(function, Closure):
            if len(arguments) != len(function.parameters):
                raise TypeError(f"the lambda takes {len(function.parameters)} arguments, got {len(arguments)}")
            inner = Scope(dict(zip(function.parameters, arguments, strict=True)), function.scope)
            return await self.settled(function.body, inner)
        if isinstance(function, Function):
            return await settle(await self._call_function(function, list(arguments), {}))
        raise TypeError(f"{type(function).__name__!r} object is not callable")

    async def all_items(self, items: Any) -> list[Any]:
        """Returns the settled items of any iterable."""
        settled: list[Any] = await settle(drain(self.meter, await self.concrete(items)))
        return settled

    async def keyed(self, items: list[Any], key: Any) -> list[Any]:
        """Returns the sort key of each item."""
        keys = items if key is None else [await self.apply(key, [item]) for item in items]
        weigh(self.meter, keys)  # comparing goes through whole values
        return keys

    async def _sort_in_place(self, items: list[Any], key: Any = None, reverse: bool = False) -> None:
        items[:] = await self.ordered(items, key, reverse=reverse)

    async def ordered(self, items: list[Any], key: Any, *, reverse: bool) -> list[Any]:
        """Returns items sorted by a key."""
        keys = await self.keyed(items, key)
        order = sorted(range(len(items)), key=keys.__getitem__, reverse=bool(reverse))
        return [items[index] for index in order]

    async def _is_instance(self, node: ast.Call, scope: Scope) -> bool:
        if len(node.args) != 2:
            raise TypeError("isinstance takes a value and a type")
        value = await self.ready(node.args[0], scope)
        kinds = node.args[1].elts if isinstance(node.args[1], ast.Tuple) else [node.args[1]]
        return any(_is_kind(value, kind) for kind in kinds)


def _is_kind(value: Any, kind: ast.expr) -> bool:
    import builtins

    name = kind.id if isinstance(kind, ast.Name) else ""
    if name in EXCEPTIONS:
        return isinstance(value, getattr(builtins, name))
    if name not in TYPES:
        raise TypeError("isinstance() takes the name of a type, or a tuple of them")
    return isinstance(value, TYPES[name])


def _mapping(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError(f"argument after ** must be a mapping, not {type(value).__name__}")
    return value


async def _sorted(flow: Calls, positional: list[Any], named: dict[str, Any]) -> list[Any]:
    if len(positional) != 1 or named.keys() - {"key", "reverse"}:
        raise TypeError("sorted takes one iterable, key and reverse")
    reverse = bool(await settle(named.get("reverse", False)))
    return await flow.ordered(await flow.all_items(positional[0]), named.get("key"), reverse=reverse)


def _extreme(choose: Callable[..., Any], name: str) -> Any:
    async def call(flow: Calls, positional: list[Any], named: dict[str, Any]) -> Any:
        if named.keys() - {"key", "default"} or not positional:
            raise TypeError(f"{name} takes an iterable or values, key and default")
        items = await (flow.all_items(positional[0]) if len(positional) == 1 else settle(positional))
        if not items and "default" in named:
            return named["default"]
        if not items:
            raise ValueError(f"{name}() arg is an empty sequence")
        keys = await flow.keyed(items, named.get("key"))
        return items[choose(range(len(items)), key=keys.__getitem__)]

    return call


def _quantifier(*, stop: bool) -> Any:
    async def call(flow: Calls, positional: list[Any], _: dict[str, Any]) -> bool:
        (items,) = positional
        items = await items.value() if isinstance(items, Pending) else items
        async for item in flow.iterate(items):
            flow.meter.step()
            if bool(await settle(item)) is stop:
                return stop
        return not stop

    return call


async def _next(flow: Calls, positional: list[Any], _: dict[str, Any]) -> Any:
    items = await settle(positional[0])
    async for item in flow.iterate(items if isinstance(items, Generator) else _iterator(items)):
        return item
    if len(positional) > 1:
        return positional[1]
    raise RuntimeError("coroutine raised StopIteration")  # what Python makes of it inside an async method


def _iterator(items: Any) -> Any:
    if not hasattr(items, "__next__"):
        raise TypeError(f"{type(items).__name__!r} object is not an iterator")
    return items


async def _map(flow: Calls, positional: list[Any], _: dict[str, Any]) -> Any:
    function, *iterables = positional
    columns = [await flow.all_items(items) for items in iterables]
    return iter([await flow.apply(function, row) for row in zip(*columns, strict=False)])


async def _filter(flow: Calls, positional: list[Any], _: dict[str, Any]) -> Any:
    function, items = positional
    every = await flow.all_items(items)
    verdicts = every if function is None else [await flow.apply(function, [item]) for item in every]
    return iter([item for item, kept in zip(every, verdicts, strict=True) if kept])


_SPECIAL: dict[str, Any] = {
    "all": _quantifier(stop=False),
    "any": _quantifier(stop=True),
    "filter": _filter,
    "map": _map,
    "max": _extreme(max, "max"),
    "min": _extreme(min, "min"),
    "next": _next,
    "sorted": _sorted,
}
