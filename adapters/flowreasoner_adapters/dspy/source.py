"""Writes a workflow as a DSPy module in Python, for a user to keep and edit."""

from __future__ import annotations

import ast
import copy
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import dspy

from flowreasoner.lowering import flatten, parallelise
from flowreasoner.lowering.cost import without_cost
from flowreasoner.lowering.names import without_names
from flowreasoner.lowering.parallel import rewritten_prompts
from flowreasoner.operators import BUILTIN
from flowreasoner.workflow.fstrings import portable
from flowreasoner.workflow.language import BUILTINS, EXCEPTIONS, MODULES
from flowreasoner.workflow.printer import print_prompts
from flowreasoner.workflow.program import self_call
from flowreasoner.workflow.unparse import unparse
from flowreasoner_adapters.dspy.program import WorkflowModule, instructions_of
from flowreasoner_adapters.printing import double_quoted, indented, statement, without_unused, wrapped

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
_OURS = ("LMError", "OperatorPredict", "WorkflowModule", "answering")
_RESERVED = {"Any", "Workflow", "dspy", "prompts", "settings", *_OURS}
_SHORT = 40
"""Longest prompt, in characters, that is written where it is used."""

_ALLOWED = {
    "E501": r"^.{121,}$",
    "E711": r"[!=]= None\b",
    "E712": r"[!=]= (?:True|False)\b",
    "E731": r"^ *\w+ = lambda\b",
    "E741": r"\b[lOI] (?:=|in)\b|\b[lOI] = ",
}
"""What ruff would say of a workflow's own style, which is kept; by code, how to find it."""


def source(workflow: Workflow, operators: Mapping[str, Operator] = BUILTIN) -> str:
    """Returns the module.

    Args:
        workflow: A checked workflow.
        operators: Operators by class name.

    Raises:
        WorkflowInvalid: If DSPy cannot express it.
    """
    workflow = _with_named_prompts(_with_free_prompts(workflow))
    lowered = parallelise(flatten(without_cost(workflow.program)), operators)
    lowered = without_names(lowered, _RESERVED | workflow.prompts.keys())
    sites = instructions_of(workflow)
    code = _Code(workflow, {site.name: prompt is not None for site, (prompt, _) in sites.items()})
    methods = [code.method(method) for method in lowered.methods]
    body = "\n\n".join([_init(workflow, sites), *methods])
    text = f'class Workflow(WorkflowModule):\n    """The workflow, with a predictor per operator call."""\n\n{body}'
    text = double_quoted(_head(workflow, text) + "\n\n\n" + text + "\n")
    allowed = [code for code, pattern in _ALLOWED.items() if re.search(pattern, text, re.MULTILINE)]
    return f"# ruff: noqa: {', '.join(allowed)}\n{text}" if allowed else text


def _with_free_prompts(workflow: Workflow) -> Workflow:
    """Returns the workflow with prompts under names that a module has no other use for."""
    taken = _RESERVED | BUILTINS | EXCEPTIONS | MODULES.keys()
    names = {name: f"{name}_PROMPT" for name in workflow.prompts if name in taken}
    if not names:
        return workflow
    program = workflow.program
    entry, *helpers = (
        replace(method, body=tuple(_Renaming(names).visit(copy.deepcopy(item)) for item in method.body))
        for method in program.methods
    )
    program = replace(program, entry=entry, helpers={method.name: method for method in helpers}, origin=program)
    return replace(
        workflow, program=program, prompts={names.get(name, name): text for name, text in workflow.prompts.items()}
    )


def _with_named_prompts(workflow: Workflow) -> Workflow:
    """Returns the workflow with a constant for each long prompt that is written in a call."""
    named = dict(workflow.prompts)
    for site, (prompt, _) in instructions_of(workflow).items():
        name = f"{site.name.upper()}_PROMPT"
        if prompt is not None and len(prompt) > _SHORT and prompt not in named.values() and name not in named:
            named[name] = prompt
    return replace(workflow, prompts=named)


class _Renaming(ast.NodeTransformer):
    """Renames prompts."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self.names = names

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        match node:
            case ast.Attribute(value=ast.Name(id="prompt_custom"), attr=name):
                node.attr = self.names.get(name, name)
        return self.generic_visit(node)


def _head(workflow: Workflow, text: str) -> str:
    words = set(re.findall(r"\w+", text))
    imports = [f"import {name}" for name in sorted(MODULES) if re.search(rf"\b{name}\.", text)]
    ours = f"from flowreasoner_adapters.dspy import {', '.join(name for name in _OURS if name in words)}"
    prompts = print_prompts({name: prompt for name, prompt in workflow.prompts.items() if name in words}).rstrip()
    imports.append("from typing import Any")
    return "\n\n".join([_HEADER, "\n".join(imports), ours, *([prompts] if prompts else [])])


def _init(workflow: Workflow, sites: Mapping[CallSite, tuple[str | None, list[str]]]) -> str:
    """Returns the constructor: a predictor per call site, its prompt by name where it has one."""
    names = {text: name for name, text in list(workflow.prompts.items())[::-1]}
    lines = ["    def __init__(self, **settings: Any) -> None:", "        super().__init__(**settings)"]
    for site, (prompt, inputs) in sites.items():
        told = "" if prompt is None else f", {names.get(prompt, repr(prompt))}"
        given = f", inputs={inputs!r}"
        lines += wrapped(f"        self.{site.name} = OperatorPredict({site.operator!r}{told}{given})")
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
        taken = {*dir(dspy.Module), *dir(WorkflowModule), *vars(WorkflowModule()), *fixed}
        self.helpers = {name: f"{name}_helper" if name in taken else name for name in workflow.program.helpers}

    def method(self, method: Method) -> str:
        """Returns the source of a method."""
        is_entry = method.name == "__call__"
        plain = len(method.parameters) - len(method.defaults)
        parameters = ["self"] if is_entry or not self.rewritten else ["self", "prompts"]
        for index, name in enumerate(method.parameters):
            default = f"={unparse(method.defaults[index - plain])}" if index >= plain else ""
            parameters.append(name + default)
        body = [self.visit(copy.deepcopy(item)) for item in method.body]
        name = "aforward" if is_entry else self.helpers.get(method.name, method.name)
        header = f"{'async ' * method.is_async}def {name}({', '.join(parameters)}):"
        lines = ["    @answering"] * is_entry + [f"    {header}"]
        text = indented(without_unused(body), 8)
        if is_entry and self.rewritten and re.search(r"\bprompts\b", "\n".join(text)):
            known = ", ".join(f"{name!r}: {name}" for name in sorted(self.rewritten) if name in self.workflow.prompts)
            lines += wrapped(f"        prompts = {{{known}}}")
        return "\n".join([*lines, *text])

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
        elif name:
            assert isinstance(changed.func, ast.Attribute)  # noqa: S101 - a call of self.name
            changed.func.attr = self.helpers.get(name, name)
            changed.args = [ast.Name("prompts", ast.Load())] * bool(self.rewritten) + changed.args
        return changed

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
        """Writes f-strings so that every Python can read them, and as plain strings where they hold nothing."""
        self.generic_visit(node)
        if not any(isinstance(part, ast.FormattedValue) for part in node.values):
            text = "".join(str(part.value) for part in node.values if isinstance(part, ast.Constant))
            return ast.copy_location(ast.Constant(text), node)
        return portable(node)

    def visit_Try(self, node: ast.Try) -> ast.AST:
        """Lets pass what the LM itself raises: it is no fault of the workflow, so none that it may catch."""
        self.generic_visit(node)
        if any(item.type is None or "Exception" in ast.unparse(item.type) for item in node.handlers):
            passing = statement("try:\n    pass\nexcept LMError:\n    raise")
            assert isinstance(passing, ast.Try)  # noqa: S101 - it is written here
            node.handlers = [*passing.handlers, *node.handlers]
        return node
