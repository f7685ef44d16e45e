"""A checked workflow as data: its operators, methods and prompts (the paper's S = {A, W}, §3)."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from flowreasoner.workflow.diagnostics import Diagnostic

__all__ = ["COST", "CallSite", "Method", "Program", "Workflow", "is_cost", "names_cost", "self_call"]

COST = "self.llm.cost_manager.total_cost"
"""The expression for the money spent so far, in canonical source."""


@dataclass(frozen=True, eq=False)
class Method:
    """One method of a workflow class.

    Attributes:
        name: Its name; ``__call__`` for the entry.
        parameters: Names after ``self``, in order.
        defaults: Default expressions of the last parameters.
        body: Canonical statements. Read-only by convention; nodes keep the lines of the given text.
        is_async: Whether it is declared ``async def``.
        line: Line of its header in the given text.
    """

    name: str
    parameters: tuple[str, ...]
    defaults: tuple[ast.expr, ...]
    body: tuple[ast.stmt, ...]
    is_async: bool = True
    line: int = 0

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Method) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    @cached_property
    def _key(self) -> tuple[object, ...]:
        trees = tuple(ast.dump(node) for node in (*self.defaults, *self.body))
        return (self.name, self.parameters, len(self.defaults), trees, self.is_async)

    def default_of(self, parameter: str) -> ast.expr | None:
        """Returns the default expression of a parameter, or None when it has none."""
        index = self.parameters.index(parameter) - (len(self.parameters) - len(self.defaults))
        return self.defaults[index] if index >= 0 else None

    def walk(self) -> Iterator[ast.AST]:
        """Yields every node of the body."""
        for statement in self.body:
            yield from ast.walk(statement)


@dataclass(frozen=True)
class CallSite:
    """One place in the source where an operator is called.

    Attributes:
        attribute: Attribute it is called by.
        operator: Operator class name.
        line: Line in the given text, 1-based.
        column: Column in that line, 0-based.
        name: Unique in the program: the attribute and a number, e.g. ``custom_1``.
    """

    attribute: str
    operator: str
    line: int
    column: int = 0
    name: str = ""


@dataclass(frozen=True)
class Program:
    """The code of a workflow, checked and in canonical form.

    Attributes:
        bindings: Operator class name by attribute, e.g. ``{"sc_ensemble": "ScEnsemble"}``.
        entry: The method that a run calls.
        helpers: Further methods by name.
        origin: The program that this one was lowered from, whose call sites it shares.
    """

    bindings: Mapping[str, str]
    entry: Method
    helpers: Mapping[str, Method] = field(default_factory=dict)
    origin: Program | None = field(default=None, compare=False, repr=False)

    @property
    def methods(self) -> tuple[Method, ...]:
        """The entry method and the helpers."""
        return (self.entry, *self.helpers.values())

    @cached_property
    def sites(self) -> tuple[CallSite, ...]:
        """Every operator call site, method by method in source order."""
        if self.origin is not None:
            return self.origin.sites
        found = []
        for method in self.methods:
            calls = [node for node in method.walk() if isinstance(node, ast.Call) and self_call(node) in self.bindings]
            found += sorted({(node.lineno, node.col_offset, self_call(node)) for node in calls})
        names = _site_names([attribute for _, _, attribute in found])
        return tuple(
            CallSite(attribute, self.bindings[attribute], line, column, name)
            for (line, column, attribute), name in zip(found, names, strict=True)
        )

    @cached_property
    def _sites_by_place(self) -> Mapping[tuple[int, int, str], CallSite]:
        return {(site.line, site.column, site.attribute): site for site in self.sites}

    def site_of(self, call: ast.Call) -> CallSite:
        """Returns the site of an operator call of the program, or of a copy of it with its place."""
        return self._sites_by_place[call.lineno, call.col_offset, self_call(call)]


def _site_names(attributes: Sequence[str]) -> list[str]:
    """Returns a telling and unique name for each call of an attribute: ``custom_1``, ``custom_2``, ``test_1``."""
    names: list[str] = []
    for attribute in attributes:
        number = 1
        while f"{attribute}_{number}" in names:
            number += 1
        names.append(f"{attribute}_{number}")
    return names


@dataclass(frozen=True)
class Workflow:
    """A multi-agent system: a program that passed the checker, with its prompts.

    Equal to another when program and prompts are; the text it came from does not count.

    Attributes:
        program: The code.
        prompts: The ``prompt_custom`` constants by name.
        diagnostics: Warnings that travel with it.
        repairs: What was repaired, as sentences.
        given: The text it was read from.
    """

    program: Program
    prompts: Mapping[str, str] = field(default_factory=dict)
    diagnostics: tuple[Diagnostic, ...] = field(default=(), compare=False)
    repairs: tuple[str, ...] = field(default=(), compare=False)
    given: str = field(default="", compare=False, repr=False)

    @cached_property
    def source(self) -> str:
        """Canonical source of the class; parsing it gives an equal workflow."""
        from flowreasoner.workflow.printer import print_program

        return print_program(self.program)

    @cached_property
    def prompt_source(self) -> str:
        """Canonical source of the prompt constants."""
        from flowreasoner.workflow.printer import print_prompts

        return print_prompts(self.prompts)

    @classmethod
    def parse(cls, source: str, prompts: Mapping[str, str] | str | None = None) -> Workflow:
        """Reads and checks a workflow.

        Args:
            source: Text of the class, as a model wrote it or a file holds it.
            prompts: Prompt constants, or the source of a prompt module; ``None`` when there is none.

        Raises:
            WorkflowInvalid: With all diagnostics, if it has an error.
        """
        from flowreasoner.errors import WorkflowInvalid
        from flowreasoner.workflow.check import check

        report = check(source, prompts)
        if report.workflow is None:
            raise WorkflowInvalid(report.diagnostics)
        return report.workflow


def self_call(node: ast.AST) -> str:
    """Returns ``name`` for a call ``self.name(...)``, else an empty string."""
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id="self"), attr=name)):
            return name
    return ""


def is_cost(node: ast.AST) -> bool:
    """Tells whether a node is the canonical cost expression."""
    return isinstance(node, ast.Attribute) and node.attr == "total_cost" and ast.unparse(node) == COST


def names_cost(node: ast.AST) -> bool:
    """Tells whether an expression asks the model object for the money spent, in any framework's way."""
    match node:
        case ast.Attribute(attr="total_cost", value=inner):
            pass
        case ast.Subscript(slice=ast.Constant(value="total_cost"), value=inner):
            pass
        case ast.Call(func=ast.Attribute(attr="get", value=inner), args=[ast.Constant(value="total_cost"), *_]):
            pass
        case ast.Call(func=ast.Attribute(attr="get_total_cost", value=inner)):
            pass
        case _:
            return False
    while isinstance(inner, ast.Attribute | ast.Call):
        if isinstance(inner, ast.Attribute) and isinstance(inner.value, ast.Name):
            return inner.value.id == "self"
        inner = inner.value if isinstance(inner, ast.Attribute) else inner.func
    return False
