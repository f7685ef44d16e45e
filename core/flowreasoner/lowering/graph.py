"""Makes a graph of steps of a program: `step_graph`."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flowreasoner.lowering.blocks import Block, Branch, Call, Fan, Goto, Raise, Region, Return
from flowreasoner.lowering.bounds import most_steps
from flowreasoner.lowering.build import Builder
from flowreasoner.lowering.changes import changes_arguments
from flowreasoner.lowering.cost import without_cost
from flowreasoner.lowering.effects import Effects
from flowreasoner.lowering.flatten import flatten
from flowreasoner.lowering.kinds import Kinds
from flowreasoner.lowering.liveness import check_crossing, state_variables
from flowreasoner.lowering.names import Names, without_names
from flowreasoner.lowering.parallel import parallelise, rewritten_prompts
from flowreasoner.lowering.refusals import refused
from flowreasoner.lowering.steps import Dispatch, Exit, Finish, Handler, Next, Reraise, Route, Step, StepGraph
from flowreasoner.lowering.syntax import assign, name_of, place
from flowreasoner.lowering.totality import Totality
from flowreasoner.operators import BUILTIN
from flowreasoner.workflow.program import Method, self_call

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from flowreasoner.operators.spec import Operator
    from flowreasoner.workflow.program import Program

__all__ = ["step_graph"]

_UNBOUNDED = 64
"""Rounds that a loop without a visible bound counts for: the operator calls of the default budget."""


def step_graph(
    program: Program,
    operators: Mapping[str, Operator] = BUILTIN,
    *,
    reserved: Collection[str] = (),
    unbounded: int = _UNBOUNDED,
) -> StepGraph:
    """Returns a checked program as a graph of steps.

    Args:
        program: A checked program.
        operators: Operators by class name.
        reserved: Names that variables and steps must not have; call sites' names are so anyway.
        unbounded: Rounds that a loop without a visible bound counts for in `StepGraph.most_steps`.

    Raises:
        WorkflowInvalid: If no graph can express it, with the line and a remedy.
    """
    lowered = parallelise(flatten(without_cost(program)), operators)
    lowered = without_names(lowered, {*reserved, *(site.name for site in lowered.sites)})
    names = Names(lowered)
    names.taken |= {*reserved}
    return _Steps(lowered, lowered.entry, operators, names, unbounded, set()).graph()


class _Steps:
    """Makes the steps of one method out of its blocks."""

    def __init__(
        self,
        program: Program,
        method: Method,
        operators: Mapping[str, Operator],
        names: Names,
        unbounded: int,
        used: set[str],
    ) -> None:
        self.program, self.method, self.operators = program, method, operators
        self.names, self.unbounded, self.used = names, unbounded, used
        self.first = Builder(program, method, names, operators).entry
        self.nodes: dict[int, str] = {}
        self.steps: dict[str, Step] = {}
        self.step_of: dict[Block, Step] = {}
        self.waiting: list[Block] = []
        self.loose = _loose_calls(self.first)

    def graph(self) -> StepGraph:
        _simplify(self.first)
        while not self.first.statements and isinstance(self.first.end, Goto):
            self.first = self.first.end.next
        blocks = _reachable(self.first)
        if _predecessors(blocks)[self.first]:  # a run begins once, whatever is begun again
            self.first = Block(end=Goto(self.first))
            blocks = [self.first, *blocks]
        self.everything = Method(self.method.name, self.method.parameters, (), tuple(_statements(blocks)), line=0)
        self.kinds = Kinds(self.program, self.everything, self.operators)
        self.rewritten = tuple(sorted(rewritten_prompts(self.program)))
        self._keep_tests(blocks)
        self.predecessors = _predecessors(blocks)
        self.step_for(self.first)
        while self.waiting:
            self._make(self.waiting.pop(0))
        variables = state_variables(self.steps, self.method.parameters)
        check_crossing(self.steps, variables)
        inside = [step.graph for step in self.steps.values() if step.graph is not None]
        defaults = {name: self.method.default_of(name) for name in self.method.parameters}
        return StepGraph(
            self.program,
            self.method.parameters,
            {name: default for name, default in defaults.items() if default is not None},
            self.steps,
            {name: self.kinds.names.get(name, "any") for name in variables},
            self.rewritten,
            Effects(self.everything, self.kinds).share(variables),
            max([most_steps(self.program, self.method, self.unbounded), *(inner.most_steps for inner in inside)]),
            self.nodes,
        )

    def _keep_tests(self, blocks: Sequence[Block]) -> None:
        """Makes every test one that cannot fail and changes nothing: others are kept in a variable first."""
        total = Totality(self.kinds, self.rewritten)
        known = {*self.kinds.names}
        for block in blocks:
            if isinstance(block.end, Branch) and not total.expression(block.end.test, known):
                name, test = self.names.fresh("condition"), block.end.test
                flag = test
                if self.kinds.of(test) != "flag":
                    flag = place(ast.Call(ast.Name("bool", ast.Load()), [test], []), test)
                block.statements.append(assign(name, flag, test))
                self.kinds.names[name] = "flag"
                block.end.test = name_of(name, test)

    # --- steps ---

    def step_for(self, block: Block) -> Step:
        """Returns the step that a block begins."""
        if block not in self.step_of:
            step = self._named(block)
            self.steps[step.name] = self.step_of[block] = step
            step.handlers = self._handlers(block.region)
            step.caught = block.caught
            self.waiting.append(block)
        return self.step_of[block]

    def _named(self, block: Block) -> Step:
        end = block.end
        if isinstance(end, Call):
            site = self.program.site_of(end.call)
            return Step(self._name(site.name), "call", site.line, site=site)
        wish = "handle_error" if block.caught is not None else "finish" if isinstance(end, Return) else "prepare"
        line = block.statements[0].lineno if block.statements else end.line if isinstance(end, Return) else 0
        return Step(self._name(wish), "step", line)

    def _name(self, wish: str) -> str:
        """Returns a name that no step of the program has; a call site has its own, unless it was put in place twice."""
        sites = {site.name for site in self.program.sites}
        if wish not in sites or wish in self.used:
            return self.names.fresh(wish)
        self.used.add(wish)
        return wish

    def _make(self, block: Block) -> None:
        step, end = self.step_of[block], block.end
        step.before = block.statements
        if isinstance(end, Call):
            step.call, step.target = end.call, place(ast.Name(end.target, ast.Store()), end.call)
            self._continue(step, end.next)
        else:
            self._end(step, block)

    def _continue(self, step: Step, block: Block) -> None:
        """Lets a step do what comes after its call, unless that begins another step anyway."""
        alone = len(self.predecessors[block]) == 1 and self._handlers(block.region) == step.handlers
        if alone and step.kind == "collect" and isinstance(block.end, Call):
            step.after, block.statements = block.statements, []
        if not alone or isinstance(block.end, Call) or block.caught is not None:
            step.exit = self._exit(block)
            return
        step.after = block.statements
        self._end(step, block)

    def _end(self, step: Step, block: Block) -> None:
        match block.end:
            case Return(value=value):
                step.answer = value
                step.exit = Finish()
            case Raise():
                step.exit = Reraise()
            case Fan() as fan:
                self._fan_out(step, fan, block)
            case Goto(next=following):
                step.exit = self._exit(following)
            case Branch(test=test, yes=yes, no=no):
                step.exit = Route(test, self._exit(yes), self._exit(no))

    def _exit(self, block: Block, passed: tuple[Block, ...] = ()) -> Exit:
        """Returns how to go on with a block: blocks that only choose are part of the way."""
        if not block.statements and block.caught is None and block not in passed:
            passed = (*passed, block)
            match block.end:
                case Goto(next=following):
                    return self._exit(following, passed)
                case Branch(test=test, yes=yes, no=no):
                    return Route(test, self._exit(yes, passed), self._exit(no, passed))
        return Next(self.step_for(block).name)

    def _handlers(self, region: Region | None) -> tuple[Handler, ...]:
        found = []
        while region is not None:
            found += [Handler(catch.exceptions, self.step_for(catch.block).name) for catch in region.catches]
            region = region.parent
        return tuple(found)

    # --- fan-out ---

    def _fan_out(self, step: Step, fan: Fan, block: Block) -> None:
        step.requests = fan.arguments
        calls = [part for item in fan.arguments for part in ast.walk(item) if isinstance(part, ast.Call)]
        calls = [part for part in calls if self._is_awaitable(part)]
        if any(_outside(item, calls) for item in fan.arguments):
            calls += [
                part for part in self.loose if self._is_awaitable(part) and part not in calls
            ]  # a variable may hold any of them
        samples = list(dict.fromkeys(self._sample(call).name for call in calls))
        wish = (
            "collect" if not isinstance(fan.target, ast.Name) else f"collect_{fan.target.id}".removesuffix("_results")
        )
        collect = Step(self._name(wish), "collect", step.line, target=fan.target, keep=fan.keep, single=fan.single)
        collect.handlers = self._handlers(block.region)
        if collect.handlers or fan.keep is not None:
            for name in samples:
                _guard(self.steps[name])
        self.steps[collect.name] = collect
        step.exit = Dispatch(tuple(samples), collect.name)
        self._continue(collect, fan.next)

    def _is_awaitable(self, call: ast.Call) -> bool:
        name = self_call(call)
        return name in self.program.bindings or (name in self.program.helpers and self.program.helpers[name].is_async)

    def _sample(self, call: ast.Call) -> Step:
        """Returns the step that a gathered call is sent to."""
        if id(call) in self.nodes:
            return self.steps[self.nodes[id(call)]]
        name = self_call(call)
        if name in self.program.bindings:
            site = self.program.site_of(call)
            step = Step(self._name(site.name), "sample", site.line, call=call, site=site)
        else:
            step = Step(self._name(name), "subgraph", call.lineno, call=call, graph=self._subgraph(name, call))
        self.nodes[id(call)] = step.name
        self.steps[step.name] = step
        return step

    def _subgraph(self, name: str, call: ast.Call) -> StepGraph:
        method = self.program.helpers[name]
        if any(isinstance(part, ast.Attribute) and isinstance(part.ctx, ast.Store) for part in method.walk()):
            message = f"self.{name} runs beside others and rewrites a prompt, which they could not agree on"
            raise refused(call, "parallel-prompt", message, "rewrite the prompt before the calls are gathered")
        if changes_arguments(self.program, method):
            message = f"self.{name} runs beside others and changes what it is given, which they do not share"
            raise refused(call, "parallel-change", message, "return what is new, and add it after the gather")
        return _Steps(self.program, method, self.operators, self.names, self.unbounded, self.used).graph()


def _guard(sample: Step) -> None:
    """Lets a sample, or all that a subgraph does, hand its error on to the step that collects."""
    sample.guarded = True
    if sample.graph is not None:
        sample.graph.guarded = True
        for step in sample.graph.steps.values():
            if step.kind in {"sample", "subgraph"}:
                _guard(step)


def _loose_calls(first: Block) -> list[ast.Call]:
    """Returns the calls that are made without being awaited or gathered where they stand."""
    found = []
    for block in _reachable(first):
        for statement in block.statements:
            found += [part for part in ast.walk(statement) if isinstance(part, ast.Call) and self_call(part)]
    return found


def _outside(node: ast.expr, calls: Sequence[ast.Call]) -> list[ast.AST]:
    """Returns the parts of a gathering's argument that are handed on as they are: variables, and their elements."""
    match node:
        case ast.Starred(value=value):
            return _outside(value, calls)
        case ast.List(elts=items) | ast.Tuple(elts=items):
            return [part for item in items for part in _outside(item, calls)]
        case ast.ListComp(elt=made) | ast.GeneratorExp(elt=made):
            return _outside(made, calls)
        case ast.Call() if node in calls:
            return []
    return [part for part in ast.walk(node) if isinstance(part, ast.Name)]


# --- blocks ---


def _following(block: Block) -> list[Block]:
    match block.end:
        case Goto(next=following) | Call(next=following) | Fan(next=following):
            found = [following]
        case Branch(yes=yes, no=no):
            found = [yes, no]
        case _:
            found = []
    region = block.region
    while region is not None:
        found += [catch.block for catch in region.catches]
        region = region.parent
    return found


def _reachable(first: Block) -> list[Block]:
    found: dict[Block, None] = {}
    waiting = [first]
    while waiting:
        block = waiting.pop()
        if block not in found:
            found[block] = None
            waiting += _following(block)[::-1]
    return list(found)


def _predecessors(blocks: Sequence[Block]) -> dict[Block, list[Block]]:
    found: dict[Block, list[Block]] = {block: [] for block in blocks}
    for block in blocks:
        for following in _following(block):
            found[following].append(block)
    return found


def _simplify(first: Block) -> None:
    """Joins blocks that always follow one another."""
    changed = True
    while changed:
        changed = False
        blocks = _reachable(first)
        before = _predecessors(blocks)
        for block in blocks:
            if not isinstance(block.end, Goto):
                continue
            following = block.end.next
            alone = len(before[following]) == 1 and following not in (first, block)
            if alone and following.region is block.region and following.caught is None:
                block.statements += following.statements
                block.end = following.end
                changed = True
                break


def _statements(blocks: Sequence[Block]) -> list[ast.stmt]:
    """Returns all that a method does as plain statements, for what is found out about its variables."""
    found: list[ast.stmt] = []
    for block in blocks:
        found += block.statements
        match block.end:
            case Call(call=call, target=target):
                found.append(assign(target, place(ast.Await(call), call), call))
            case Fan(arguments=arguments, target=target, single=False) as fan:
                gather = ast.Attribute(ast.Name("asyncio", ast.Load()), "gather", ast.Load())
                keywords = [ast.keyword("return_exceptions", fan.keep)] if fan.keep is not None else []
                value = ast.Await(ast.Call(gather, arguments, keywords))
                found.append(place(ast.Assign([target], value), target))
            case Fan(arguments=[argument], target=target):
                found.append(place(ast.Assign([target], ast.Await(argument)), target))
            case Branch(test=test):
                found.append(place(ast.Expr(test), test))
            case Return(value=value):
                found.append(place(ast.Expr(value), value))
        if block.caught:
            at = block.statements[0] if block.statements else ast.Pass(lineno=0, col_offset=0)
            found.append(assign(block.caught, ast.Call(ast.Name("next", ast.Load()), [], []), at))
    return found
