"""Evaluates expressions: a value at once where it is there, a pending value where it is not."""

from __future__ import annotations

import ast
from functools import partial
from typing import TYPE_CHECKING, Any

from flowreasoner.engine.library import CONSTANTS
from flowreasoner.engine.methods import call_method
from flowreasoner.engine.operations import binary, compare, format_template, format_value, subscript, unary
from flowreasoner.engine.pending import Lazy, Pending, Promise
from flowreasoner.engine.postponed import Settled, is_plain_slice, is_text, total_method
from flowreasoner.engine.scope import Closure, Function, Generator, Scope
from flowreasoner.engine.values import (
    ELEMENT,
    OrderedSet,
    drain,
    has_pending,
    hashed,
    settle,
    snapshot,
    weigh,
)
from flowreasoner.workflow.language import BUILTINS, MODULES
from flowreasoner.workflow.program import is_cost

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from flowreasoner.budget import Meter

__all__ = ["Expressions"]

_LONGEST_CHAIN = 40
"""Postponed operations that may stand on one another before the engine waits: evaluating them recurses."""


class Expressions:
    """The expression half of a flow; `flowreasoner.engine.flow.Flow` adds statements and calls."""

    meter: Meter
    prompts: dict[str, str]

    async def evaluate(self, node: ast.expr, scope: Scope) -> Any:
        """Returns the value of an expression, which may be pending."""
        self.meter.step()
        value = await _HANDLERS[type(node)](self, node, scope)
        if isinstance(value, Promise) and not value.untouched:
            return value.taken
        return await self.shortened(value)

    async def shortened(self, value: Any) -> Any:
        """Waits for a value whose chain of postponed operations has become too long."""
        return await value.value() if isinstance(value, Lazy) and value.depth > _LONGEST_CHAIN else value

    async def ready(self, node: ast.expr, scope: Scope) -> Any:
        """Returns the value itself; what it contains may be pending."""
        value = await self.evaluate(node, scope)
        return await value.value() if isinstance(value, Pending) else value

    async def settled(self, node: ast.expr, scope: Scope) -> Any:
        """Returns the value with nothing pending in it."""
        return await settle(await self.evaluate(node, scope))

    async def truth(self, node: ast.expr, scope: Scope) -> bool:
        """Returns whether an expression is true."""
        return bool(await self.ready(node, scope))

    async def spent_usd(self) -> float:
        """Returns the money spent by all calls so far."""
        raise NotImplementedError

    async def call(self, node: ast.Call, scope: Scope) -> Any:
        """Evaluates a call."""
        raise NotImplementedError

    async def await_(self, node: ast.Await, scope: Scope) -> Any:
        """Evaluates an await."""
        raise NotImplementedError

    async def iterate(self, items: Any) -> AsyncIterator[Any]:
        """Yields the items of a value that is not pending."""
        if isinstance(items, Generator):
            async for item in items.items:
                yield item
            return
        for item in items:
            yield item

    async def listed(self, items: Any) -> list[Any]:
        """Returns the items of a value that is not pending as a list, charging for them as they come."""
        if isinstance(items, Generator):
            return [item async for item in items.items]
        return drain(self.meter, items)

    # --- leaves ---

    async def _constant(self, node: ast.Constant, _: Scope) -> Any:
        return node.value

    async def _name(self, node: ast.Name, scope: Scope) -> Any:
        if node.id in BUILTINS and not scope.has(node.id):
            return Function(node.id)
        return scope.get(node.id)

    async def _attribute(self, node: ast.Attribute, scope: Scope) -> Any:
        match node.value:
            case ast.Name(id="prompt_custom"):
                try:
                    return self.prompts[node.attr]
                except KeyError:
                    raise NameError(f"prompt_custom.{node.attr} is not defined") from None
            case ast.Name(id=module) if module in MODULES and not scope.has(module):
                constants = CONSTANTS.get(module, {})
                return constants[node.attr] if node.attr in constants else Function(node.attr, module)
        if is_cost(node):
            return await self.spent_usd()
        raise AttributeError(f"{ast.unparse(node)} is outside the language")

    # --- strings ---

    async def _joined(self, node: ast.JoinedStr, scope: Scope) -> Any:
        parts = [await self.evaluate(part, scope) for part in node.values]
        if not any(isinstance(part, Lazy) for part in parts):
            result = "".join(parts)
            self.meter.allocate(len(result))
            return result
        return self.lazy_text(lambda *texts: "".join(texts), *parts)

    async def _formatted(self, node: ast.FormattedValue, scope: Scope) -> Any:
        value = await self.evaluate(node.value, scope)
        if node.format_spec is None:
            convert = repr if node.conversion == ord("r") else str
            if has_pending(value):
                return self.lazy_text(convert, value)
            weigh(self.meter, value)
            return convert(value)
        spec = await self.settled(node.format_spec, scope)
        return format_value(self.meter, await settle(value), node.conversion, spec)

    def lazy_text(self, compute: Any, *operands: Any, kind: type = str) -> Lazy:
        """Postpones a string operation on operands that may contain pending values, and charges for its result."""

        def charged(*values: Any) -> Any:
            weigh(self.meter, *values)
            result = compute(*values)
            self.meter.allocate(len(result) if isinstance(result, str) else 1)
            return result

        private = (operand if isinstance(operand, str) else snapshot(self.meter, operand) for operand in operands)
        return Lazy(charged, tuple(Settled(item) if has_pending(item) else item for item in private), kind)

    # --- operators ---

    async def _binary(self, node: ast.BinOp, scope: Scope) -> Any:
        left = await self.evaluate(node.left, scope)
        right = await self.evaluate(node.right, scope)
        return await self.combine(type(node.op), left, right)

    async def combine(self, kind: type[ast.operator], left: Any, right: Any) -> Any:
        """Applies a binary operator; joining strings is postponed while one is pending."""
        pending = isinstance(left, Pending) or isinstance(right, Pending)
        if pending and kind is ast.Add and is_text(left) and is_text(right):
            return self.lazy_text(lambda first, second: first + second, left, right)
        left = await left.value() if isinstance(left, Pending) else left
        right = await right.value() if isinstance(right, Pending) else right
        if kind is ast.Mod and isinstance(left, str):
            right = await settle(right)
        return binary(self.meter, kind, left, right)

    async def _boolean(self, node: ast.BoolOp, scope: Scope) -> Any:
        stop = isinstance(node.op, ast.Or)
        value: Any = None
        for operand in node.values:
            value = await self.evaluate(operand, scope)
            if operand is not node.values[-1]:
                value = await value.value() if isinstance(value, Pending) else value
                if bool(value) is stop:
                    return value
        return value

    async def _unary(self, node: ast.UnaryOp, scope: Scope) -> Any:
        if isinstance(node.op, ast.Not):
            return not await self.truth(node.operand, scope)
        return unary(type(node.op), await self.ready(node.operand, scope))

    async def _compare(self, node: ast.Compare, scope: Scope) -> Any:
        left = await self.settled(node.left, scope)
        result: Any = True
        for kind, right_node in zip(node.ops, node.comparators, strict=True):
            right = await self.ready(right_node, scope)
            if isinstance(kind, ast.In | ast.NotIn) and (isinstance(right, Generator) or hasattr(right, "__next__")):
                right = await self.listed(right)
            right = await settle(right)
            result = compare(self.meter, type(kind), left, right)
            if not result:
                return result
            left = right
        return result

    async def _conditional(self, node: ast.IfExp, scope: Scope) -> Any:
        return await self.evaluate(node.body if await self.truth(node.test, scope) else node.orelse, scope)

    # --- containers ---

    async def elements(self, nodes: Sequence[ast.expr], scope: Scope) -> list[Any]:
        """Returns the values of list elements or arguments, with ``*items`` spread out."""
        result: list[Any] = []
        for node in nodes:
            if isinstance(node, ast.Starred):
                result += await self.listed(await self.ready(node.value, scope))
            else:
                result.append(await self.evaluate(node, scope))
        self.meter.allocate(len(result) * ELEMENT)
        return result

    async def _list(self, node: ast.List, scope: Scope) -> Any:
        return await self.elements(node.elts, scope)

    async def _tuple(self, node: ast.Tuple, scope: Scope) -> Any:
        return tuple(await self.elements(node.elts, scope))

    async def _set(self, node: ast.Set, scope: Scope) -> Any:
        items = await settle(await self.elements(node.elts, scope))
        return OrderedSet(hashed(self.meter, item) for item in items)

    async def _dict(self, node: ast.Dict, scope: Scope) -> Any:
        result: dict[Any, Any] = {}
        for key, value in zip(node.keys, node.values, strict=True):
            if key is None:
                more = await self.ready(value, scope)
                if not isinstance(more, dict):
                    raise TypeError(f"{type(more).__name__!r} object is not a mapping")
                result.update(more)
            else:
                settled_key = hashed(self.meter, await self.settled(key, scope))
                result[settled_key] = await self.evaluate(value, scope)
        self.meter.allocate(len(result) * ELEMENT)
        return result

    async def _subscript(self, node: ast.Subscript, scope: Scope) -> Any:
        value = await self.evaluate(node.value, scope)
        key = await self.settled(node.slice, scope)
        if isinstance(value, Promise) and value.outputs is not None and value.untouched and key in value.outputs:
            return value.field(key)
        if isinstance(value, Pending) and value.kind is str and is_plain_slice(key):
            return self.lazy_text(lambda text: text[key], value)
        value = await value.value() if isinstance(value, Pending) else value
        return subscript(self.meter, value, key)

    async def _slice(self, node: ast.Slice, scope: Scope) -> Any:
        bounds = [
            None if part is None else await self.ready(part, scope) for part in (node.lower, node.upper, node.step)
        ]
        return slice(*bounds)

    # --- comprehensions ---

    async def items(
        self, generators: Sequence[ast.comprehension], scope: Scope, first: Any = None
    ) -> AsyncIterator[Scope]:
        """Yields a scope for each combination of items that passes the conditions."""
        generator, rest = generators[0], generators[1:]
        values = await self.ready(generator.iter, scope) if first is None else first
        async for value in self.iterate(values):
            self.meter.step()
            inner = Scope(parent=scope)
            await self.assign(generator.target, value, inner)
            passed = True
            for condition in generator.ifs:
                passed = passed and await self.truth(condition, inner)
            if not passed:
                continue
            if not rest:
                yield inner
                continue
            async for innermost in self.items(rest, inner):
                yield innermost

    async def assign(self, target: ast.expr, value: Any, scope: Scope) -> None:
        """Binds a target."""
        raise NotImplementedError

    async def _list_comp(self, node: ast.ListComp, scope: Scope) -> Any:
        result = []
        async for inner in self.items(node.generators, scope):
            self.meter.allocate(ELEMENT)
            result.append(await self.evaluate(node.elt, inner))
        return result

    async def _set_comp(self, node: ast.SetComp, scope: Scope) -> Any:
        result = OrderedSet()
        async for inner in self.items(node.generators, scope):
            self.meter.allocate(ELEMENT)
            result.add(hashed(self.meter, await self.settled(node.elt, inner)))
        return result

    async def _dict_comp(self, node: ast.DictComp, scope: Scope) -> Any:
        result = {}
        async for inner in self.items(node.generators, scope):
            self.meter.allocate(ELEMENT)
            key = hashed(self.meter, await self.settled(node.key, inner))
            result[key] = await self.evaluate(node.value, inner)
        return result

    async def _generator(self, node: ast.GeneratorExp, scope: Scope) -> Any:
        first = await self.ready(node.generators[0].iter, scope)

        async def produce() -> AsyncIterator[Any]:
            async for inner in self.items(node.generators, scope, first):
                yield await self.evaluate(node.elt, inner)

        return Generator(produce())

    async def _lambda(self, node: ast.Lambda, scope: Scope) -> Any:
        return Closure(tuple(argument.arg for argument in node.args.args), node.body, scope)

    # --- methods of strings that are still pending ---

    def postponed_method(self, value: Any, name: str, args: Sequence[Any], kwargs: dict[str, Any]) -> Lazy | None:
        """Returns the postponed call of a string method that cannot fail, or None where it has to wait."""
        if isinstance(value, Pending) and value.kind is str and not kwargs:
            kind = total_method(name, args)
            if kind is not None:
                call = partial(call_method, self.meter)
                return self.lazy_text(lambda text: call(text, name, list(args), {}), value, kind=kind)
        elif isinstance(value, str) and name == "join" and len(args) == 1 and isinstance(args[0], list):
            if has_pending(args[0]) and all(is_text(item) for item in args[0]):
                call = partial(call_method, self.meter, value, "join")
                return self.lazy_text(lambda *texts: call([list(texts)], {}), *args[0])
        elif isinstance(value, str) and name == "format" and (has_pending(args) or has_pending(kwargs)):
            return self._postponed_format(value, args, kwargs)
        return None

    def _postponed_format(self, template: str, args: Sequence[Any], kwargs: dict[str, Any]) -> Lazy | None:
        """Postpones `str.format` when all pending values are strings and the template fits them."""
        every = [*args, *kwargs.values()]
        if not all(is_text(item) or not has_pending(item) for item in every):
            return None
        blank = ["" if isinstance(item, Pending) else item for item in every]
        names, count = list(kwargs), len(args)

        def fill(*values: Any) -> str:
            return format_template(self.meter, template, values[:count], dict(zip(names, values[count:], strict=True)))

        try:
            fill(*blank)
        except (ValueError, LookupError, TypeError, AttributeError):
            return None
        return self.lazy_text(fill, *every)


_HANDLERS: dict[type[ast.expr], Any] = {
    ast.Attribute: Expressions._attribute,
    ast.Await: lambda self, node, scope: self.await_(node, scope),
    ast.BinOp: Expressions._binary,
    ast.BoolOp: Expressions._boolean,
    ast.Call: lambda self, node, scope: self.call(node, scope),
    ast.Compare: Expressions._compare,
    ast.Constant: Expressions._constant,
    ast.Dict: Expressions._dict,
    ast.DictComp: Expressions._dict_comp,
    ast.FormattedValue: Expressions._formatted,
    ast.GeneratorExp: Expressions._generator,
    ast.IfExp: Expressions._conditional,
    ast.JoinedStr: Expressions._joined,
    ast.Lambda: Expressions._lambda,
    ast.List: Expressions._list,
    ast.ListComp: Expressions._list_comp,
    ast.Name: Expressions._name,
    ast.Set: Expressions._set,
    ast.SetComp: Expressions._set_comp,
    ast.Slice: Expressions._slice,
    ast.Subscript: Expressions._subscript,
    ast.Tuple: Expressions._tuple,
    ast.UnaryOp: Expressions._unary,
}
