"""Which variables outlive a step, and so belong to the state of a graph."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flowreasoner.lowering.refusals import refused
from flowreasoner.lowering.steps import Exit, Route, Step, destinations
from flowreasoner.workflow.language import BUILTINS, EXCEPTIONS, MODULES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["check_crossing", "state_variables"]

_KNOWN = BUILTINS | EXCEPTIONS | MODULES.keys() | {"self", "prompt_custom"}
_ITERATORS = {"enumerate", "filter", "map", "reversed", "zip"}
_MATCHES = {"match", "search", "fullmatch", "finditer"}


def state_variables(steps: Mapping[str, Step], parameters: Sequence[str]) -> list[str]:
    """Returns the variables that a step hands on to another, and the results of calls, parameters first."""
    used: dict[str, set[str]] = {}
    defined: dict[str, set[str]] = {}
    for name, step in steps.items():
        used[name], defined[name] = _step(step)
    entering: dict[str, set[str]] = {name: set() for name in steps}
    changed = True
    while changed:
        changed = False
        for name, step in reversed(list(steps.items())):
            after = set(_tests(step.exit))
            for following in destinations(step.exit):
                after |= entering[following] if following else set()
            caught = {variable for handler in step.handlers for variable in entering[handler.step]}
            now = used[name] | (after - defined[name]) | caught
            if now != entering[name]:
                entering[name], changed = now, True
    kept = set().union(*entering.values(), *(_tests(step.exit) for step in steps.values()))
    kept |= {step.target.id for step in steps.values() if step.kind == "call" and isinstance(step.target, ast.Name)}
    return [*parameters, *sorted(kept - {*parameters})]


def check_crossing(steps: Mapping[str, Step], variables: Sequence[str]) -> None:
    """Refuses variables of the state that hold what no checkpoint can: functions, iterators, matches.

    Raises:
        WorkflowInvalid: Naming the line and what to write instead.
    """
    for step in steps.values():
        for node in step.expressions():
            for part in ast.walk(node):
                match part:
                    case ast.Assign(targets=[ast.Name(id=name)], value=value) if name in variables:
                        what = _unstorable(value)
                        if what:
                            message = f"{name!r} holds {what} while an operator runs, which no checkpoint can store"
                            raise refused(part, "not-storable", message, "make a list of it, or use it at once")


def _unstorable(node: ast.expr) -> str:
    match node:
        case ast.Lambda():
            return "a function"
        case ast.GeneratorExp():
            return "a generator"
        case ast.Call(func=ast.Name(id=name)) if name in _ITERATORS:
            return f"the iterator of {name}()"
        case ast.Call(func=ast.Attribute(value=ast.Name(id="re"), attr=name)) if name in _MATCHES:
            return f"the match of re.{name}()"
        case ast.Call(func=ast.Attribute(attr=("keys" | "values" | "items") as name), args=[], keywords=[]):
            return f"the view of .{name}(), which follows its dictionary"
    return ""


def _step(step: Step) -> tuple[set[str], set[str]]:
    """Returns the variables that a step needs, and those that it certainly gives a value."""
    if step.kind in {"sample", "subgraph"}:
        return set(), set()
    defined = {step.caught} - {""} if step.caught else set()
    return _flow(step.expressions(), {str(name) for name in defined})


def _flow(nodes: Iterable[ast.AST], defined: set[str]) -> tuple[set[str], set[str]]:
    used: set[str] = set()
    for node in nodes:
        match node:
            case ast.If(test=test, body=body, orelse=orelse):
                used |= _free(test) - defined
                first, one = _flow(body, set(defined))
                second, other = _flow(orelse, set(defined))
                used |= first | second
                defined |= one & other
            case ast.For(target=target, iter=items, body=body, orelse=orelse):
                used |= _free(items) - defined
                used |= _flow(body, defined | _bound(target))[0] | _flow(orelse, set(defined))[0]
            case ast.While(test=test, body=body, orelse=orelse):
                used |= _free(test) - defined
                used |= _flow(body, set(defined))[0] | _flow(orelse, set(defined))[0]
            case ast.Try(body=body, handlers=handlers, orelse=orelse, finalbody=finalbody):
                used |= _flow([*body, *orelse], set(defined))[0] | _flow(finalbody, set(defined))[0]
                for handler in handlers:
                    used |= _flow(handler.body, defined | ({handler.name} if handler.name else set()))[0]
            case _:
                used |= _free(node) - defined
                defined |= _bound(node)
    return used, defined


def _bound(node: ast.AST) -> set[str]:
    """Returns the variables that a plain statement or a target gives a value."""
    targets: list[ast.AST] = [node]
    match node:
        case ast.Assign(targets=found):
            targets = list(found)
        case ast.AugAssign(target=target):
            targets = [target]
        case ast.stmt():
            return set()
    return {
        part.id
        for target in targets
        for part in ast.walk(target)
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)
    }


def _free(node: ast.AST) -> set[str]:
    """Returns the variables that code reads from around it."""
    match node:
        case ast.Name(id=name, ctx=context):
            return set() if isinstance(context, ast.Store) or name in _KNOWN else {name}
        case ast.AugAssign(target=ast.Name(id=name), value=value):
            return {name} | _free(value)
        case ast.Lambda(args=arguments, body=body):
            return _free(body) - {item.arg for item in arguments.args}
        case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
            inner = {name for generator in node.generators for name in _bound(generator.target)}
            first = _free(node.generators[0].iter)
            parts: list[ast.AST] = [item for generator in node.generators for item in (generator.iter, *generator.ifs)]
            parts += [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
            return first | set().union(*map(_free, parts[1:])) - inner
    return set().union(*map(_free, ast.iter_child_nodes(node)), set())


def _tests(exit_: Exit) -> set[str]:
    if isinstance(exit_, Route):
        return _free(exit_.test) | _tests(exit_.yes) | _tests(exit_.no)
    return set()
