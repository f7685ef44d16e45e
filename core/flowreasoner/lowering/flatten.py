"""Makes every await a statement of its own: ``name = await self.operator(...)``, with nothing else awaited inside.

Operator calls hidden in expressions, conditions, comprehensions and returns come to stand before the statement
that uses them, in the order in which Python would make them. What is evaluated before an await and could have
been changed by it, or fail, is kept in a variable of its own.
"""

from __future__ import annotations

import ast
import copy
from dataclasses import replace
from typing import TYPE_CHECKING

from flowreasoner.lowering.names import Names
from flowreasoner.lowering.syntax import assign, awaits, name_of, place
from flowreasoner.workflow.program import Program, self_call

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flowreasoner.workflow.program import Method

__all__ = ["flatten"]


def flatten(program: Program) -> Program:
    """Returns the same program with every await a statement of its own.

    Args:
        program: A checked program.
    """
    names = Names(program)
    flat = {method.name: _Flattening(program, names).method(method) for method in program.methods}
    entry = flat.pop(program.entry.name)
    return Program(program.bindings, entry, flat, program.origin or program)


class _Flattening:
    """Flattens one method; `out` is the block that is being written."""

    def __init__(self, program: Program, names: Names) -> None:
        self.program, self.names = program, names
        self.out: list[ast.stmt] = []
        self.prompts_change = any(
            isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
            for method in program.methods
            for node in method.walk()
        )

    def method(self, method: Method) -> Method:
        return replace(method, body=tuple(self.block(copy.deepcopy(method.body))))

    # --- statements ---

    def block(self, statements: Sequence[ast.stmt]) -> list[ast.stmt]:
        """Returns a block with every await on its own."""
        before, self.out = self.out, []
        for statement in statements:
            if awaits(statement):
                self.statement(statement)
            else:
                self.out.append(statement)
        block, self.out = self.out, before
        return block

    def statement(self, node: ast.stmt) -> None:
        match node:
            case ast.Assign(targets=[ast.Name()], value=ast.Await() as value):
                node.value = ast.copy_location(ast.Await(self.within(value.value)), value)
            case ast.Assign():
                node.value = self.hoisted(node.value)
                node.targets = [self.target(target) for target in node.targets]
            case ast.AugAssign():
                node.value = self.hoisted(node.value)
            case ast.Expr(value=ast.Await() as value):
                call = ast.copy_location(ast.Await(self.within(value.value)), value)
                self.out.append(assign(self.names.fresh(self.wish(value)), call, node))
                return
            case ast.Expr():
                node.value = self.hoisted(node.value)
            case ast.Return(value=ast.expr() as value):
                node.value = self.hoisted(value)
            case ast.If():
                node.test = self.hoisted(node.test)
                node.body, node.orelse = self.block(node.body), self.block(node.orelse)
            case ast.For():
                node.iter = self.hoisted(node.iter)
                node.body, node.orelse = self.block(node.body), self.block(node.orelse)
            case ast.While():
                self.loop(node)
            case ast.Try():
                node.body, node.orelse = self.block(node.body), self.block(node.orelse)
                node.finalbody = self.block(node.finalbody)
                for handler in node.handlers:
                    handler.body = self.block(handler.body)
        self.out.append(node)

    def loop(self, node: ast.While) -> None:
        """Moves a condition that awaits into the loop."""
        if awaits(node.test):
            leave = ast.If(ast.UnaryOp(ast.Not(), node.test), [*node.orelse, ast.copy_location(ast.Break(), node)], [])
            node.test, node.orelse = ast.copy_location(ast.Constant(True), node), []
            node.body = [place(leave, node), *node.body]
        node.body, node.orelse = self.block(node.body), self.block(node.orelse)

    def target(self, node: ast.expr) -> ast.expr:
        return self.hoisted(node) if awaits(node) else node

    # --- expressions ---

    def hoisted(self, node: ast.expr) -> ast.expr:
        """Returns an expression without awaits; what it needs is computed before."""
        if not awaits(node):
            return node
        match node:
            case ast.Await():
                call = ast.copy_location(ast.Await(self.within(node.value)), node)
                return self.kept(call, self.wish(node))
            case ast.BoolOp():
                return self.boolean(node)
            case ast.IfExp():
                return self.conditional(node)
            case ast.Compare() if len(node.ops) > 1 and any(map(awaits, node.comparators[1:])):
                return self.chained(node)
            case ast.ListComp() | ast.SetComp() | ast.DictComp():
                return self.comprehension(node)
            case ast.GeneratorExp():  # awaits only in what it goes through: the checker refuses others
                node.generators[0].iter = self.hoisted(node.generators[0].iter)
                return node
        return self.within(node)

    def within(self, node: ast.expr) -> ast.expr:
        """Hoists the awaits among the parts of an expression, keeping the order of evaluation."""
        parts = _parts(node)
        last = max((index for index, part in enumerate(parts) if awaits(part[2])), default=-1)
        for index, (owner, attribute, part) in enumerate(parts[: last + 1]):
            new = self.hoisted(part)
            if index < last and not self.stable(new):
                new = self.kept(new, "value")
            _put(owner, attribute, new)
        return node

    def stable(self, node: ast.expr) -> bool:
        """Tells whether an expression gives the same after an await as before, and cannot fail."""
        match node:
            case ast.Constant() | ast.Name() | ast.Lambda():
                return True
            case ast.Attribute(value=ast.Name(id="prompt_custom")):
                return not self.prompts_change
        return False

    def kept(self, node: ast.expr, wish: str) -> ast.Name:
        """Stores a value in a new variable and returns its name."""
        name = self.names.fresh(wish)
        self.out.append(assign(name, node, node))
        return name_of(name, node)

    def wish(self, node: ast.Await) -> str:
        if self_call(node.value) in self.program.bindings:
            assert isinstance(node.value, ast.Call)  # noqa: S101 - `self_call` found one
            return f"{self.program.site_of(node.value).name}_result"
        return "gathered" if isinstance(node.value, ast.Call) and not self_call(node.value) else "result"

    def boolean(self, node: ast.BoolOp) -> ast.expr:
        """Writes ``a and await b`` as statements: b is only called where a is true."""
        name = self.names.fresh("condition")
        first, *rest = node.values
        self.out.append(assign(name, self.hoisted(first), node))
        outer = self.out
        for value in rest:
            test: ast.expr = name_of(name, node)
            if isinstance(node.op, ast.Or):
                test = ast.UnaryOp(ast.Not(), test)
            branch = ast.If(test, [], [])
            self.out.append(place(branch, node))
            self.out = branch.body
            self.out.append(assign(name, self.hoisted(value), node))
        self.out = outer
        return name_of(name, node)

    def conditional(self, node: ast.IfExp) -> ast.expr:
        """Writes ``await a if test else await b`` as an `if` statement."""
        name = self.names.fresh("chosen")
        branch = place(ast.If(self.hoisted(node.test), [], []), node)
        outer = self.out
        outer.append(branch)
        for block, value in ((branch.body, node.body), (branch.orelse, node.orelse)):
            self.out = block
            self.out.append(assign(name, self.hoisted(value), node))
        self.out = outer
        return name_of(name, node)

    def chained(self, node: ast.Compare) -> ast.expr:
        """Writes ``a < b < await c`` as ``a < b and b < await c``, with b evaluated once."""
        left = self.kept(self.hoisted(node.left), "value")
        middle = self.kept(self.hoisted(node.comparators[0]), "value")
        first = place(ast.Compare(left, node.ops[:1], [middle]), node)
        again = name_of(middle.id, node)
        rest = place(ast.Compare(again, node.ops[1:], node.comparators[1:]), node)
        return self.boolean(place(ast.BoolOp(ast.And(), [first, rest]), node))

    def comprehension(self, node: ast.ListComp | ast.SetComp | ast.DictComp) -> ast.expr:
        """Writes a comprehension that awaits as a loop; its variables get names of their own."""
        first = node.generators[0]
        first.iter = self.hoisted(first.iter)
        if not awaits(node):
            return node
        _rename(node, self.names)
        name = self.names.fresh("items")
        item: ast.stmt
        match node:
            case ast.DictComp():
                start: ast.expr = ast.Dict([], [])
                subscript = ast.Subscript(ast.Name(name, ast.Load()), node.key, ast.Store())
                # Python evaluates the key first: it stands in a variable where the value awaits.
                item = ast.Assign([subscript], node.value)
            case _:
                start = ast.List([], ast.Load()) if isinstance(node, ast.ListComp) else _call("set")
                add = "append" if isinstance(node, ast.ListComp) else "add"
                item = ast.Expr(ast.Call(ast.Attribute(ast.Name(name, ast.Load()), add, ast.Load()), [node.elt], []))
        body: list[ast.stmt] = [place(item, node)]
        if isinstance(node, ast.DictComp) and awaits(node.value):
            key = self.names.fresh("key")
            body = [assign(key, node.key, node), *body]
            assert isinstance(item, ast.Assign) and isinstance(item.targets[0], ast.Subscript)  # noqa: S101, PT018
            item.targets[0].slice = name_of(key, node)
        for generator in reversed(node.generators):
            for condition in reversed(generator.ifs):
                body = [place(ast.If(condition, body, []), node)]
            body = [place(ast.For(generator.target, generator.iter, body, []), node)]
        self.out.append(assign(name, place(start, node), node))
        self.out.extend(self.block(body))
        return name_of(name, node)


def _call(name: str) -> ast.Call:
    return ast.Call(ast.Name(name, ast.Load()), [], [])


def _parts(node: ast.AST) -> list[tuple[ast.AST, tuple[str, int | None], ast.expr]]:
    """Returns the expressions that an expression evaluates itself, in order, with where they stand in it."""
    if isinstance(node, ast.Dict):
        places: list[tuple[ast.AST, tuple[str, int | None], ast.expr]] = []
        for index, (key, value) in enumerate(zip(node.keys, node.values, strict=True)):
            if key is not None:
                places.append((node, ("keys", index), key))
            places.append((node, ("values", index), value))
        return places
    found: list[tuple[ast.AST, tuple[str, int | None], ast.expr]] = []
    for attribute, value in ast.iter_fields(node):
        items: list[tuple[int | None, object]] = list(enumerate(value)) if isinstance(value, list) else [(None, value)]
        for position, item in items:
            if isinstance(item, ast.Starred | ast.keyword | ast.FormattedValue | ast.Slice):
                found += _parts(item)
            elif isinstance(item, ast.expr) and not _is_callee(node, attribute, item):
                found.append((node, (attribute, position), item))
            elif isinstance(item, ast.expr):
                found += _parts(item)
    return found


def _is_callee(node: ast.AST, attribute: str, item: ast.expr) -> bool:
    """Tells whether an expression is the ``x.method`` of a call, of which only x is evaluated."""
    return isinstance(node, ast.Call) and attribute == "func" and isinstance(item, ast.Attribute)


def _put(owner: ast.AST, where: tuple[str, int | None], new: ast.expr) -> None:
    attribute, index = where
    if index is None:
        setattr(owner, attribute, new)
    else:
        getattr(owner, attribute)[index] = new


def _rename(node: ast.ListComp | ast.SetComp | ast.DictComp, names: Names) -> None:
    """Gives a comprehension's variables names of their own: as a loop's, they would outlive it."""
    inner = {
        part.id for generator in node.generators for part in ast.walk(generator.target) if isinstance(part, ast.Name)
    }
    renamed = {name: names.fresh(name) for name in sorted(inner)}
    first = node.generators[0].iter  # evaluated outside of the comprehension
    node.generators[0].iter = ast.Constant(None)
    for part in ast.walk(node):
        if isinstance(part, ast.Name) and part.id in renamed:
            part.id = renamed[part.id]
    node.generators[0].iter = first
