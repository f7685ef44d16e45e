"""The rules that follow control flow: names before use, result keys, paths without return, loops, waste.

An abstract run over each method. A state maps names to what they may hold: the results of operators, calls
not yet awaited, anything else, or nothing yet.
"""

from __future__ import annotations

import ast
from collections import Counter
from typing import TYPE_CHECKING

from flowreasoner.text import did_you_mean, listing
from flowreasoner.workflow.diagnostics import Diagnostic
from flowreasoner.workflow.names import bound_names, changed_names, names_bound_twice, read_names
from flowreasoner.workflow.program import self_call

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flowreasoner.operators.spec import Operator
    from flowreasoner.workflow.diagnostics import Severity
    from flowreasoner.workflow.program import Method, Program

__all__ = ["check_flow"]

Kinds = frozenset[str]
State = dict[str, Kinds]

_OTHER: Kinds = frozenset({"?"})
_UNBOUND = "unbound"
_PENDING = "pending:"
_MOST_PASSES = 10
_MOST_WORK = 2_000_000
"""Names looked at, over all statements and passes; a workflow of 300 statements in two loops takes a twentieth."""


class _TooMuch(Exception):
    """The method takes too long to check."""


def check_flow(program: Program, operators: Mapping[str, Operator]) -> list[Diagnostic]:
    """Checks the control flow of every method of a program whose rules hold."""
    found: list[Diagnostic] = []
    for method in program.methods:
        flow = _Flow(program, method, operators)
        try:
            end = flow.run()
        except _TooMuch:
            message = f"{method.name} has too many statements inside too many loops and branches to check them all"
            place = ast.Pass(lineno=method.line, col_offset=-1)
            found.append(_diagnostic(place, "too-large", "error", message, "split it into several methods"))
            continue
        found += flow.found
        if end is not None and method.name == "__call__":
            last = method.body[-1]
            message = "not every path ends in a return: the workflow could end without an answer"
            found.append(_diagnostic(last, "missing-return", "error", message, "return an answer at the end"))
        found += _wasted(program, method)
    return found


def _diagnostic(node: ast.AST, code: str, severity: Severity, message: str, remedy: str) -> Diagnostic:
    line, column = getattr(node, "lineno", 0), getattr(node, "col_offset", -1) + 1
    return Diagnostic(line, column, code, severity, message, remedy)


def _join(*states: State | None) -> State | None:
    """Returns what holds when control may come from any of the states; None is no control at all."""
    live = [state for state in states if state is not None]
    if not live:
        return None
    nothing = frozenset({_UNBOUND})
    names = set().union(*live)
    return {name: frozenset().union(*(state.get(name, nothing) for state in live)) for name in names}


class _Flow:
    """Runs one method abstractly; `silent` while a loop is being brought to its fixed point."""

    def __init__(self, program: Program, method: Method, operators: Mapping[str, Operator]) -> None:
        self.program, self.method, self.operators = program, method, operators
        self.found: list[Diagnostic] = []
        self.silent = False
        self.work = 0
        self.breaks: list[list[State]] = []
        self.continues: list[list[State]] = []
        self.inner: list[set[str]] = []
        self.assigned = bound_names(method)

    def run(self) -> State | None:
        return self.block(self.method.body, dict.fromkeys(self.method.parameters, _OTHER))

    def report(self, node: ast.AST, code: str, severity: Severity, message: str, remedy: str) -> None:
        if not self.silent:
            self.found.append(_diagnostic(node, code, severity, message, remedy))

    # --- statements: each returns the state after it, or None when control does not get past it ---

    def block(self, statements: Sequence[ast.stmt], state: State | None) -> State | None:
        for index, statement in enumerate(statements):
            if state is None:
                if index:
                    self.report(statement, "unreachable", "warning", "this is never reached", "remove it")
                return None
            state = self.statement(statement, state)
        return state

    def statement(self, node: ast.stmt, state: State) -> State | None:
        self._count(1 + len(state))
        match node:
            case ast.If():
                self.expression(node.test, state)
                return _join(self.block(node.body, dict(state)), self.block(node.orelse, dict(state)))
            case ast.For() | ast.While():
                return self.loop(node, state)
            case ast.Try():
                return self.attempt(node, state)
            case ast.Return():
                self.leave(node, state)
                return None
            case ast.Break():
                self.breaks[-1].append(dict(state))
                return None
            case ast.Continue():
                self.continues[-1].append(dict(state))
                return None
        return self.straight(node, state)

    def straight(self, node: ast.stmt, state: State) -> State:
        """Takes in a statement after which the next one follows."""
        match node:
            case ast.Assign():
                kinds = self.expression(node.value, state)
                for target in node.targets:
                    state = self.assign(target, kinds, state)
            case ast.AugAssign():
                self.expression(node.value, state)
                if isinstance(node.target, ast.Name):
                    self.load(node.target, state)
                return self.assign(node.target, _OTHER, state)
            case ast.Expr():
                self.expression(node.value, state)
                return self._widen(node.value, state)
        return state

    def leave(self, node: ast.Return, state: State) -> None:
        if node.value is not None:
            self.expression(node.value, state)
        elif self.method.name == "__call__":
            self.report(node, "missing-return", "error", "return without a value", "return the answer")

    def _count(self, work: int) -> None:
        self.work += work
        if self.work > _MOST_WORK:
            raise _TooMuch

    def _with_key(self, name: str, key: ast.expr, state: State) -> State:
        """Forgets what a name holds once it is given a key of the program's own."""
        results = [self.operators[kind].output_names if kind in self.operators else () for kind in state[name]]
        if isinstance(key, ast.Constant) and all(key.value in names for names in results):
            return state
        return {**state, name: state[name] | _OTHER}

    def _widen(self, node: ast.expr, state: State) -> State:
        """Forgets what a name holds once a method of it may have added keys."""
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="update" | "setdefault")) if name in state:
                return {**state, name: state[name] | _OTHER}
        return state

    def loop(self, node: ast.For | ast.While, state: State) -> State | None:
        """Runs the body until nothing changes, then once more for the report."""
        endless = isinstance(node, ast.While) and isinstance(node.test, ast.Constant) and bool(node.test.value)
        if isinstance(node, ast.While) and not self.silent:
            self._check_bound(node, endless=endless)
        before, was_silent = dict(state), self.silent
        for _ in range(_MOST_PASSES):
            self.silent = True
            after, _breaks = self._pass(node, before)
            joined = _join(before, after) or before
            if joined == before:
                break
            before = joined
        self.silent = was_silent
        after, breaks = self._pass(node, before)
        if endless:
            return _join(*breaks)
        ran = _join(after, *breaks)
        end = _join(before, after)
        if node.orelse and end is not None:
            end = self.block(node.orelse, end)
        end = _join(end, *breaks)
        if end is not None and ran is not None:
            # A loop is taken to run at least once: the other reading would warn of half of all workflows.
            end = {
                name: kinds - {_UNBOUND} if _UNBOUND not in ran.get(name, kinds) else kinds
                for name, kinds in end.items()
            }
        return end

    def _pass(self, node: ast.For | ast.While, state: State) -> tuple[State | None, list[State]]:
        self._count(1 + len(state))
        self.breaks.append([])
        self.continues.append([])
        inside = dict(state)
        if isinstance(node, ast.For):
            self.expression(node.iter, inside)
            inside = self.assign(node.target, _OTHER, inside)
        else:
            self.expression(node.test, inside)
        after = self.block(node.body, inside)
        return _join(after, *self.continues.pop()), self.breaks.pop()

    def _check_bound(self, node: ast.While, *, endless: bool) -> None:
        leaves = any(isinstance(inner, ast.Break | ast.Return) for inner in ast.walk(node))
        if endless and leaves:
            message = "the loop ends only when a condition inside it comes true"
            self.report(node, "unbounded-loop", "warning", message, "count the rounds, e.g. for _ in range(5)")
        elif endless:
            self.report(node, "unbounded-loop", "error", "the loop never ends", "use for _ in range(...)")
        elif not leaves and not (read_names(node.test) & changed_names(node.body)):
            message = f"nothing in the loop changes its condition {ast.unparse(node.test)!r:.60}"
            self.report(node, "unbounded-loop", "error", message, "use for _ in range(...)")

    def attempt(self, node: ast.Try, state: State) -> State | None:
        after = self.block(node.body, dict(state))
        twice = names_bound_twice(node.body)  # such a name may hold the first value still
        inside = {
            name: kinds | _OTHER if name in twice else kinds for name, kinds in (_join(state, after) or state).items()
        }
        ends = [self.block(node.orelse, after) if after is not None else None]
        for handler in node.handlers:
            start = dict(inside)
            if handler.name:
                start[handler.name] = _OTHER
            end = self.block(handler.body, start)
            if end is not None and handler.name:
                end.pop(handler.name, None)
            ends.append(end)
        end = _join(*ends)
        if node.finalbody:
            final = self.block(node.finalbody, end if end is not None else dict(inside))
            return final if end is not None else None
        return end

    def assign(self, target: ast.expr, kinds: Kinds, state: State) -> State:
        match target:
            case ast.Name(id=name):
                return {**state, name: kinds - {_UNBOUND} or _OTHER}
            case ast.Tuple(elts=elements) | ast.List(elts=elements):
                for element in elements:
                    state = self.assign(element, _OTHER, state)
            case ast.Starred(value=inner):
                return self.assign(inner, _OTHER, state)
            case ast.Subscript(value=ast.Name(id=name), slice=key) if name in state:
                self.expression(target, state)
                return self._with_key(name, key, state)
            case ast.Subscript() | ast.Attribute():
                self.expression(target, state)
        return state

    # --- expressions: each returns what its value may be ---

    def expression(self, node: ast.expr, state: State) -> Kinds:
        self._count(1)
        match node:
            case ast.Name():
                return self.load(node, state) if isinstance(node.ctx, ast.Load) else _OTHER
            case ast.Await(value=value):
                kinds = self.expression(value, state)
                return frozenset(kind.removeprefix(_PENDING) for kind in kinds)
            case ast.Call():
                return self.call(node, state)
            case ast.Subscript(value=value, slice=ast.Constant(value=str(key)), ctx=ast.Load()):
                self.key(node, self.expression(value, state), key)
                return _OTHER
            case ast.IfExp():
                self.expression(node.test, state)
                return self.expression(node.body, state) | self.expression(node.orelse, state)
            case ast.Lambda():
                self._count(len(state) + len(self.assigned))
                self.inner.append({argument.arg for argument in node.args.args})
                late = {name: state.get(name, _OTHER) - {_UNBOUND} or _OTHER for name in self.assigned}
                self.expression(node.body, state | late)  # it runs later, when its names may have got their values
                self.inner.pop()
                return _OTHER
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
                self.comprehension(node, state)
                return _OTHER
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self.expression(child, state)
            elif isinstance(child, ast.keyword):
                self.expression(child.value, state)
        return _OTHER

    def comprehension(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp, state: State) -> None:
        self.inner.append(set())
        for generator in node.generators:
            self.expression(generator.iter, state)
            self.inner[-1] |= {
                name.id
                for name in ast.walk(generator.target)
                if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store)
            }
            for condition in generator.ifs:
                self.expression(condition, state)
        for part in (node.key, node.value) if isinstance(node, ast.DictComp) else (node.elt,):
            self.expression(part, state)
        self.inner.pop()

    def call(self, node: ast.Call, state: State) -> Kinds:
        for argument in (*node.args, *(keyword.value for keyword in node.keywords)):
            self.expression(argument, state)
        name = self_call(node)
        if name in self.program.bindings:
            return frozenset({_PENDING + self.program.bindings[name]})
        if not name and isinstance(node.func, ast.Attribute):
            kinds = self.expression(node.func.value, state)
            match node:
                case ast.Call(func=ast.Attribute(attr="get"), args=[ast.Constant(value=str(key)), *_]):
                    self.key(node, kinds, key, fails=False)
        elif isinstance(node.func, ast.Name):
            self.load(node.func, state)
        return _OTHER

    def load(self, node: ast.Name, state: State) -> Kinds:
        name = node.id
        if name not in self.assigned or any(name in scope for scope in self.inner):
            return state.get(name, _OTHER)
        kinds = state.get(name, frozenset({_UNBOUND}))
        if kinds == {_UNBOUND}:
            message = f"the name {name!r} is used before it is assigned"
            self.report(node, "undefined-name", "error", message, f"assign {name} first")
        elif _UNBOUND in kinds:
            message = f"the name {name!r} is not assigned on every path that leads here"
            self.report(node, "maybe-undefined", "warning", message, f"assign {name} before the branches")
        return kinds - {_UNBOUND}

    def key(self, node: ast.AST, kinds: Kinds, key: str, *, fails: bool = True) -> None:
        """Checks a result key against all that the value may be; ``.get`` of an unknown key does not fail."""
        pending = [kind for kind in kinds if kind.startswith(_PENDING)]
        if pending and len(pending) == len(kinds):
            message = f"the call of {pending[0].removeprefix(_PENDING)} is not awaited, so it has no {key!r}"
            self.report(node, "missing-await", "error", message, "write await before the call")
            return
        results = [self.operators[kind] for kind in sorted(kinds) if kind in self.operators]
        lacking = [operator for operator in results if key not in operator.output_names]
        if not lacking:
            return
        operator = lacking[0]
        hint = did_you_mean(key, operator.output_names)
        message = f"{operator.name} returns no {key!r}{hint}"
        remedy = f"it returns {listing(map(repr, operator.output_names))}"
        certain = fails and len(lacking) == len(kinds)
        if certain:
            self.report(node, "unknown-key", "error", message, remedy)
        else:
            self.report(node, "maybe-unknown-key", "warning", message, remedy)


def _wasted(program: Program, method: Method) -> list[Diagnostic]:
    """Warns of operator results that nothing reads: calls that cost money for nothing."""
    reads = Counter(
        node.id for node in method.walk() if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Store)
    )
    found = []
    for node in method.walk():
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Await(value=call)) if not reads[name]:
                where = f"the result {name!r}"
            case ast.Expr(value=ast.Await(value=call) | (ast.Call() as call)):
                where = "the result"
            case _:
                continue
        operator = program.bindings.get(self_call(call))
        if operator is not None:
            message = f"{where} of {operator} is never used, but paid for"
            found.append(_diagnostic(node, "unused-result", "warning", message, "use it or remove the call"))
    return found
