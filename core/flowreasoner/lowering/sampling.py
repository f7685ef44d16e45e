"""Writes loops whose rounds do not need each other's results as one `asyncio.gather` and a loop over its results.

The commonest pattern of published workflows: several samples are drawn, and each is appended to a list.
"""

from __future__ import annotations

import ast
import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flowreasoner.lowering.effects import Touched
from flowreasoner.lowering.kinds import is_list
from flowreasoner.lowering.scope import bound_after
from flowreasoner.lowering.syntax import (
    as_list,
    assign,
    awaits,
    gathered,
    is_gather,
    name_of,
    operator_call,
    place,
    variables_read,
)
from flowreasoner.workflow.fstrings import portable
from flowreasoner.workflow.language import BUILTINS, MODULES
from flowreasoner.workflow.program import Method, self_call

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from flowreasoner.lowering.scope import MethodScope

__all__ = ["sampled"]

_LEAVING = ast.Break | ast.Continue | ast.Return


@dataclass(frozen=True)
class _Rounds:
    """A sampling loop taken apart.

    Attributes:
        loop: The loop.
        steps: What each round does by itself: its calls and what they need.
        after: What is done with the results, one round after the other.
    """

    loop: ast.For
    steps: tuple[ast.stmt, ...]
    after: tuple[ast.stmt, ...]


def sampled(loop: ast.For, scope: MethodScope, bound: set[str]) -> list[ast.stmt] | None:
    """Returns the statements that do the same as a loop with its rounds at the same time.

    Args:
        loop: A loop of a flat method, its body gathered already.
        scope: What is known of the method.
        bound: Variables that certainly have a value before the loop.

    Returns:
        None where a round may need another's results, leave the loop, or fail before it calls.
    """
    rounds = _taken_apart(loop, scope, bound)
    if rounds is None:
        return None
    return _as_comprehension(rounds, scope) or _as_method(rounds, scope)


# --- taking apart ---


def _taken_apart(loop: ast.For, scope: MethodScope, bound: set[str]) -> _Rounds | None:
    if loop.orelse or not any(map(awaits, loop.body)) or not _plain_items(loop, scope, bound):
        return None
    if any(isinstance(part, _LEAVING) for statement in loop.body for part in ast.walk(statement)):
        return None
    if not _total(loop, scope, bound):
        return None
    needed = _needed(loop.body, scope)
    steps = tuple(item for item in loop.body if awaits(item) or item in needed)
    after = tuple(item for item in loop.body if item not in steps)
    rounds = _Rounds(loop, steps, after)
    return rounds if _independent(rounds, scope) and _in_order(loop.body, rounds, scope) else None


def _plain_items(loop: ast.For, scope: MethodScope, bound: set[str]) -> bool:
    """Tells whether a loop goes through a list that is certainly there, or numbers its items."""
    items = loop.iter
    match loop.target, items:
        case ast.Tuple(elts=[ast.Name(), ast.Name()]), ast.Call(
            func=ast.Name(id="enumerate"), args=[inner], keywords=[]
        ):
            items = inner
        case ast.Name(), _:
            pass
        case _:
            return False
    kind = scope.kinds.of(items)
    return (is_list(kind) or kind == "text") and scope.totality.expression(items, bound)


def _total(loop: ast.For, scope: MethodScope, bound: set[str]) -> bool:
    """Tells whether nothing but a call can fail in the body."""
    here = bound | _targets(loop)
    for statement in loop.body:
        calls = _calls_of(statement, scope)
        if calls is None and (awaits(statement) or not scope.totality.statement(statement, here)):
            return False
        if calls is not None:
            arguments = [keyword.value for call in calls for keyword in call.keywords]
            if not all(scope.totality.expression(value, here) for value in arguments):
                return False
            here |= bound_after(statement)
    return True


def _calls_of(statement: ast.stmt, scope: MethodScope) -> list[ast.Call] | None:
    """Returns the operator calls that a statement awaits, one or gathered; None for any other statement."""
    call = operator_call(statement, scope.program)
    if call is not None:
        return [call]
    match statement:
        case ast.Assign(value=ast.Await(value=ast.Call(args=args, keywords=[]) as gather)) if is_gather(gather):
            calls = [item for item in args if isinstance(item, ast.Call)]
            if len(calls) == len(args) and all(self_call(item) in scope.program.bindings for item in calls):
                return calls
    return None


def _needed(body: Sequence[ast.stmt], scope: MethodScope) -> list[ast.stmt]:
    """Returns the statements without awaits that a later call of the same round needs."""
    wanted: set[str] = set()
    found = []
    for statement in reversed(body):
        touched = scope.effects.of([statement])
        if awaits(statement):
            wanted |= touched.reads
        elif touched.writes & wanted:
            found.append(statement)
            wanted |= touched.reads
    return found


def _independent(rounds: _Rounds, scope: MethodScope) -> bool:
    """Tells whether each round starts from what was there before the loop, and changes nothing of it."""
    own = {scope.effects.name(name) for name in _targets(rounds.loop)}
    written = scope.effects.of([*rounds.steps, *rounds.after]).writes - own
    for statement in rounds.steps:
        touched = scope.effects.of([statement])
        if touched.reads & written - own:
            return False  # of an earlier round, or of what is done after the calls
        if not awaits(statement) and not isinstance(statement, ast.Assign):
            return False
        stored = bound_after(statement)
        if touched.writes - {scope.effects.name(name) for name in stored}:
            return False  # changed in place
        own |= {scope.effects.name(name) for name in stored}
    items = scope.effects.of([rounds.loop.iter])
    return not items.reads & written


def _in_order(body: Sequence[ast.stmt], rounds: _Rounds, scope: MethodScope) -> bool:
    """Tells whether what is done after the calls may move behind the steps that stand after it."""
    moved = Touched()
    for statement in body:
        touched = scope.effects.of([statement])
        if statement in rounds.after:
            moved |= touched
        elif touched.depends_on(moved):
            return False
    return True


# --- putting together ---


def _as_comprehension(rounds: _Rounds, scope: MethodScope) -> list[ast.stmt] | None:
    """Writes a round of one call as an element of a list; what its arguments need is put in their place."""
    *before, last = rounds.steps
    call = operator_call(last, scope.program)
    if call is None or any(awaits(item) for item in before):
        return None
    values: dict[str, ast.expr] = {}
    for statement in before:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                values[name] = _filled(value, values)
            case _:
                return None
    call = copy.deepcopy(call)
    call.keywords = [ast.keyword(item.arg, _filled(item.value, values)) for item in call.keywords]
    if sum(1 for _ in ast.walk(call)) > 400:
        return None
    assert isinstance(last, ast.Assign) and isinstance(last.targets[0], ast.Name)  # noqa: S101, PT018
    kept = [item for item in before if _is_used(item, rounds, scope)]
    return _together(rounds, place(call, last), f"{scope.site(last)}_results", last.targets[0], kept, scope)


def _filled(node: ast.expr, values: dict[str, ast.expr]) -> ast.expr:
    class Fill(ast.NodeTransformer):
        def visit_Name(self, name: ast.Name) -> ast.AST:
            return copy.deepcopy(values[name.id]) if name.id in values and isinstance(name.ctx, ast.Load) else name

        def visit_JoinedStr(self, text: ast.JoinedStr) -> ast.AST:
            return portable(self.generic_visit(text))

    filled: ast.expr = Fill().visit(copy.deepcopy(node))
    return filled


def _is_used(statement: ast.stmt, rounds: _Rounds, scope: MethodScope) -> bool:
    names = bound_after(statement)
    return bool(names & _reads(rounds.after)) or any(scope.used_outside(name, rounds.loop) for name in names)


def _as_method(rounds: _Rounds, scope: MethodScope) -> list[ast.stmt] | None:
    """Writes a round of several calls as a helper method, of which one runs for each item."""
    loop = rounds.loop
    written = [name for item in rounds.steps for name in sorted(bound_after(item))]
    needed = [name for name in dict.fromkeys(written) if name in _reads(rounds.after) or scope.used_outside(name, loop)]
    targets = [part.id for part in ast.walk(loop.target) if isinstance(part, ast.Name)]
    read = _reads(rounds.steps)
    parameters = [name for name in dict.fromkeys([*targets, *sorted(read)]) if name in read and name not in written]
    result: ast.expr = ast.Tuple([ast.Name(name, ast.Load()) for name in needed], ast.Load())
    target: ast.expr = ast.Tuple([ast.Name(name, ast.Store()) for name in needed], ast.Store())
    if len(needed) == 1:
        result, target = ast.Name(needed[0], ast.Load()), ast.Name(needed[0], ast.Store())
    name = scope.names.fresh("sample")
    body = (*rounds.steps, place(ast.Return(result), loop))
    scope.added[name] = Method(name, tuple(parameters), (), body, line=loop.lineno)
    function = ast.Attribute(ast.Name("self", ast.Load()), name, ast.Load())
    call = place(ast.Call(function, [ast.Name(item, ast.Load()) for item in parameters], []), loop)
    return _together(rounds, call, f"{name}_results", target if needed else None, [], scope)


def _together(
    rounds: _Rounds,
    call: ast.Call,
    wish: str,
    target: ast.expr | None,
    before: Iterable[ast.stmt],
    scope: MethodScope,
) -> list[ast.stmt]:
    """Returns the gathering of a call for each item, and the loop that does what comes after it."""
    loop = rounds.loop
    out: list[ast.stmt] = []
    items, again = loop.iter, loop.iter
    if not isinstance(items, ast.Name) and not _is_counting(items):
        kept = scope.names.fresh("items")
        out.append(assign(kept, place(as_list(items), loop), loop))
        items, again = name_of(kept, loop), name_of(kept, loop)
    results = scope.names.fresh(wish)
    made = ast.ListComp(call, [ast.comprehension(copy.deepcopy(loop.target), items, [], 0)])
    out.append(assign(results, gathered([place(ast.Starred(place(made, loop), ast.Load()), loop)], loop), loop))
    done = [*before, *rounds.after]
    goes_on = target is not None and any(scope.used_outside(name, loop) for name in _stored(target))
    if target is None or not (done or goes_on or _outlives(loop, scope)):
        return out
    header: tuple[ast.expr, ast.expr] = (target, name_of(results, loop))
    if _targets(loop) & _reads(done) or _outlives(loop, scope):
        pair = ast.Tuple([copy.deepcopy(loop.target), target], ast.Store())
        both = ast.Call(ast.Name("zip", ast.Load()), [copy.deepcopy(again), name_of(results, loop)], [])
        header = (place(pair, loop), place(both, loop))
    body = done or [ast.copy_location(ast.Pass(), loop)]
    out.append(place(ast.For(header[0], header[1], body, []), loop))
    return out


def _is_counting(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "range"


def _outlives(loop: ast.For, scope: MethodScope) -> bool:
    return any(scope.used_outside(name, loop) for name in _targets(loop))


def _targets(loop: ast.For) -> set[str]:
    return _stored(loop.target)


def _stored(target: ast.expr) -> set[str]:
    return {part.id for part in ast.walk(target) if isinstance(part, ast.Name)}


def _reads(statements: Iterable[ast.stmt]) -> set[str]:
    """Returns the variables that statements read, under their own names."""
    inner = {"self", "prompt_custom", *BUILTINS, *MODULES}
    return {name.id for name in variables_read(statements)} - inner
