"""Prints a workflow as canonical source, AFlow's file format; parsing it gives the same workflow."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flowreasoner.workflow.language import MODULES, PARAMETERS
from flowreasoner.workflow.unparse import unparse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flowreasoner.workflow.program import Method, Program

__all__ = ["print_program", "print_prompts"]

_INIT = """\
    def __init__(self, name, llm_config, dataset):
        self.name = name
        self.dataset = dataset
        self.llm = create_llm_instance(llm_config)
"""


def print_program(program: Program) -> str:
    """Returns the source of a program's class.

    Imports stand inside the methods that need them, as AFlow cuts off what is before the class.
    """
    bindings = "".join(
        f"        self.{attribute} = operator.{name}(self.llm)\n" for attribute, name in program.bindings.items()
    )
    methods = "\n".join(_method(method) for method in program.methods)
    return f"class Workflow:\n{_INIT}{bindings}\n{methods}"


def _method(method: Method) -> str:
    plain = len(method.parameters) - len(method.defaults)
    parameters = ["self"]
    for index, name in enumerate(method.parameters):
        annotation = f": {PARAMETERS[name]}" if name in PARAMETERS and method.name == "__call__" else ""
        default = ""
        if index >= plain:
            default = (" = " if annotation else "=") + unparse(method.defaults[index - plain])
        parameters.append(name + annotation + default)
    header = f"    {'async ' * method.is_async}def {method.name}({', '.join(parameters)}):"
    body = unparse(ast.Module(list(method.body), []))
    lines = [f"import {module}" for module in _modules(method)] + body.split("\n")
    # `unparse` keeps every string on one line, so that indenting changes none.
    return "\n".join([header, *(f"        {line}" if line else "" for line in lines)]) + "\n"


def _modules(method: Method) -> list[str]:
    """Returns the language modules that a method uses, sorted."""
    assigned = {node.id for node in method.walk() if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    used = {
        node.value.id
        for node in method.walk()
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in MODULES
    }
    return sorted(used - assigned - set(method.parameters))


def print_prompts(prompts: Mapping[str, str]) -> str:
    """Returns the source of a prompt module."""
    return "\n\n".join(f"{name} = {_literal(text)}" for name, text in prompts.items()) + "\n" * bool(prompts)


def _literal(text: str) -> str:
    """Returns a string literal: triple-quoted where that shows the text as it is, else its repr."""
    readable = "\n" in text and text.replace("\n", "").isprintable() and "\\" not in text
    if readable and '"""' not in text and not text.endswith('"') and not text.startswith('"'):
        return f'"""{text}"""'
    return repr(text)
