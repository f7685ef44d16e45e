"""Writes a workflow's statements as the body of a LangGraph node: its variables become entries of the state."""

from __future__ import annotations

import ast
import copy
from typing import TYPE_CHECKING

from flowreasoner.lowering import Exit, Finish, Next, Reraise, Route, Step, StepGraph
from flowreasoner.workflow.fstrings import portable
from flowreasoner.workflow.program import self_call
from flowreasoner.workflow.unparse import unparse
from flowreasoner_adapters.printing import indented, statement, without_unused

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from flowreasoner.operators import Operator
    from flowreasoner.workflow import Method

__all__ = ["Code"]

_GOES_TO = "goes_to"
_Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


class Code(ast.NodeTransformer):
    """Writes the code of one graph's nodes.

    Args:
        steps: The graph.
        operators: Operators by class name.
        constants: Names of the module's constants, by prompt.
    """

    def __init__(self, steps: StepGraph, operators: Mapping[str, Operator], constants: Mapping[str, str]) -> None:
        self.steps, self.operators, self.constants = steps, operators, constants
        self.inner: list[set[str]] = []
        self.in_helper = False
        for step in steps.steps.values():
            for part in (part for item in step.expressions() for part in ast.walk(item)):
                if id(part) in steps.nodes:
                    setattr(part, _GOES_TO, steps.nodes[id(part)])  # kept by copies

    # --- functions ---

    def node(self, step: Step, state: str) -> str:
        """Returns the function of a node."""
        lines = [f"async def {step.name}(state: {state}, run: Run) -> None:", f'    """{_about(step)}"""']
        body = list(self._body(step))
        kept = [item for item in without_unused(body) if not isinstance(item, ast.Pass)]
        return "\n".join([*lines, *indented(kept)])

    def choice(self, step: Step, state: str) -> str:
        """Returns the function that chooses where a node goes on."""
        lines = [f"def after_{step.name}(state: {state}) -> str:", f'    """Chooses what comes after {step.name}."""']
        return "\n".join([*lines, *self._choice(step.exit, 1)])

    def helper(self, method: Method) -> str:
        """Returns a synchronous helper method as a function."""
        self.in_helper = True
        self.inner.append({*method.parameters} | _stored(method.body))
        plain = len(method.parameters) - len(method.defaults)
        parameters = ["prompts"] if self._takes_prompts(method) else []
        for index, name in enumerate(method.parameters):
            default = f"={unparse(method.defaults[index - plain])}" if index >= plain else ""
            parameters.append(name + default)
        body = [self.visit(copy.deepcopy(item)) for item in method.body]
        self.inner.pop()
        self.in_helper = False
        return "\n".join([f"def {method.name}({', '.join(parameters)}):", *indented(body)])

    def _takes_prompts(self, method: Method) -> bool:
        """Tells whether a helper, or one that it calls, uses a prompt that the workflow rewrites."""
        helpers = self.steps.program.helpers
        seen: set[str] = set()
        waiting = [method]
        while waiting:
            for node in waiting.pop().walk():
                match node:
                    case ast.Attribute(value=ast.Name(id="prompt_custom"), attr=name) if name in self.steps.prompts:
                        return True
                if self_call(node) in helpers.keys() - seen:
                    seen.add(self_call(node))
                    waiting.append(helpers[self_call(node)])
        return False

    def _body(self, step: Step) -> Iterable[ast.stmt]:
        if step is self.steps.entry:
            yield from self._defaults()
        if step.caught:
            yield statement(f"{self._target(step.caught)} = run.error")
        if step.kind == "collect" and step.target is not None:
            keep = ""
            if step.keep is not None:
                plain = isinstance(step.keep, ast.Constant) and isinstance(step.keep.value, bool)
                keep = f"keep_errors={self.text(step.keep)}" if plain else f"keep_errors=bool({self.text(step.keep)})"
            value = f"run.collected({keep})" + "[0]" * step.single
            yield statement(f"{self.text(step.target)} = {value}")
        for item in step.before:
            yield self.visit(copy.deepcopy(item))
        if step.call is not None and step.site is not None and step.target is not None:
            yield statement(f"{self.text(step.target)} = await {self._operator(step)}")
        for item in step.after:
            yield self.visit(copy.deepcopy(item))
        if step.answer is not None:
            yield statement(f"run.finish({self.text(step.answer)})")
        if step.requests is not None:
            yield statement(f"run.send({', '.join(map(self.text, step.requests))})")
        if isinstance(step.exit, Reraise):
            yield statement("raise run.error")

    def _defaults(self) -> Iterable[ast.stmt]:
        for name in self.steps.parameters:
            default = self.steps.defaults.get(name)
            empty = "[]" if name == "test_cases" else "''"
            value = empty if default is None else self.text(default)
            yield statement(f"state.setdefault({name!r}, {value})")

    def _operator(self, step: Step) -> str:
        assert step.call is not None and step.site is not None  # noqa: S101, PT018 - a call's step
        operator = self.operators[step.site.operator]
        inputs = ", ".join(f"{item.arg}={self.text(item.value)}" for item in step.call.keywords)
        return f"run.{operator.attribute}({inputs})"

    def _choice(self, exit_: Exit, depth: int) -> list[str]:
        indent = "    " * depth
        match exit_:
            case Next(step=step):
                return [f"{indent}return {step!r}"]
            case Finish():
                return [f"{indent}return END"]
            case Route(test=test, yes=yes, no=no):
                return [f"{indent}if {self.text(test)}:", *self._choice(yes, depth + 1), *self._choice(no, depth)]
        raise AssertionError(exit_)

    # --- expressions ---

    def text(self, node: ast.expr) -> str:
        """Returns an expression as source over the state."""
        changed: ast.AST = self.visit(copy.deepcopy(node))
        return unparse(changed)

    def _target(self, name: str) -> str:
        return f"state[{name!r}]" if self._is_state(name) else name

    def _is_state(self, name: str) -> bool:
        return name in self.steps.variables and not self.in_helper and not any(name in names for names in self.inner)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        """Writes a variable of the state as an entry of it."""
        if not self._is_state(node.id):
            return node
        return ast.Subscript(ast.Name("state", ast.Load()), ast.Constant(node.id), node.ctx)

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        """Writes prompts as constants of the module, rewritten ones as entries of the run's own."""
        match node:
            case ast.Attribute(value=ast.Name(id="prompt_custom"), attr=name) if name in self.steps.prompts:
                owner = ast.Name("prompts", ast.Load()) if self.in_helper else _run("prompts")
                return ast.Subscript(owner, ast.Constant(name), node.ctx)
            case ast.Attribute(value=ast.Name(id="prompt_custom"), attr=name):
                return ast.Name(self.constants.get(name, name), ast.Load())
        return self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """Writes calls that are not awaited as requests, helpers as functions."""
        name, program = self_call(node), self.steps.program
        method = program.helpers.get(name)
        if name in program.bindings:
            keywords = [ast.keyword(item.arg, self.visit(item.value)) for item in node.keywords]
            return ast.Call(_run("request"), [ast.Constant(getattr(node, _GOES_TO))], keywords)
        if method is not None and method.is_async:
            given = [ast.keyword(*pair) for pair in zip(method.parameters, map(self.visit, node.args), strict=False)]
            given += [ast.keyword(item.arg, self.visit(item.value)) for item in node.keywords]
            return ast.Call(_run("request"), [ast.Constant(getattr(node, _GOES_TO))], given)
        changed = self.generic_visit(node)
        assert isinstance(changed, ast.Call)  # noqa: S101 - it was one
        if method is not None:
            prompts: list[ast.expr] = [ast.Name("prompts", ast.Load()) if self.in_helper else _run("prompts")]
            changed.func = ast.Name(name, ast.Load())
            changed.args = prompts * self._takes_prompts(method) + changed.args
        elif isinstance(node.func, ast.Name) and node.func.id == "print" and not self.in_helper:
            changed.func = _run("log")
        return changed

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
        """Keeps f-strings printable on every supported Python."""
        return portable(self.generic_visit(node))

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        """Leaves the parameters of a lambda as they are."""
        self.inner.append({item.arg for item in node.args.args})
        node.body = self.visit(node.body)
        self.inner.pop()
        return node

    def _comprehension(self, node: _Comprehension) -> ast.AST:
        node.generators[0].iter = self.visit(node.generators[0].iter)
        self.inner.append({name for generator in node.generators for name in _stored([generator.target])})
        for index, generator in enumerate(node.generators):
            if index:
                generator.iter = self.visit(generator.iter)
            generator.ifs = [self.visit(item) for item in generator.ifs]
        if isinstance(node, ast.DictComp):
            node.key, node.value = self.visit(node.key), self.visit(node.value)
        else:
            node.elt = self.visit(node.elt)
        self.inner.pop()
        return node

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _comprehension  # noqa: N815

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.AST:
        """Stores a caught error that outlives its step."""
        name = node.name
        self.generic_visit(node)
        if name and self._is_state(name):
            node.body.insert(0, statement(f"state[{name!r}] = {name}"))
        return node


def _about(step: Step) -> str:
    if step.site is not None:
        return f"Performs {step.site.operator}; line {step.site.line} of the workflow."
    return {
        "collect": "Collects the results of the calls before it.",
        "step": f"Prepares what comes next; line {step.line} of the workflow."
        if step.answer is None
        else f"Gives the answer; line {step.line} of the workflow.",
    }[step.kind]


def _run(attribute: str) -> ast.Attribute:
    return ast.Attribute(ast.Name("run", ast.Load()), attribute, ast.Load())


def _stored(nodes: Iterable[ast.AST]) -> set[str]:
    return {
        part.id
        for node in nodes
        for part in ast.walk(node)
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)
    }
