"""Writes a workflow as a Python module that builds its LangGraph graph, for a user to keep and edit."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flowreasoner.lowering import Dispatch, Exit, Finish, Next, Route, Step, StepGraph, destinations, step_graph
from flowreasoner.operators import BUILTIN
from flowreasoner.workflow.language import BUILTINS, MODULES
from flowreasoner.workflow.printer import print_prompts
from flowreasoner_adapters.langgraph.code import Code
from flowreasoner_adapters.langgraph.run import OWN_KEYS
from flowreasoner_adapters.langgraph.schema import OUTPUTS, RESULTS, input_fields, state_fields
from flowreasoner_adapters.printing import double_quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from flowreasoner.operators import Operator
    from flowreasoner.workflow import Method, Workflow

__all__ = ["source"]

_BUILT_WITH = ("Run", "Steps", "WorkflowGraph", "collected", "path", "send_back", "send_requests")
_OWN_NAMES = {*_BUILT_WITH, *"Annotated Any END START TypedDict build graph model run settings state steps".split()}

_HEADER = '''\
"""A LangGraph state graph, written by FlowReasoner from a workflow. It is yours to edit.

    from langchain.chat_models import init_chat_model
    from workflow import build

    app = build(init_chat_model("openai:gpt-4o-mini")).compile()
    print(app.invoke({"problem": "...", "entry_point": "..."})["answer"])

`build` also takes `sandbox`, `tests`, `retry_policy` and what else `flowreasoner_adapters.langgraph.Operators` has.
"""
'''


def source(workflow: Workflow, operators: Mapping[str, Operator] = BUILTIN) -> str:
    """Returns the module.

    Args:
        workflow: A checked workflow.
        operators: Operators by class name.

    Raises:
        WorkflowInvalid: If no graph can express it.
    """
    steps = step_graph(workflow.program, operators, reserved=OWN_KEYS | {"state", "run", "steps", "graph", "build"})
    module = _Module(workflow, steps, operators)
    parts = [*module.helpers(), *module.graph(steps, "build")]
    return double_quoted("\n\n\n".join([module.head(parts), *parts]) + "\n")


class _Module:
    """The parts of one module; `graphs` are its graph and subgraphs with the prefix of their names."""

    def __init__(self, workflow: Workflow, steps: StepGraph, operators: Mapping[str, Operator]) -> None:
        self.workflow, self.steps, self.operators = workflow, steps, operators
        self.constants = _constants(steps, workflow.prompts)

    def code(self, steps: StepGraph) -> Code:
        return Code(steps, self.operators, self.constants)

    # --- module ---

    def head(self, parts: list[str]) -> str:
        """Returns docstring, imports and prompts."""
        words = set().union(*map(_needed, ast.parse("\n".join(parts)).body))
        known = [name for name in MODULES if name != "asyncio" and name in words]
        standard = [f"import {name}" for name in sorted(known)]
        typing = [name for name in ("Annotated", "Any") if name in words]
        standard += [f"from typing import {', '.join(typing)}"] if typing else []
        ends = ", ".join(name for name in ("END", "START") if name in words)
        built = "".join(f"    {name},\n" for name in _BUILT_WITH if name in words)
        third = [f"from flowreasoner_adapters.langgraph import (\n{built})", f"from langgraph.graph import {ends}"]
        third += ["from typing_extensions import TypedDict"]
        blocks = ["\n".join(lines) for lines in (standard, third) if lines]
        prompts = {self.constants[name]: text for name, text in self.workflow.prompts.items()}
        prompts = {name: text for name, text in prompts.items() if name in words}
        return "\n\n".join([_HEADER.rstrip(), *blocks, *([print_prompts(prompts).rstrip()] if prompts else [])])

    def helpers(self) -> Iterator[str]:
        """Yields the synchronous helper methods, as functions."""
        for method in self.steps.program.helpers.values():
            if not method.is_async:
                yield self.code(self.steps).helper(method)

    # --- graphs ---

    def graph(self, steps: StepGraph, name: str) -> Iterator[str]:
        """Yields schema, nodes, choices and builder of a graph, its subgraphs first."""
        for step in steps.steps.values():
            if step.graph is not None:
                yield from self.graph(step.graph, f"build_{step.name}")
        inner = name != "build"
        prefix = "".join(part.capitalize() for part in name.removeprefix("build").split("_"))
        yield from self._schemas(steps, prefix, inner=inner)
        code = self.code(steps)
        for step in steps.steps.values():
            if step.kind not in {"sample", "subgraph"}:
                yield code.node(step, f"{prefix}State")
                if isinstance(step.exit, Route):
                    yield code.choice(step, f"{prefix}State")
        yield self._builder(steps, name, prefix, inner=inner)

    def _schemas(self, steps: StepGraph, prefix: str, *, inner: bool) -> Iterator[str]:
        if inner:
            yield _schema(f"{prefix}Results", "What the graph gives.", RESULTS)
        else:
            yield _schema("Input", "What the graph takes.", input_fields(steps))
            yield _schema("Output", "What the graph gives.", OUTPUTS)
        about = "The workflow's variables, and what the graph itself keeps."
        yield _schema(f"{prefix}State", about, state_fields(steps, inner=inner))

    def _builder(self, steps: StepGraph, name: str, prefix: str, *, inner: bool) -> str:
        schemas = f"output_schema={prefix}Results" if inner else "input_schema=Input, output_schema=Output"
        prompts = ", ".join(f"{name!r}: {self.constants[name]}" for name in steps.prompts if name in self.constants)
        settings = f", prompts={{{prompts}}}" if steps.prompts else ""
        settings += ", shared=True" * steps.shared + ", subgraph=True" * inner + ", guarded=True" * steps.guarded
        if inner:
            head = f'def {name}(model: Any) -> WorkflowGraph:\n    """Returns the graph of one round."""\n'
            head += f"    steps = Steps(model{settings})\n"
        else:
            head = (
                f"def {name}(model: Any, **settings: Any) -> WorkflowGraph:\n"
                '    """Returns the graph, to be compiled with your own checkpointer, cache and interrupts."""\n'
                f"    steps = Steps(model{settings}, **settings)\n"
            )
        lines = [f"graph = WorkflowGraph({prefix}State, most_steps={steps.most_steps}, {schemas})"]
        lines += [
            _add(step, start=step is steps.entry and not inner, collect=steps.returns_to(step))
            for step in steps.steps.values()
        ]
        lines.append(f"graph.add_edge(START, {steps.entry.name!r})")
        lines += [_way_back(*item) for item in steps.collectors().items()]
        for step in steps.steps.values():
            if step.kind not in {"sample", "subgraph"}:
                lines += _edges(step, guarded=steps.guarded)
        return head + "\n".join(f"    {line}" for line in [*lines, "return graph"])


def _needed(part: ast.stmt) -> set[str]:
    """Returns the names that a function or class takes from its module."""
    names = [node for node in ast.walk(part) if isinstance(node, ast.Name)]
    return {node.id for node in names} - {node.id for node in names if isinstance(node.ctx, ast.Store)}


def _constants(steps: StepGraph, prompts: Mapping[str, str]) -> dict[str, str]:
    """Returns a name in the module for each prompt; functions, variables and imports keep theirs."""
    methods = steps.program.helpers.values()
    taken = {*_OWN_NAMES, *BUILTINS, *MODULES, *(method.name for method in methods)} | set(_names(methods))
    waiting = [steps]
    while waiting:
        graph = waiting.pop()
        taken |= {*graph.steps, *graph.variables, *(f"after_{name}" for name in graph.steps)}
        for step in graph.steps.values():
            taken |= {part.id for item in step.expressions() for part in ast.walk(item) if isinstance(part, ast.Name)}
            waiting += [step.graph] if step.graph is not None else []
    constants: dict[str, str] = {}
    for name in prompts:
        wish = constant = name if name.isupper() else f"{name}_prompt".upper()
        number = 1
        while constant in taken:
            number += 1
            constant = f"{wish}_{number}"
        constants[name] = constant
        taken.add(constant)
    return constants


def _names(methods: Iterable[Method]) -> Iterator[str]:
    for method in methods:
        yield from method.parameters
        yield from (node.id for node in method.walk() if isinstance(node, ast.Name))


def _schema(name: str, text: str, fields: Mapping[str, str]) -> str:
    lines = "\n".join(f"    {key}: {kind}" for key, kind in fields.items())
    return f'class {name}(TypedDict, total=False):\n    """{text}"""\n\n{lines}'


def _way_back(sample: str, collectors: list[str]) -> str:
    if len(collectors) == 1:
        return f"graph.add_edge({sample!r}, {collectors[0]!r})"
    return f"graph.add_conditional_edges({sample!r}, send_back, {collectors})"


def _add(step: Step, *, start: bool, collect: str) -> str:
    if step.graph is not None:
        node = f"build_{step.name}(steps.operators).compile()"
        return f"graph.add_node({step.name!r}, {node}, metadata={{'line': {step.line}}})"
    if step.kind == "sample" and step.site is not None:
        guarded = ", guarded=True" if step.guarded else ""
        return f"steps.add_sample(graph, {step.name!r}, {step.site.operator!r}, line={step.line}{guarded})"
    operator = f", operator={step.site.operator!r}" if step.site else ""
    handlers = ", ".join(f"{item.step!r}: {list(item.exceptions)}" for item in step.handlers)
    on_error = f", on_error={{{handlers}}}" if handlers else ""
    begins = (", start=True" if start else "") + (f", collect={collect!r}" if collect else "")
    return f"steps.add(graph, {step.name}, line={step.line}{operator}{begins}{on_error})"


def _edges(step: Step, *, guarded: bool) -> list[str]:
    may_fail = bool(step.handlers) or guarded
    ends = {"END"} if guarded else set()
    targets = sorted(_targets(step.exit) | {repr(handler.step) for handler in step.handlers} | ends)
    match step.exit:
        case Dispatch(collect=collect):
            chosen = f"send_requests({collect!r})"
        case Route():
            chosen = f"path(after_{step.name})"
        case Next() | Finish() if may_fail:
            chosen = f"path({next(iter(_targets(step.exit)))})"
        case Next(step=following):
            return [f"graph.add_edge({step.name!r}, {following!r})"]
        case Finish():
            return [f"graph.add_edge({step.name!r}, END)"]
        case _:
            chosen = "path(END)"
    if not targets:
        return []
    return [f"graph.add_conditional_edges({step.name!r}, {chosen}, [{', '.join(targets)}])"]


def _targets(exit_: Exit) -> set[str]:
    return {"END" if target is None else repr(target) for target in destinations(exit_)}
