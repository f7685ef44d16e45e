"""Turns a program into the class that AFlow expects: what it returns, is called with, and does to its prompts."""

from __future__ import annotations

import ast
import copy
from dataclasses import replace
from typing import TYPE_CHECKING

from flowreasoner.workflow.program import COST, is_cost, self_call

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from flowreasoner.workflow.program import Method, Program

__all__ = ["native_program"]

_AFLOW_COST = "self.llm.get_usage_summary()['total_cost']"
_DEFAULTS = {"entry_point": "''", "test_cases": "()"}


def native_program(program: Program, prompts: Mapping[str, str], *, aflow_cost: bool = False) -> Program:
    """Returns the program as AFlow runs it, equal in what it calls and answers.

    Every return gives the answer and its cost; arguments that AFlow may leave out have defaults; operators get the
    arguments that have a default only here; prompts that are rewritten are the call's own.

    Args:
        program: A checked program.
        prompts: The constants of its prompt module.
        aflow_cost: Ask for the cost in the AFlow repository's way, not MetaGPT's.
    """
    cost = _AFLOW_COST if aflow_cost else COST
    entry = _with_defaults(_rewritten(program.entry, _Native(program, cost, returns=True)))
    helpers = {
        name: _rewritten(method, _Native(program, cost, returns=False)) for name, method in program.helpers.items()
    }
    return replace(program, entry=_with_own_prompts(entry, helpers.values(), prompts), helpers=helpers)


def _rewritten(method: Method, change: ast.NodeTransformer) -> Method:
    return replace(method, body=tuple(change.visit(copy.deepcopy(statement)) for statement in method.body))


class _Native(ast.NodeTransformer):
    def __init__(self, program: Program, cost: str, *, returns: bool) -> None:
        self.program, self.cost, self.returns = program, cost, returns

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        return self._cost() if is_cost(node) else self._visited(node)

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        if self.program.bindings.get(self_call(node)) == "ScEnsemble" and all(
            word.arg != "problem" for word in node.keywords
        ):
            node.keywords.append(ast.keyword("problem", ast.Constant("")))
        return node

    def visit_Return(self, node: ast.Return) -> ast.Return:
        self.generic_visit(node)
        if self.returns and node.value is not None and not isinstance(node.value, ast.Tuple):
            node.value = ast.Tuple([node.value, self._cost()], ast.Load())
        return node

    def _visited(self, node: ast.Attribute) -> ast.expr:
        self.generic_visit(node)
        return node

    def _cost(self) -> ast.expr:
        return ast.parse(self.cost, mode="eval").body


def _with_defaults(entry: Method) -> Method:
    """Gives every parameter after the first a default: AFlow calls some graphs with the problem alone."""
    later = entry.parameters[1:]
    given = [entry.default_of(name) for name in later]
    defaults = [
        default if default is not None else ast.parse(_DEFAULTS.get(name, "''"), mode="eval").body
        for name, default in zip(later, given, strict=True)
    ]
    return replace(entry, defaults=tuple(defaults))


# --- prompts that a workflow rewrites --------------------------------------------------------------------


def _constant(node: ast.AST) -> str:
    """Returns ``NAME`` for ``prompt_custom.NAME``, else an empty string."""
    match node:
        case ast.Attribute(value=ast.Name(id="prompt_custom"), attr=name):
            return name
    return ""


def _stored(method: Method) -> set[str]:
    stores = [node for node in method.walk() if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)]
    return {_constant(node) for node in stores} - {""}


def _with_own_prompts(entry: Method, helpers: Iterable[Method], prompts: Mapping[str, str]) -> Method:
    """Keeps what a workflow writes into its prompts from later calls, which share the prompt module.

    Constants that only the entry touches become its local variables, so that calls at the same time do not mix.
    Those that helpers touch as well are set to their text when a call begins, which serves one call at a time.
    """
    helpers = list(helpers)
    written = _stored(entry).union(*(_stored(helper) for helper in helpers))
    elsewhere = {_constant(node) for helper in helpers for node in helper.walk()}
    taken = {node.id for node in entry.walk() if isinstance(node, ast.Name)} | set(entry.parameters)
    local = {name: _fresh(name.lower(), taken) for name in sorted(written - elsewhere)}
    body: list[ast.stmt] = [_Localised(local).visit(statement) for statement in entry.body]
    starts = [
        f"{variable} = {f'prompt_custom.{name}' if name in prompts else repr('')}" for name, variable in local.items()
    ]
    starts += [f"prompt_custom.{name} = {prompts[name]!r}" for name in sorted(written & elsewhere) if name in prompts]
    return replace(entry, body=(*(ast.parse(line).body[0] for line in starts), *body))


def _fresh(wanted: str, taken: set[str]) -> str:
    name = f"{wanted}_prompt"
    while name in taken:
        name += "_"
    taken.add(name)
    return name


class _Localised(ast.NodeTransformer):
    def __init__(self, names: Mapping[str, str]) -> None:
        self.names = names

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        name = self.names.get(_constant(node))
        if name is not None:
            return ast.copy_location(ast.Name(name, node.ctx), node)
        self.generic_visit(node)
        return node
