"""Brings a workflow's methods into canonical form, so that checker, engine and backends know only one.

Operator arguments become keywords, ScoreFlow's implicit problem becomes explicit, inline operator
constructors become bindings, constants set in ``__init__`` are put in place, the many spellings of "money
spent so far" become one, and logging becomes `print`. Nodes keep their place in the given text.
"""

from __future__ import annotations

import ast
import copy
from typing import TYPE_CHECKING

from flowreasoner.operators.spec import REQUIRED
from flowreasoner.workflow.callbacks import name_callbacks
from flowreasoner.workflow.constants import CHANGING, check_default, only_read
from flowreasoner.workflow.fstrings import portable
from flowreasoner.workflow.language import BUILTINS, EXCEPTIONS, LOG_METHODS, LOGGERS, MODULES, PARAMETERS
from flowreasoner.workflow.program import COST, Method, names_cost, self_call
from flowreasoner.workflow.scoreflow import SCOREFLOW, awaited_calls, fill_arguments, supply, texts_of
from flowreasoner.workflow.structure import operator_class, unwrap_repeated, without_docstring

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flowreasoner.operators.spec import Operator
    from flowreasoner.workflow.structure import FunctionNode, Structure

__all__ = ["normalise_method", "used_bindings"]


def normalise_method(
    node: FunctionNode, found: Structure, operators: Mapping[str, Operator], prompts: Mapping[str, str] | None
) -> Method:
    """Returns the canonical form of one method.

    Args:
        node: The method as parsed.
        found: The workflow's parts; bindings, repairs and problems are added to it.
        operators: Known operators by class name.
        prompts: The prompt constants, if known.
    """
    node = unwrap_repeated(node, found)
    is_entry = found.entry is not None and node.name == found.entry.name
    static = any(isinstance(item, ast.Name) and item.id == "staticmethod" for item in node.decorator_list)
    in_class = bool(node.args.args) and node.args.args[0].arg == "self" and not static
    names = [argument.arg for argument in node.args.args[in_class:]] + [a.arg for a in node.args.kwonlyargs]
    defaults = [*node.args.defaults, *(default for default in node.args.kw_defaults if default is not None)]
    _drop_catch_all(node, found, is_entry=is_entry)
    canonical = _Canonical(node, names, found, operators, prompts)
    body = canonical.block(without_docstring(node.body))
    if is_entry:
        names, defaults = _entry_parameters(names, defaults, canonical.needed, found)
    defaults = [check_default(canonical.visit(default), found) for default in defaults]
    trees = [ast.fix_missing_locations(statement) for statement in body]
    return Method(
        "__call__" if is_entry else node.name,
        tuple(names),
        tuple(defaults),
        tuple(trees),
        is_entry or isinstance(node, ast.AsyncFunctionDef),
        node.lineno,
    )


def used_bindings(found: Structure, methods: Sequence[Method]) -> dict[str, str]:
    """Returns the operator bindings that the methods use, under our operators' names."""
    used = {self_call(node) for method in methods for node in method.walk()}
    names = {theirs: ours.operator for theirs, ours in SCOREFLOW.items()} if found.scoreflow else {}
    return {attribute: names.get(name, name) for attribute, name in found.bindings.items() if attribute in used}


def _drop_catch_all(node: FunctionNode, found: Structure, *, is_entry: bool) -> None:
    """Drops an unused ``**kwargs`` of the entry method; any other such parameter is refused."""
    extra = node.args.kwarg
    used = {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}
    if extra is not None and is_entry and extra.arg not in used and not node.args.vararg:
        found.repairs.append(f"the unused parameter **{extra.arg} removed")
    elif extra is not None or node.args.vararg or node.args.posonlyargs:
        found.refuse(node, "forbidden-syntax", "only plain parameters are in the language", "name each parameter")
    elif node.args.defaults and None in node.args.kw_defaults:
        message = f"{node.name} has a parameter without a default after one with a default"
        found.refuse(node, "forbidden-syntax", message, "put the parameters without a default first")


def _entry_parameters(
    names: list[str], defaults: list[ast.expr], needed: set[str], found: Structure
) -> tuple[list[str], list[ast.expr]]:
    """Adds the standard parameters that the body uses without declaring them."""
    missing = [name for name in PARAMETERS if name in needed and name not in names]
    if not found.scoreflow:
        found.repairs.extend(f"the parameter {name!r} is used but was not declared; added" for name in missing)
    required = names[: len(names) - len(defaults)]
    optional = names[len(names) - len(defaults) :]
    if found.scoreflow and not required and not missing:
        missing = ["problem"]
    return [*required, *missing, *optional], defaults


class _Canonical(ast.NodeTransformer):
    """Rewrites one method; `needed` collects the standard parameters that it uses undeclared."""

    def __init__(
        self,
        method: FunctionNode,
        parameters: Sequence[str],
        found: Structure,
        operators: Mapping[str, Operator],
        prompts: Mapping[str, str] | None,
    ) -> None:
        self.found, self.operators = found, operators
        self.prompts = prompts or {}
        self.attributes = {item.attribute: name for name, item in operators.items() if item.attribute}
        self.attributes["code_generate"] = "CustomCodeGenerate"
        self.needed: set[str] = set()
        self.local_operators: dict[str, str] = {}
        self.awaited: set[int] = set()
        self.locals = set(parameters)
        self.only_read: set[int] = set()
        for node in ast.walk(method):
            self.only_read.update(map(id, only_read(node, found.helpers)))
            if isinstance(node, ast.Import | ast.ImportFrom):
                found.take_import(node)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                self.locals.add(node.id)
            elif isinstance(node, ast.ExceptHandler) and node.name:
                self.locals.add(node.name)
            elif isinstance(node, ast.arg):
                self.locals.add(node.arg)
        self.locals.discard("self")

    # --- statements ---

    def block(self, statements: Sequence[ast.stmt]) -> list[ast.stmt]:
        """Returns a block's canonical statements, never empty."""
        result: list[ast.stmt] = []
        for statement in statements:
            changed = self.visit(statement)
            if isinstance(changed, list):
                result.extend(changed)
            elif changed is not None:
                result.append(changed)
        if result:
            return result
        return [ast.copy_location(ast.Pass(), statements[0])] if statements else []

    def generic_visit(self, node: ast.AST) -> ast.AST:
        for name, value in ast.iter_fields(node):
            if isinstance(value, list) and value and all(isinstance(item, ast.stmt) for item in value):
                setattr(node, name, self.block(value))
            elif isinstance(value, list):
                setattr(node, name, [self.visit(item) if isinstance(item, ast.AST) else item for item in value])
            elif isinstance(value, ast.AST):
                setattr(node, name, self.visit(value))
        return node

    def visit_Import(self, _: ast.Import) -> None:
        return None

    def visit_ImportFrom(self, _: ast.ImportFrom) -> None:
        return None

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        if node.value is None:
            return None
        return self.visit_Assign(ast.copy_location(ast.Assign([node.target], node.value), node))

    def visit_Assign(self, node: ast.Assign) -> ast.AST | None:
        match node.targets:
            case [ast.Name(id=name)]:
                bound = operator_class(node.value, self.found.imports, self.operators)
                if bound is not None and not self._is_step(node.value, bound):
                    self.local_operators[name] = self._bind(bound)
                    return None
        return self.generic_visit(node)

    # --- names and attributes ---

    def visit_Name(self, node: ast.Name) -> ast.AST:
        name = node.id
        if name in self.locals or name == "self":
            return node
        if name in self.found.imports.modules:
            return ast.copy_location(ast.Name(self.found.imports.modules[name], node.ctx), node)
        if name in self.found.imports.prompts:
            return ast.copy_location(ast.Name("prompt_custom", node.ctx), node)
        if name in self.found.imports.prompt_names:
            return self._prompt(self.found.imports.prompt_names[name], node)
        if name in self.found.globals and isinstance(node.ctx, ast.Load):
            self._refuse_alias(self.found.globals[name], node)
            return self._placed(self.found.globals[name], node)
        if name in self.found.imports.members:
            module, member = self.found.imports.members[name]
            return ast.copy_location(ast.Attribute(ast.Name(module, ast.Load()), member, ast.Load()), node)
        if name in PARAMETERS:
            self.needed.add(name)
        elif name in MODULES:
            self.found.repairs.append(f"the missing 'import {name}' added")
            self.found.imports.modules[name] = name
        elif name in self.prompts and name not in BUILTINS | EXCEPTIONS:
            self.found.repairs.append(f"{name} written as prompt_custom.{name}")
            return self._prompt(name, node)
        return node

    def _prompt(self, name: str, node: ast.AST) -> ast.AST:
        return ast.copy_location(ast.Attribute(ast.Name("prompt_custom", ast.Load()), name, ast.Load()), node)

    def _placed(self, literal: ast.expr, node: ast.AST) -> ast.expr:
        """Returns a constant to stand where its name stood."""
        size = sum(1 for _ in ast.walk(literal))
        if size > self.found.room:
            message = "the constants, put where they are used, would make the workflow too long"
            self.found.refuse(node, "too-large", message, "use them in fewer places")
            self.found.room = 0
            return ast.copy_location(ast.Constant(None), node)
        self.found.room -= size
        placed = copy.deepcopy(literal)
        for part in ast.walk(placed):
            ast.copy_location(part, node)
        return placed

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        if names_cost(node):
            return self._cost(node)
        match node.value:
            case ast.Name(id="self") if node.attr in self.found.constants and isinstance(node.ctx, ast.Load):
                self._refuse_alias(self.found.constants[node.attr], node)
                return self._placed(self.found.constants[node.attr], node)
            case ast.Name(id="self") if self.found.scoreflow and node.attr in {"problem", "entry_point"}:
                self.needed.add(node.attr)
                return ast.copy_location(ast.Name(node.attr, node.ctx), node)
        return self.generic_visit(node)

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        if names_cost(node):
            return self._cost(node)
        if isinstance(node.ctx, ast.Store):
            self._refuse_change(node.value)
        return self.generic_visit(node)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
        return portable(self.generic_visit(node))

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        node.kind = None
        return node

    def _refuse_alias(self, literal: ast.expr, node: ast.expr) -> None:
        """Refuses to hand a list or dictionary on to where it may be changed: each use has a value of its own."""
        if isinstance(literal, ast.List | ast.Dict | ast.Set) and id(node) not in self.only_read:
            message = f"{ast.unparse(node)} is a constant, which must not be changed, and here it could be"
            self.found.refuse(node, "forbidden-attribute", message, f"copy it: list({ast.unparse(node)})")

    def _refuse_change(self, target: ast.expr) -> None:
        """Refuses to change a constant: as its value is put in place, the change would be lost."""
        match target:
            case ast.Attribute(value=ast.Name(id="self"), attr=name) if name in self.found.constants:
                name = f"self.{name}"
            case ast.Name(id=name) if name in self.found.globals and name not in self.locals:
                pass
            case _:
                return
        self.only_read.add(id(target))  # one finding is enough
        message = f"{name} is a constant and cannot be changed: a workflow has no state but its local variables"
        self.found.refuse(target, "forbidden-attribute", message, "copy it into a local variable first")

    def _cost(self, node: ast.AST) -> ast.AST:
        cost = ast.parse(COST, mode="eval").body
        for part in ast.walk(cost):
            ast.copy_location(part, node)
        return cost

    # --- calls ---

    def visit_Await(self, node: ast.Await) -> ast.AST:
        calls = awaited_calls(node) if self.found.scoreflow else []
        keys = {SCOREFLOW[name].key if (name := self._called(call)) in SCOREFLOW else "" for call in calls}
        if len(keys) != 1 or keys == {""}:
            return self.generic_visit(node)
        self.awaited.update(map(id, calls))
        self.generic_visit(node)
        return texts_of(node, keys.pop())

    def visit_Call(self, node: ast.Call) -> ast.AST:
        if names_cost(node):
            return self._cost(node)
        match node.func:
            case ast.Attribute(value=ast.Name(id=module), attr=method) if (
                module in LOGGERS and method in LOG_METHODS and module not in self.locals
            ):
                node.func = ast.copy_location(ast.Name("print", ast.Load()), node)
                node.keywords = []
            case ast.Name(id=name) if name in self.found.helpers and name not in self.locals:
                node.func = self._self(name, node)
            case ast.Attribute(value=target, attr=method) if method in CHANGING:
                self._refuse_change(target)
        name_callbacks(node)
        operator = self._called(node)
        if operator is None:
            return self.generic_visit(node)
        if self.found.scoreflow and operator in SCOREFLOW and id(node) not in self.awaited:
            message = f"the call of {operator} is not awaited where it is made"
            self.found.refuse(node, "missing-await", message, "write await before the call")
        self._name_operator(node, operator)
        self._fill_arguments(node, operator)
        return self.generic_visit(node)

    def _called(self, node: ast.AST) -> str | None:
        """Returns the operator class that a call runs, in any of the spellings in use."""
        if not isinstance(node, ast.Call):
            return None
        match node.func:
            case ast.Attribute(value=ast.Name(id="self"), attr=attribute):
                if attribute in self.found.helpers:
                    return None
                return self.found.bindings.get(attribute) or self.attributes.get(attribute)
            case ast.Name(id=name) if name in self.local_operators:
                return self.found.bindings[self.local_operators[name]]
        bound = operator_class(node.func, self.found.imports, self.operators)
        if bound is not None:
            return bound
        bound = operator_class(node, self.found.imports, self.operators)
        return bound if bound is not None and self._is_step(node, bound) else None

    def _is_step(self, node: ast.AST, operator: str) -> bool:
        """Tells whether ``operator.Name(...)`` is given the step's arguments instead of a model."""
        known = self.operators.get(operator)
        names = {item.name for item in known.inputs} if known else set()
        return isinstance(node, ast.Call) and any(keyword.arg in names for keyword in node.keywords)

    def _name_operator(self, node: ast.Call, operator: str) -> None:
        """Makes the call ``self.attribute(...)`` with a bound attribute."""
        match node.func:
            case ast.Attribute(value=ast.Name(id="self"), attr=attribute):
                if attribute not in self.found.bindings:
                    self.found.bindings[attribute] = operator
                    if self.found.has_init:
                        self.found.repairs.append(
                            f"self.{attribute} is used but not set in __init__; bound to {operator}"
                        )
            case ast.Name(id=name) if name in self.local_operators:
                node.func = self._self(self.local_operators[name], node)
            case _:
                node.func = self._self(self._bind(operator), node)
                self.found.repairs.append(f"the inline operator.{operator} moved to __init__")

    def _bind(self, operator: str) -> str:
        for attribute, bound in self.found.bindings.items():
            if bound == operator:
                return attribute
        known = self.operators.get(operator)
        attribute = known.attribute if known else operator.lower()
        while attribute in self.found.bindings or attribute in self.found.helpers:
            attribute += "_"
        self.found.bindings[attribute] = operator
        return attribute

    def _self(self, attribute: str, node: ast.AST) -> ast.Attribute:
        target = ast.Attribute(ast.Name("self", ast.Load()), attribute, ast.Load())
        return ast.fix_missing_locations(ast.copy_location(target, node))

    def _fill_arguments(self, node: ast.Call, operator: str) -> None:
        """Names positional arguments and adds those that can only be the run's own."""
        known = self.operators.get(operator)
        if known is None:
            return
        if self.found.scoreflow and operator in SCOREFLOW:
            fill_arguments(node, operator, self.operators)
            return
        names = [item.name for item in known.inputs]
        self._drop_framework_arguments(node, operator, names)
        if len(node.args) <= len(names) and not any(isinstance(item, ast.Starred) for item in node.args):
            node.keywords = [
                ast.keyword(name, value) for name, value in zip(names, node.args, strict=False)
            ] + node.keywords
            node.args = []
        given = {keyword.arg for keyword in node.keywords}
        required = {item.name for item in known.inputs if item.default is REQUIRED}
        if "entry_point" in required - given and not node.args and None not in given:
            supply(node, "entry_point")
            self.found.repairs.append(f"line {node.lineno}: entry_point=entry_point passed to {operator}")

    def _drop_framework_arguments(self, node: ast.Call, operator: str, names: Sequence[str]) -> None:
        """Drops arguments such as ``benchmark=self.benchmark``, which hand on another framework's own objects."""
        for keyword in list(node.keywords):
            match keyword.value:
                case ast.Attribute(value=ast.Name(id="self"), attr=attribute) if (
                    attribute in self.found.framework and keyword.arg not in names
                ):
                    node.keywords.remove(keyword)
                    self.found.repairs.append(
                        f"line {node.lineno}: {keyword.arg}=self.{attribute} of {operator} removed"
                    )
