"""New names for what lowering adds to a program."""

from __future__ import annotations

import ast
import copy
from dataclasses import replace
from typing import TYPE_CHECKING

from flowreasoner.workflow.language import BUILTINS, EXCEPTIONS, MODULES, PARAMETERS
from flowreasoner.workflow.program import self_call

if TYPE_CHECKING:
    from collections.abc import Collection

    from flowreasoner.workflow.program import Method, Program

__all__ = ["Names", "rename", "without_names"]


class Names:
    """Gives names that a program does not use yet."""

    def __init__(self, program: Program) -> None:
        self.taken = set(BUILTINS | EXCEPTIONS) | {*MODULES, *PARAMETERS, "self", "prompt_custom"}
        self.taken |= {site.name for site in program.sites} | set(program.bindings)
        for method in program.methods:
            self.taken |= {method.name, *method.parameters}
            for node in method.walk():
                match node:
                    case ast.Name(id=name) | ast.arg(arg=name) | ast.ExceptHandler(name=str(name)):
                        self.taken.add(name)
                    case ast.Attribute(attr=name):
                        self.taken.add(name)

    def fresh(self, wish: str) -> str:
        """Returns a name like the wished one, and takes it."""
        name, number = wish, 1
        while name in self.taken:
            number += 1
            name = f"{wish}_{number}"
        self.taken.add(name)
        return name


def rename(node: ast.AST, names: dict[str, str]) -> None:
    """Renames variables, the same in comprehensions and lambdas that use the name for one of their own."""
    for part in ast.walk(node):
        match part:
            case ast.Name(id=name) if name in names:
                part.id = names[name]
            case ast.ExceptHandler(name=str(name)) if name in names:
                part.name = names[name]
            case ast.arg(arg=name) if name in names:
                part.arg = names[name]


def without_names(program: Program, reserved: Collection[str]) -> Program:
    """Returns a program none of whose variables has a reserved name; the entry's parameters keep theirs."""
    names = Names(program)
    names.taken |= {*reserved}
    renamed = {name: names.fresh(name) for name in sorted({*reserved} - {*program.entry.parameters})}

    def changed(method: Method) -> Method:
        body = copy.deepcopy(method.body)
        for statement in body:
            rename(statement, renamed)
            for node in ast.walk(statement):
                if isinstance(node, ast.Call) and self_call(node) in program.helpers:
                    for keyword in node.keywords:
                        keyword.arg = renamed.get(keyword.arg or "", keyword.arg)
        parameters = tuple(renamed.get(name, name) for name in method.parameters)
        return replace(method, body=body, parameters=parameters)

    helpers = {name: changed(method) for name, method in program.helpers.items()}
    return replace(program, entry=changed(program.entry), helpers=helpers)
