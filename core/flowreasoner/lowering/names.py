"""New names for what lowering adds to a program."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flowreasoner.workflow.language import BUILTINS, EXCEPTIONS, MODULES, PARAMETERS

if TYPE_CHECKING:
    from flowreasoner.workflow.program import Program

__all__ = ["Names"]


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
