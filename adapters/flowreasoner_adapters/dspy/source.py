"""Writes a workflow as a DSPy module in Python, for a user to keep and edit."""

from __future__ import annotations

import ast
import copy
import re
from typing import TYPE_CHECKING

from flowreasoner.lowering import flatten, parallelise
from flowreasoner.lowering.cost import without_cost
from flowreasoner.lowering.names import without_names
from flowreasoner.lowering.parallel import rewritten_prompts
from flowreasoner.operators import BUILTIN
from flowreasoner.workflow.language import MODULES
from flowreasoner.workflow.printer import print_prompts
from flowreasoner.workflow.program import self_call
from flowreasoner.workflow.unparse import unparse
from flowreasoner_adapters.dspy.program import instructions_of
from flowreasoner_adapters.printing import indented, without_unused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flowreasoner.operators import Operator
    from flowreasoner.workflow import CallSite, Method, Workflow

__all__ = ["source"]

_HEADER = '''\
"""A DSPy program, written by FlowReasoner from a workflow. It is yours to edit.

    import dspy
    from workflow import Workflow

    dspy.configure(lm=dspy.LM("openai/gpt-4o-mini"))
    print(Workflow()(problem="...", entry_point="...").answer)

`Workflow` also takes `sandbox`, `tests` and `seed`.
"""'''
_RESERVED = {"dspy", "prompts", "OperatorPredict", "WorkflowModule", "answering", "Workflow", "settings"}


def source(workflow: Workflow, operators: Mapping[str, Operator] = BUILTIN) -> str:
    """Returns the module.

    Args:
        workflow: A checked workflow.
        operators: Operators by class name.

    Raises:
        WorkflowInvalid: If DSPy cannot express it.
    """
    lowered = parallelise(flatten(without_cost(workflow.program)), operators)
    lowered = without_names(lowered, _RESERVED | workflow.prompts.keys())
    sites = instructions_of(workflow)
    code = _Code(workflow, {site.name: prompt is not None for site, (prompt, _) in sites.items()})
    methods = [code.method(method) for method in lowered.methods]
    body = "\n\n".join([_init(workflow, sites), *methods])
    text = f'class Workflow(WorkflowModule):\n    """The workflow, with a predictor per operator call."""\n\n{body}'
    return _head(workflow, text) + "\n\n\n" + text + "\n"


def _head(workflow: Workflow, text: str) -> str:
    words = set(re.findall(r"\w+", text))
    imports = [f"import {name}" for name in sorted(MODULES) if f"{name}." in text]
    typing = "from typing import Any"
    ours = "from flowreasoner_adapters.dspy import OperatorPredict, WorkflowModule, answering"
    prompts = print_prompts({name: prompt for name, prompt in workflow.prompts.items() if name in words}).rstrip()
    return "\n\n".join([_HEADER, "\n".join([*imports, typing]), ours, *([prompts] if prompts else [])])


def _init(workflow: Workflow, sites: Mapping[CallSite, tuple[str | None, list[str]]]) -> str:
    """Returns the constructor: a predictor per call site, its prompt by name where it has one."""
    names = {text: name for name, text in list(workflow.prompts.items())[::-1]}
    lines = ["    def __init__(self, **settings: Any) -> None:", "        super().__init__(**settings)"]
    for site, (prompt, inputs) in sites.items():
        told = "" if prompt is None else f", {names.get(prompt, repr(prompt))}"
        given = f", inputs={inputs!r}"
        lines.append(f"        self.{site.name} = OperatorPredict({site.operator!r}{told}{given})")
    return "\n".join(lines)


class _Code(ast.NodeTransformer):
    """Writes methods: calls of operators become calls of predictors.

    Args:
        workflow: The workflow.
        fixed: By site, whether the prompt is the predictor's own.
    """

    def __init__(self, workflow: Workflow, fixed: Mapping[str, bool]) -> None:
        self.workflow, self.fixed = workflow, fixed
        self.rewritten = rewritten_prompts(workflow.program)

    def method(self, method: Method) -> str:
        """Returns the source of a method."""
        is_entry = method.name == "__call__"
        plain = len(method.parameters) - len(method.defaults)
        parameters = ["self"] if is_entry or not self.rewritten else ["self", "prompts"]
        for index, name in enumerate(method.parameters):
            default = f"={unparse(method.defaults[index - plain])}" if index >= plain else ""
            parameters.append(name + default)
        body = [self.visit(copy.deepcopy(item)) for item in method.body]
        header = f"{'async ' * method.is_async}def {'aforward' if is_entry else method.name}({', '.join(parameters)}):"
        lines = ["    @answering"] * is_entry + [f"    {header}"]
        if is_entry and self.rewritten:
            known = ", ".join(f"{name!r}: {name}" for name in sorted(self.rewritten) if name in self.workflow.prompts)
            lines.append(f"        prompts = {{{known}}}")
        return "\n".join([*lines, *indented(without_unused(body), 8)])

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        """Writes prompts as constants of the module, rewritten ones as entries of the run's own."""
        match node:
            case ast.Attribute(value=ast.Name(id="prompt_custom"), attr=name) if name in self.rewritten:
                return ast.Subscript(ast.Name("prompts", ast.Load()), ast.Constant(name), node.ctx)
            case ast.Attribute(value=ast.Name(id="prompt_custom"), attr=name):
                return ast.Name(name, ast.Load())
        return self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """Writes a call of an operator as one of its site's predictor."""
        program, name = self.workflow.program, self_call(node)
        changed = self.generic_visit(node)
        assert isinstance(changed, ast.Call) and isinstance(changed, ast.AST)  # noqa: S101, PT018 - it was one
        if name in program.bindings:
            site = program.site_of(node).name
            owner = ast.Attribute(ast.Name("self", ast.Load()), site, ast.Load())
            changed.func = ast.Attribute(owner, "run", ast.Load())
            kept = [item for item in changed.keywords if item.arg != "instruction" or not self.fixed[site]]
            changed.keywords = kept
        elif name and self.rewritten:
            changed.args = [ast.Name("prompts", ast.Load()), *changed.args]
        return changed
