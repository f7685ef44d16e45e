"""The rules that need no knowledge of control flow: admitted syntax, names, calls, arguments, prompts."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from flowreasoner.operators.spec import REQUIRED
from flowreasoner.text import did_you_mean, listing
from flowreasoner.workflow.diagnostics import Diagnostic
from flowreasoner.workflow.fstrings import template_fields
from flowreasoner.workflow.language import (
    BUILTINS,
    EXCEPTIONS,
    EXPRESSIONS,
    FORBIDDEN_NAMES,
    MAX_LOOPS,
    METHODS,
    MODULES,
    PARAMETERS,
    STATEMENTS,
)
from flowreasoner.workflow.program import is_cost, self_call

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from flowreasoner.operators.spec import Operator
    from flowreasoner.workflow.diagnostics import Severity
    from flowreasoner.workflow.program import Method, Program

__all__ = ["check_rules"]

_ALL_METHODS = frozenset().union(*METHODS.values())
_ENOUGH = 60
"""Findings after which checking stops: nobody reads more, and a hostile text could hold thousands."""

_PLACEHOLDER = re.compile(r"(?<![\w}\\{])\{([A-Za-z_]\w*)\}(?!\})")
_EXPRESSION_NAMES = {ast.NamedExpr: "the := operator", ast.Yield: "yield", ast.YieldFrom: "yield from"}
_STATEMENT_NAMES = {
    ast.FunctionDef: "a nested function",
    ast.AsyncFunctionDef: "a nested function",
    ast.ClassDef: "a nested class",
    ast.With: "with",
    ast.AsyncWith: "async with",
    ast.AsyncFor: "async for",
    ast.Global: "global",
    ast.Nonlocal: "nonlocal",
    ast.Raise: "raise",
    ast.Assert: "assert",
    ast.Delete: "del",
    ast.Match: "match",
}


def check_rules(
    program: Program,
    prompts: Mapping[str, str] | None,
    operators: Mapping[str, Operator],
    foreign: Mapping[str, str],
) -> list[Diagnostic]:
    """Checks each method of a program node by node.

    Args:
        program: The canonical program.
        prompts: Known prompt constants, or None when they are not known.
        operators: Operators that may be used, by class name.
        foreign: Origin of imported names that the language does not have.
    """
    rules = _Rules(program, prompts, operators, foreign)
    for method in program.methods:
        rules.check(method)
    return rules.found


class _Rules(ast.NodeVisitor):
    def __init__(
        self,
        program: Program,
        prompts: Mapping[str, str] | None,
        operators: Mapping[str, Operator],
        foreign: Mapping[str, str],
    ) -> None:
        self.program, self.prompts, self.operators, self.foreign = program, prompts, operators, foreign
        self.found: list[Diagnostic] = []
        self.locals: set[str] = set()
        self.loops = 0
        self.may_await = True
        self.written_prompts = {
            node.attr
            for method in program.methods
            for node in method.walk()
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and _is_prompts(node.value)
        }

    def check(self, method: Method) -> None:
        self.locals, self.may_await = set(method.parameters), method.is_async
        for node in method.walk():
            match node:
                case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name) | ast.ExceptHandler(name=str(name)):
                    self.locals.add(name)
        if method.name == "__call__":
            self._check_parameters(method)
        for statement in method.body:
            self.visit(statement)

    def _check_parameters(self, method: Method) -> None:
        for name in method.parameters:
            if name not in PARAMETERS and method.default_of(name) is None:
                message = f"a run cannot supply the parameter {name!r}; it supplies {listing(PARAMETERS)}"
                place = ast.Pass(lineno=method.line, col_offset=-1)
                self._error(place, "unknown-parameter", message, "give it a default or use one of those")

    def _error(self, node: ast.AST, code: str, message: str, remedy: str) -> None:
        self._add(node, code, "error", message, remedy)

    def _add(self, node: ast.AST, code: str, severity: Severity, message: str, remedy: str) -> None:
        line, column = getattr(node, "lineno", 0), getattr(node, "col_offset", -1) + 1
        self.found.append(Diagnostic(line, column, code, severity, message, remedy))

    # --- syntax ---

    def visit(self, node: ast.AST) -> None:
        if len(self.found) >= _ENOUGH:
            return
        if isinstance(node, ast.stmt) and not isinstance(node, STATEMENTS):
            name = _STATEMENT_NAMES.get(type(node), type(node).__name__)
            self._error(node, "forbidden-syntax", f"{name} is outside the workflow language", "write it without")
        elif isinstance(node, ast.expr) and not isinstance(node, EXPRESSIONS):
            name = _EXPRESSION_NAMES.get(type(node), type(node).__name__)
            self._error(node, "forbidden-syntax", f"{name} is outside the workflow language", "write it without")
        else:
            super().visit(node)

    def visit_For(self, node: ast.For) -> None:
        self._loop(node)

    def visit_While(self, node: ast.While) -> None:
        self._loop(node)

    def _loop(self, node: ast.For | ast.While) -> None:
        self.loops += 1
        if self.loops > MAX_LOOPS:
            self._error(node, "too-deep", f"loops nest more than {MAX_LOOPS} deep", "move the inner ones to a method")
        for part in (node.test,) if isinstance(node, ast.While) else (node.target, node.iter):
            self.visit(part)
        for statement in node.body:
            self.visit(statement)
        self.loops -= 1
        for statement in node.orelse:  # a break in there would leave a loop around this one
            self.visit(statement)

    def visit_Break(self, node: ast.Break) -> None:
        self._inside_loop(node)

    def visit_Continue(self, node: ast.Continue) -> None:
        self._inside_loop(node)

    def _inside_loop(self, node: ast.stmt) -> None:
        if not self.loops:
            word = type(node).__name__.lower()
            self._error(node, "syntax-error", f"{word!r} outside a loop", "remove it or put it into a loop")

    def visit_Try(self, node: ast.Try) -> None:
        for handler in node.handlers:
            if handler.type is not None:
                self._exception_types(handler.type)
        for part in (node.body, *(handler.body for handler in node.handlers), node.orelse, node.finalbody):
            for statement in part:
                self.visit(statement)

    def _exception_types(self, node: ast.expr) -> None:
        for kind in _each([node]):
            if not _is_exception(kind) and ast.unparse(kind) not in {"json.JSONDecodeError", "re.error"}:
                message = f"{ast.unparse(kind)!r} is no exception that a workflow can catch"
                self._error(kind, "undefined-name", message, "catch Exception instead")

    def visit_Await(self, node: ast.Await) -> None:
        if not self.may_await:
            message = "await is possible neither in a plain def, nor in a lambda or a generator expression"
            self._error(node, "syntax-error", message, "use async def, or a list comprehension")
        self.generic_visit(node)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        given = node.args
        if given.defaults or given.vararg or given.kwarg or given.kwonlyargs or given.posonlyargs:
            message = f"{ast.unparse(node)[:60]!r} has more than plain parameters, which is outside the language"
            self._error(node, "forbidden-syntax", message, "give a lambda plain parameters without defaults")
        self._without_await(node)

    def visit_GeneratorExp(self, node: ast.GeneratorExp) -> None:
        self._without_await(node)

    def _without_await(self, node: ast.expr) -> None:
        before, self.may_await = self.may_await, False
        self.generic_visit(node)
        self.may_await = before

    def visit_comprehension(self, node: ast.comprehension) -> None:
        if node.is_async:
            self._error(node.iter, "forbidden-syntax", "async for is outside the workflow language", "use a plain for")
        self.generic_visit(node)

    def visit_FormattedValue(self, node: ast.FormattedValue) -> None:
        if node.conversion == ord("a"):
            self._error(node, "forbidden-syntax", "!a is outside the workflow language", "use !r")
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, bytes | complex) or node.value is ...:
            what = type(node.value).__name__
            self._error(node, "forbidden-syntax", f"a {what} literal is outside the workflow language", "use a string")

    # --- names ---

    def visit_Name(self, node: ast.Name) -> None:
        name = node.id
        if name in {"self", "prompt_custom"} and name not in self.locals:
            self._error(node, "forbidden-name", f"{name!r} cannot be used as a value", "use one of its attributes")
        elif isinstance(node.ctx, ast.Store):
            if name.startswith("__") or name == "self":
                self._error(node, "forbidden-name", f"{name!r} cannot be assigned", "choose another name")
        elif name not in self.locals and name not in BUILTINS:
            self._unknown_name(node)

    def _unknown_name(self, node: ast.Name) -> None:
        name = node.id
        if name in FORBIDDEN_NAMES:
            self._error(node, "forbidden-name", f"{name!r} {FORBIDDEN_NAMES[name]}", "remove it")
        elif name in self.foreign:
            message = f"{name!r} is imported from {self.foreign[name]!r}, which is outside the language"
            self._error(node, "forbidden-import", message, f"workflows may import {listing(MODULES)}")
        elif name in MODULES or name in EXCEPTIONS:
            self._error(node, "forbidden-name", f"{name!r} cannot be used as a value", "call one of its functions")
        else:
            known = self.locals | BUILTINS | (self.prompts or {}).keys()
            message = f"the name {name!r} is not defined{did_you_mean(name, known)}"
            self._error(node, "undefined-name", message, f"define {name} before it is used")

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if is_cost(node):
            return
        if _is_prompts(node.value) and "prompt_custom" not in self.locals:
            self._prompt(node)
        elif node.attr.startswith("_"):
            message = f"the attribute {node.attr!r} is private"
            self._error(node, "forbidden-attribute", message, "workflows may not look inside objects")
        elif isinstance(node.value, ast.Name) and node.value.id == "self":
            self._self_attribute(node)
        elif isinstance(node.value, ast.Name) and node.value.id in MODULES and node.value.id not in self.locals:
            self._module_member(node)
        elif isinstance(node.ctx, ast.Store):
            self._error(node, "forbidden-attribute", f"{ast.unparse(node)!r} cannot be assigned", "use a variable")
        else:
            message = f"the attribute {node.attr!r} is outside the language: only methods can be called"
            self._error(node, "forbidden-attribute", message, "use a method of str, list, dict or set")

    def _self_attribute(self, node: ast.Attribute) -> None:
        if node.attr in self.program.bindings or node.attr in self.program.helpers:
            message = f"self.{node.attr} can only be called"
            self._error(node, "forbidden-attribute", message, f"write self.{node.attr}(...)")
            return
        known = [*self.program.bindings, *self.program.helpers]
        message = f"self.{node.attr} is no operator, method or constant{did_you_mean(node.attr, known)}"
        if isinstance(node.ctx, ast.Store):
            message = f"self.{node.attr} cannot be assigned: a workflow has no state but its local variables"
        self._error(node, "undefined-attribute", message, "use a local variable; __init__ may set constants only")

    def _module_member(self, node: ast.Attribute) -> None:
        module = node.value.id if isinstance(node.value, ast.Name) else ""
        if node.attr not in MODULES[module]:
            message = f"{module}.{node.attr} is outside the language{did_you_mean(node.attr, MODULES[module])}"
            self._error(node, "unknown-function", message, f"{module} offers {listing(MODULES[module])}")

    # --- prompts ---

    def _prompt(self, node: ast.Attribute) -> None:
        if isinstance(node.ctx, ast.Store):
            return
        if self.prompts is None:
            message = f"prompt_custom.{node.attr} cannot be checked: no prompts were given"
            self._add(node, "prompts-missing", "warning", message, "give the prompt module with the workflow")
        elif node.attr not in self.prompts and node.attr not in self.written_prompts:
            message = f"prompt_custom.{node.attr} is not defined{did_you_mean(node.attr, self.prompts)}"
            self._error(node, "undefined-prompt", message, f"add {node.attr} to the prompts")

    def _check_placeholders(self, node: ast.expr) -> None:
        """Warns of a prompt with a ``{placeholder}`` that is passed on as it is."""
        if not (isinstance(node, ast.Attribute) and _is_prompts(node.value) and self.prompts):
            return
        names = _PLACEHOLDER.findall(self.prompts.get(node.attr, ""))
        if names:
            message = f"prompt_custom.{node.attr} has the placeholder {{{names[0]}}}, which is never filled"
            remedy = f"fill it with .format({names[0]}=...), or put the value into the input"
            self._add(node, "unfilled-placeholder", "warning", message, remedy)

    # --- calls ---

    def visit_Call(self, node: ast.Call) -> None:
        name = self_call(node)
        if name:
            self._self_call(node, name)
        elif isinstance(node.func, ast.Attribute):
            self._method_call(node.func)
        elif isinstance(node.func, ast.Name):
            self.visit(node.func)
        else:
            self._error(
                node, "forbidden-syntax", f"{ast.unparse(node.func)[:60]!r} cannot be called", "call a function by name"
            )
        arguments = [*node.args, *(keyword.value for keyword in node.keywords)]
        if isinstance(node.func, ast.Name) and node.func.id == "isinstance":
            arguments = [*arguments[:1], *(kind for kind in _each(arguments[1:]) if not _is_exception(kind))]
        for argument in arguments:
            self._check_placeholders(argument)
            if not self._is_key_function(argument):
                self.visit(argument)

    def _is_key_function(self, node: ast.expr) -> bool:
        """Tells whether an argument names a function, as in ``key=len`` or ``map(str, xs)``."""
        return isinstance(node, ast.Name) and node.id in BUILTINS and node.id not in self.locals

    def _method_call(self, node: ast.Attribute) -> None:
        if isinstance(node.value, ast.Name) and node.value.id in MODULES and node.value.id not in self.locals:
            self._module_member(node)
        elif node.attr.startswith("_"):
            self._error(node, "forbidden-attribute", f"the method {node.attr!r} is private", "remove it")
        elif node.attr not in _ALL_METHODS:
            message = f"the method {node.attr!r} is outside the language{did_you_mean(node.attr, _ALL_METHODS)}"
            self._error(node, "unknown-function", message, "use a method of str, list, dict or set")
            self.visit(node.value)
        else:
            if node.attr == "format" and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
                self._template(node, node.value.value)
            self.visit(node.value)

    def _template(self, node: ast.AST, text: str) -> None:
        """Refuses format templates that reach into objects, such as ``"{0.__class__}"``."""
        try:
            fields = template_fields(text)
        except ValueError as error:
            self._error(node, "bad-format", f"the format template is malformed: {error}", "double literal braces")
            return
        for name in fields:
            if "." in name or "[_" in name:
                message = f"the format field {{{name}}} reaches into an object"
                self._error(node, "forbidden-attribute", message, "pass the value itself to format")

    def _self_call(self, node: ast.Call, name: str) -> None:
        if name in self.program.bindings:
            operator = self.operators.get(self.program.bindings[name])
            if operator is None:
                self._unknown_operator(node, self.program.bindings[name])
            else:
                self._arguments(node, operator)
        elif name not in self.program.helpers:
            attributes = [operator.attribute for operator in self.operators.values()]
            message = f"self.{name} is neither an operator nor a method{did_you_mean(name, attributes)}"
            self._error(node, "unknown-operator", message, f"operators are {listing(attributes)}")

    def _unknown_operator(self, node: ast.AST, name: str) -> None:
        message = f"there is no operator {name!r}{did_you_mean(name, self.operators)}"
        self._error(node, "unknown-operator", message, f"operators are {listing(self.operators)}")

    def _arguments(self, node: ast.Call, operator: Operator) -> None:
        names = [item.name for item in operator.inputs]
        given = [keyword.arg for keyword in node.keywords]
        if node.args or None in given:
            message = f"the arguments of {operator.name} must be named, without * or **"
            self._error(node, "unknown-argument", message, f"write {operator.interface()}")
            return
        for keyword in node.keywords:
            if keyword.arg not in names:
                message = f"{operator.name} has no argument {keyword.arg!r}{did_you_mean(str(keyword.arg), names)}"
                self._error(keyword.value, "unknown-argument", message, f"its interface is {operator.interface()}")
        for item in operator.inputs:
            if item.default is REQUIRED and item.name not in given:
                message = f"{operator.name} is called without {item.name!r}"
                self._error(node, "missing-argument", message, f"its interface is {operator.interface()}")


def _each(nodes: Iterable[ast.expr]) -> list[ast.expr]:
    """Returns expressions, and the elements of those that are tuples."""
    return [part for node in nodes for part in (node.elts if isinstance(node, ast.Tuple) else [node])]


def _is_exception(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id in EXCEPTIONS


def _is_prompts(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and node.id == "prompt_custom"
