"""Writes independent operator calls as `asyncio.gather`, so that any framework can run them at the same time.

A call moves up to an earlier one when nothing between them matters to it and nothing between them can fail: so
exactly the calls of the sequential program are made, as the engine does at run time (docs/engine.md). Bodies of
`try` are left alone, as a failure has to find what was done before it and nothing more.
"""

from __future__ import annotations

import ast
import copy
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from flowreasoner.lowering.effects import Effects, Touched
from flowreasoner.lowering.kinds import Kinds
from flowreasoner.lowering.names import Names
from flowreasoner.lowering.sampling import sampled
from flowreasoner.lowering.scope import MethodScope, bound_after
from flowreasoner.lowering.syntax import assign, gathered, name_of, operator_call, place
from flowreasoner.lowering.totality import Totality
from flowreasoner.operators import BUILTIN
from flowreasoner.workflow.program import Method, Program, self_call

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flowreasoner.operators.spec import Operator

__all__ = ["parallelise", "rewritten_prompts"]


def parallelise(program: Program, operators: Mapping[str, Operator] = BUILTIN) -> Program:
    """Returns a flat program in which calls that may run at the same time are gathered.

    Args:
        program: What `flatten` returned.
        operators: Operators by class name.
    """
    names, added = Names(program), dict[str, Method]()
    guarded = _called_in_try(program)
    rewritten = rewritten_prompts(program)
    methods = {}
    for method in program.methods:
        if method.name not in guarded:
            kinds = Kinds(program, method, operators)
            scope = MethodScope(
                program, method, names, kinds, Totality(kinds, rewritten), Effects(method, kinds), added
            )
            method = replace(
                method, body=tuple(_block(copy.deepcopy(list(method.body)), scope, set(method.parameters)))
            )
        methods[method.name] = method
    entry = methods.pop(program.entry.name)
    return Program(program.bindings, entry, methods | added, program.origin or program)


def _called_in_try(program: Program) -> set[str]:
    """Returns the helpers that a `try` body calls, directly or through others."""
    found: set[str] = set()
    waiting = [
        node for method in program.methods for part in method.walk() if isinstance(part, ast.Try) for node in part.body
    ]
    while waiting:
        called = {self_call(node) for node in ast.walk(waiting.pop())} & program.helpers.keys() - found
        found |= called
        waiting += [statement for name in called for statement in program.helpers[name].body]
    return found


def rewritten_prompts(program: Program) -> set[str]:
    """Returns the prompt constants that a program assigns to."""
    return {
        node.attr
        for method in program.methods
        for node in method.walk()
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
    }


def _block(statements: Sequence[ast.stmt], scope: MethodScope, bound: set[str]) -> list[ast.stmt]:
    """Returns a block with its independent calls gathered.

    Args:
        statements: The block.
        scope: What is known of its method.
        bound: Variables that certainly have a value before it; those that it binds are added.
    """
    out: list[ast.stmt] = []
    group = _Group(scope)
    for statement in statements:
        for part in _inside(statement, scope, bound):
            if not group.take(part, bound):
                out += group.ended()
                group = _Group(scope)
                if not group.take(part, bound):
                    out.append(part)
            bound |= bound_after(part)
    return out + group.ended()


def _inside(node: ast.stmt, scope: MethodScope, bound: set[str]) -> list[ast.stmt]:
    """Gathers calls inside of a compound statement; a sampling loop becomes several statements."""
    match node:
        case ast.If():
            node.body, node.orelse = (_block(block, scope, set(bound)) for block in (node.body, node.orelse))
        case ast.For():
            inside = bound | {part.id for part in ast.walk(node.target) if isinstance(part, ast.Name)}
            node.body = _block(node.body, scope, inside)
            node.orelse = _block(node.orelse, scope, set(bound))
            return sampled(node, scope, set(bound)) or [node]
        case ast.While():
            node.body, node.orelse = (_block(block, scope, set(bound)) for block in (node.body, node.orelse))
        case ast.Try():
            for handler in node.handlers:
                handler.body = _block(handler.body, scope, set(bound))
    return [node]


@dataclass
class _Group:
    """Calls that are started together, what is done before them, and what is done once all are there.

    Attributes:
        bound: Variables that have a value where the calls are started.
        before: Statements that came between the calls and need none of their results.
        order: The calls and the statements after them, in the program's order.
    """

    scope: MethodScope
    bound: set[str] = field(default_factory=set)
    before: list[ast.stmt] = field(default_factory=list)
    order: list[ast.stmt] = field(default_factory=list)
    given: list[ast.stmt] = field(default_factory=list)
    calls: list[ast.Assign] = field(default_factory=list)
    arguments: Touched = field(default_factory=Touched)
    results: Touched = field(default_factory=Touched)

    def take(self, node: ast.stmt, bound: set[str]) -> bool:
        """Adds a statement, or tells that it has to stand after the group."""
        if not self.calls:
            self.bound = set(bound)
        call = operator_call(node, self.scope.program)
        if call is not None and isinstance(node, ast.Assign):
            return self._take_call(node, call)
        return bool(self.calls) and self._take_other(node)

    def _take_call(self, node: ast.Assign, call: ast.Call) -> bool:
        values = [keyword.value for keyword in call.keywords]
        touched = self.scope.effects.of(values)
        total = all(self.scope.totality.expression(value, self.bound) for value in values)
        if self.calls and (not total or touched.depends_on(self.results)):
            return False
        self.arguments |= touched
        self._add(node)
        self.calls.append(node)
        return True

    def _take_other(self, node: ast.stmt) -> bool:
        here = self.bound | {name for item in self.order for name in bound_after(item)}
        if not self.scope.totality.statement(node, here):
            return False
        touched = self.scope.effects.of([node])
        early = self.scope.totality.statement(node, set(self.bound))
        if early and not touched.depends_on(self.results) and not touched.writes & self.arguments.reads:
            self.before.append(node)
            self.given.append(node)
            self.bound |= bound_after(node)
        else:
            self._add(node)
        return True

    def _add(self, node: ast.stmt) -> None:
        targets = self.scope.effects.of([node])
        if operator_call(node, self.scope.program) is not None:
            targets = Touched(writes=targets.writes)
        self.results |= targets
        self.order.append(node)
        self.given.append(node)

    def ended(self) -> list[ast.stmt]:
        """Returns the statements of the group."""
        if len(self.calls) < 2:
            return self.given
        first = self.calls[0]
        names = [_target(call) for call in self.calls]
        direct = self._direct()
        if not direct:
            names = [self.scope.names.fresh(f"{self.scope.site(call)}_result") for call in self.calls]
        targets = ast.Tuple([ast.Name(name, ast.Store()) for name in names], ast.Store())
        coroutines = [call.value.value for call in self.calls if isinstance(call.value, ast.Await)]
        together = place(ast.Assign([targets], gathered(coroutines, first)), first)
        results = dict(zip(self.calls, names, strict=True))
        rest = [
            assign(_target(item), name_of(results[item], item), item) if item in results else item
            for item in self.order
            if not direct or item not in results
        ]
        return [*self.before, together, *rest]

    def _direct(self) -> bool:
        """Tells whether the results may go to their variables at once: no other statement still needs those."""
        touched: set[str] = set()
        for item in self.order:
            name = self.scope.effects.name(_target(item)) if item in self.calls else ""
            if name in touched:
                return False
            effects = self.scope.effects.of([item])
            touched |= {name} if name else effects.reads | effects.writes
        return True


def _target(call: ast.stmt) -> str:
    """Returns the variable that a call's result goes to."""
    assert isinstance(call, ast.Assign) and isinstance(call.targets[0], ast.Name)  # noqa: S101, PT018
    return call.targets[0].id
