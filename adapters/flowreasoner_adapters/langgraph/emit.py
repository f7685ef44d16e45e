"""Makes a `StateGraph` of a workflow: a node per operator call, its statements interpreted, never executed."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from langgraph.graph import END, START

from flowreasoner.engine import Segment
from flowreasoner.lowering import (
    Dispatch,
    Exit,
    Finish,
    Next,
    Reraise,
    Route,
    Step,
    StepGraph,
    destinations,
    step_graph,
)
from flowreasoner_adapters.langgraph.building import WorkflowGraph, send_back, send_requests
from flowreasoner_adapters.langgraph.run import OWN_KEYS, Run, label_of
from flowreasoner_adapters.langgraph.schema import OUTPUTS, RESULTS, input_fields, live_schema, state_fields
from flowreasoner_adapters.langgraph.steps import Node, SampleNode
from flowreasoner_adapters.langgraph.values import thaw_variables

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flowreasoner.workflow import Workflow
    from flowreasoner_adapters.langgraph.operators import Operators

__all__ = ["emit"]


def emit(workflow: Workflow, operators: Operators) -> WorkflowGraph:
    """Returns a workflow as a state graph, to be compiled with the user's own checkpointer, cache and interrupts.

    Args:
        workflow: A checked workflow.
        operators: What its nodes work with.

    Raises:
        WorkflowInvalid: If no graph can express it.
    """
    steps = step_graph(workflow.program, operators.operators, reserved=OWN_KEYS)
    return _graph(steps, workflow.prompts, operators)


def _graph(steps: StepGraph, prompts: Mapping[str, str], operators: Operators, *, inner: bool = False) -> WorkflowGraph:
    schemas = {"output_schema": live_schema("Results", RESULTS)}
    if not inner:
        schemas = {
            "input_schema": live_schema("Input", input_fields(steps)),
            "output_schema": live_schema("Output", OUTPUTS),
        }
    state = live_schema("State", state_fields(steps, inner=inner))
    graph = WorkflowGraph(state, most_steps=steps.most_steps, **schemas)
    for step in steps.steps.values():
        _add(graph, steps, step, prompts, operators, inner=inner)
    graph.add_edge(START, steps.entry.name)
    for sample, collectors in steps.collectors().items():
        if len(collectors) == 1:
            graph.add_edge(sample, collectors[0])
        else:
            graph.add_conditional_edges(sample, send_back, collectors)
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
        node = Node(
            step.name,
            partial(_work, steps, step),
            operators,
            handlers=step.handlers,
            prompts=prompts,
            rewritten=steps.prompts,
            shared=steps.shared,
            subgraph=inner,
            guarded=steps.guarded,
            start=step is steps.entry and not inner,
            collect=steps.returns_to(step),
            retry_policy=policies.get("retry_policy"),
        )
    graph.add_node(step.name, node, metadata=metadata, **policies)
    if step.kind not in {"sample", "subgraph"}:
        _connect(graph, steps, step, prompts)


# --- edges ---


def _connect(graph: WorkflowGraph, steps: StepGraph, step: Step, prompts: Mapping[str, str]) -> None:
    targets = {target or END for target in destinations(step.exit)} | {handler.step for handler in step.handlers}
    targets |= {END} if steps.guarded else set()
    may_fail = bool(step.handlers) or steps.guarded
    if not may_fail and isinstance(step.exit, Next):
        graph.add_edge(step.name, step.exit.step)
    elif not may_fail and isinstance(step.exit, Finish):
        graph.add_edge(step.name, END)
    elif targets:
        graph.add_conditional_edges(step.name, _edge(steps, step, prompts), sorted(targets))


def _edge(steps: StepGraph, step: Step, prompts: Mapping[str, str]) -> Any:
    """Returns the function that chooses where a step goes on."""

    def choose(exit_: Exit, state: dict[str, Any]) -> Any:
        match exit_:
            case Next(step=following):
                return following
            case Route(test=test, yes=yes, no=no):
                variables = thaw_variables(state, steps.variables)
                segment = Segment(steps.program, variables, {**prompts, **(state.get("prompts") or {})})
                return choose(yes if _driven(segment.value(test)) else no, state)
            case Dispatch(collect=collect):
                return send_requests(collect)(state)
        return END

    def after(state: dict[str, Any]) -> Any:
        failed = state.get("failed")
        return failed["step"] if failed else choose(step.exit, state)

    after.__name__ = f"after_{step.name}"
    return after


def _driven(work: Any) -> Any:
    """Runs a coroutine that waits for nothing."""
    try:
        while True:
            work.send(None)
    except StopIteration as end:
        return end.value


# --- work ---


async def _work(steps: StepGraph, step: Step, run: Run) -> None:
    """Interprets one step."""
    operators = run.operators
    seed = f"{operators.seed}/{label_of(step.name, run.feedback)}"
    segment = Segment(
        steps.program, run.variables, run.prompts, steps.nodes, operators.budget, operators.operators, seed
    )
    try:
        await _interpret(steps, step, segment, run)
    finally:
        run.variables = {name: run.variables[name] for name in steps.variables if name in run.variables}
        run.lines = await segment.logged()


async def _interpret(steps: StepGraph, step: Step, segment: Segment, run: Run) -> None:
    if step is steps.entry:
        await _fill_in(steps, segment, run)
    if step.caught:
        run.variables[step.caught] = run.error
    if step.kind == "collect" and step.target is not None:
        keep = step.keep is not None and bool(await segment.value(step.keep))
        results = run.collected(keep_errors=keep)
        await segment.assign(step.target, results[0] if step.single else results)
    await segment.run(step.before)
    if step.call is not None and step.site is not None and step.target is not None:
        outputs = await run.perform(step.site.operator, await segment.inputs(step.call))
        await segment.assign(step.target, outputs)
    await segment.run(step.after)
    if step.answer is not None:
        run.finish(await segment.value(step.answer))
    if step.requests is not None:
        run.requests = await segment.requests(step.requests)
    if isinstance(step.exit, Reraise) and run.error is not None:
        raise run.error


async def _fill_in(steps: StepGraph, segment: Segment, run: Run) -> None:
    """Gives parameters that the input left out their default."""
    for name in steps.parameters:
        if name not in run.variables:
            default = steps.defaults.get(name)
            empty: Any = [] if name == "test_cases" else ""
            run.variables[name] = empty if default is None else await segment.value(default)
