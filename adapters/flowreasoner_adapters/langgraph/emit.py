"""Makes a `StateGraph` of a workflow: a node per operator call, its statements interpreted, never executed."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

from langgraph.graph import END, START, StateGraph
from langgraph.types import Send
from typing_extensions import TypedDict

from flowreasoner.engine import Segment
from flowreasoner.lowering import Dispatch, Exit, Finish, Next, Reraise, Route, Step, StepGraph, step_graph
from flowreasoner_adapters.langgraph.steps import NOT_VARIABLES, Moment, Node, SampleNode, step_label
from flowreasoner_adapters.langgraph.values import thaw

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flowreasoner.workflow import Workflow
    from flowreasoner_adapters.langgraph.operators import Operators

__all__ = ["WorkflowGraph", "collected", "emit", "send_requests"]

_TYPES: dict[str, Any] = {"text": str, "number": int | float, "flag": bool}
_INPUTS: dict[str, Any] = {"problem": str, "entry_point": str, "test_cases": list[str]}


class WorkflowGraph(StateGraph):  # type: ignore[type-arg]
    """A state graph whose compiled form knows how many steps it needs.

    Args:
        state: Schema of the state.
        most_steps: Steps that one run takes at most; the recursion limit of the compiled graph.
    """

    def __init__(self, state: Any, *, most_steps: int, **schemas: Any) -> None:
        super().__init__(state, **schemas)
        self.most_steps = most_steps

    def compile(self, *arguments: Any, **settings: Any) -> Any:
        """Compiles the graph, as `StateGraph.compile` does."""
        return super().compile(*arguments, **settings).with_config({"recursion_limit": self.most_steps})


def collected(before: dict[str, Any], new: dict[str, Any] | None) -> dict[str, Any]:
    """Reducer of a fan-out's results, by position; None forgets them."""
    return {} if new is None else {**(before or {}), **new}


def emit(workflow: Workflow, operators: Operators) -> WorkflowGraph:
    """Returns a workflow as a state graph, to be compiled with the user's own checkpointer, cache and interrupts.

    Args:
        workflow: A checked workflow.
        operators: What its nodes work with.

    Raises:
        WorkflowInvalid: If no graph can express it.
    """
    reserved = NOT_VARIABLES | {"inputs"}
    return _graph(step_graph(workflow.program, operators.operators, reserved=reserved), workflow.prompts, operators)


def _graph(steps: StepGraph, prompts: Mapping[str, str], operators: Operators, *, inner: bool = False) -> WorkflowGraph:
    most = max([steps.most_steps, *(step.graph.most_steps for step in steps.steps.values() if step.graph)])
    graph = WorkflowGraph(_state(steps, inner=inner), most_steps=most, **_schemas(steps, inner=inner))
    for step in steps.steps.values():
        _add(graph, steps, step, prompts, operators, inner=inner)
    graph.add_edge(START, steps.entry.name)
    return graph


def _add(
    graph: WorkflowGraph, steps: StepGraph, step: Step, prompts: Mapping[str, str], operators: Operators, *, inner: bool
) -> None:
    metadata: dict[str, Any] = {"line": step.line} | ({"operator": step.site.operator} if step.site else {})
    policies = {"retry_policy": operators.retry_policy, "cache_policy": operators.cache_policy} if step.site else {}
    node: Any
    if step.graph is not None:
        node = _graph(step.graph, prompts, operators, inner=True).compile()
    elif step.kind == "sample" and step.site is not None:
        node = SampleNode(step.name, step.site.operator, operators, guarded=step.guarded)
    else:
        work = partial(_work, steps, step, prompts, operators)
        caught = step.caught is not None
        node = Node(
            step.name, work, operators, handlers=step.handlers, shared=steps.shared, caught=caught, subgraph=inner
        )
    graph.add_node(step.name, node, metadata=metadata, **policies)
    if step.kind not in {"sample", "subgraph"}:
        _connect(graph, steps, step)


# --- state ---


def _state(steps: StepGraph, *, inner: bool) -> Any:
    fields: dict[str, Any] = {name: _type(kind) for name, kind in steps.variables.items()}
    fields |= {"feedback": dict[str, Any], "position": int} if inner else {**_INPUTS, "answer": str}
    if inner or any(isinstance(step.exit, Dispatch) for step in steps.steps.values()):
        fields["results"] = Annotated[dict[str, Any], collected]
        fields["requests"] = list[dict[str, Any]]
    if any(step.handlers for step in steps.steps.values()):
        fields["failed"] = Any
    if steps.prompts or inner:
        fields["prompts"] = dict[str, str]
    if steps.shared:
        fields["links"] = list[Any]
    return TypedDict("State", fields, total=False)  # type: ignore[operator]


def _schemas(steps: StepGraph, *, inner: bool) -> dict[str, Any]:
    if inner:
        output = {"results": Annotated[dict[str, Any], collected]}
        return {"output_schema": TypedDict("Results", output, total=False)}  # type: ignore[operator]
    inputs = {**_INPUTS, **{name: _type(steps.variables[name]) for name in steps.parameters}}
    return {
        "input_schema": TypedDict("Input", inputs, total=False),  # type: ignore[operator]
        "output_schema": TypedDict("Output", {"answer": str}, total=False),
    }


def _type(kind: str) -> Any:
    if kind.startswith("list:"):
        return list[_type(kind.removeprefix("list:"))]  # type: ignore[misc]
    return dict[str, Any] if kind.startswith("result:") else _TYPES.get(kind, Any)


# --- edges ---


def _connect(graph: WorkflowGraph, steps: StepGraph, step: Step) -> None:
    targets = _targets(step.exit) | {handler.step for handler in step.handlers}
    if not step.handlers and isinstance(step.exit, Next):
        graph.add_edge(step.name, step.exit.step)
    elif not step.handlers and isinstance(step.exit, Finish):
        graph.add_edge(step.name, END)
    elif targets:
        graph.add_conditional_edges(step.name, _Path(steps, step), sorted(targets))
    if isinstance(step.exit, Dispatch):
        for sample in step.exit.samples:
            graph.add_edge(sample, step.exit.collect)


def _targets(exit_: Exit) -> set[str]:
    match exit_:
        case Next(step=step):
            return {step}
        case Route(yes=yes, no=no):
            return _targets(yes) | _targets(no)
        case Dispatch(samples=samples, collect=collect):
            return {*samples, collect}
        case Reraise():
            return set()
    return {END}


class _Path:
    """Chooses where a step goes on."""

    def __init__(self, steps: StepGraph, step: Step) -> None:
        self.steps, self.step = steps, step
        self.__name__ = f"after_{step.name}"

    def __call__(self, state: dict[str, Any]) -> Any:
        failed = state.get("failed")
        if failed:
            return failed["step"]
        return self._choose(self.step.exit, state)

    def _choose(self, exit_: Exit, state: dict[str, Any]) -> Any:
        match exit_:
            case Next(step=step):
                return step
            case Route(test=test, yes=yes, no=no):
                variables = {name: thaw(state[name]) for name in self.steps.variables if name in state}
                segment = Segment(self.steps.program, variables, dict(state.get("prompts") or {}))
                return self._choose(yes if _driven(segment.value(test)) else no, state)
            case Dispatch(collect=collect):
                return send_requests(state, collect)
        return END


def send_requests(state: Mapping[str, Any], collect: str) -> Any:
    """Returns a `Send` for each requested call, or the step that collects when there is none.

    Args:
        state: The state; ``requests`` has the calls.
        collect: Name of the step that collects the results.
    """
    feedback = state.get("feedback") or {
        "entry_point": state.get("entry_point", ""),
        "test_cases": state.get("test_cases") or [],
    }
    shared = {"feedback": feedback, "prompts": state.get("prompts") or {}}
    return [
        Send(item["step"], {**shared, **item["inputs"], "inputs": item["inputs"], "position": index})
        for index, item in enumerate(state.get("requests") or [])
    ] or collect


def _driven(work: Any) -> Any:
    """Runs a coroutine that waits for nothing."""
    try:
        while True:
            work.send(None)
    except StopIteration as end:
        return end.value


# --- work ---


async def _work(steps: StepGraph, step: Step, prompts: Mapping[str, str], operators: Operators, moment: Moment) -> None:
    """Interprets one step."""
    known = {**prompts, **moment.prompts}
    segment = Segment(
        steps.program,
        moment.variables,
        known,
        steps.nodes,
        operators.budget,
        operators.operators,
        f"{operators.seed}/{step_label(step.name)}",
    )
    try:
        if step is steps.entry:
            await _fill_in(steps, segment, moment)
        if step.caught:
            moment.variables[step.caught] = moment.error
        if step.kind == "collect":
            await _collect(step, segment, moment)
        await segment.run(step.before)
        if step.call is not None and step.site is not None and step.target is not None:
            inputs = await segment.inputs(step.call)
            outputs = await operators.perform(step.site.operator, inputs, moment.feedback, step_label(step.name))
            await segment.assign(step.target, outputs)
        await segment.run(step.after)
        if step.answer is not None:
            moment.answer, moment.answered = await segment.value(step.answer), True
        if step.requests is not None:
            moment.requests = await segment.requests(step.requests)
        if isinstance(step.exit, Reraise) and moment.error is not None:
            raise moment.error
    finally:
        moment.prompts = {name: known[name] for name in steps.prompts if name in known}
        moment.variables = {name: moment.variables[name] for name in steps.variables if name in moment.variables}
        moment.log = await segment.logged()


async def _fill_in(steps: StepGraph, segment: Segment, moment: Moment) -> None:
    """Gives parameters that the input left out their default."""
    for name in steps.parameters:
        if name not in moment.variables:
            default = steps.defaults.get(name)
            empty: Any = [] if name == "test_cases" else ""
            moment.variables[name] = empty if default is None else await segment.value(default)


async def _collect(step: Step, segment: Segment, moment: Moment) -> None:
    keep = step.keep is not None and bool(await segment.value(step.keep))
    for result in moment.results:
        if isinstance(result, Exception) and not keep:
            raise result
    if step.target is not None:
        await segment.assign(step.target, moment.results[0] if step.single else moment.results)
