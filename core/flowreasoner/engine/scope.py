"""Variables, and the values that only the interpreter has: lambdas, named functions and generators."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import ast
    from collections.abc import AsyncIterator

__all__ = ["Closure", "Function", "Generator", "Scope"]


@dataclass(repr=False)
class Scope:
    """Variables of a method, or of a comprehension or lambda inside it."""

    values: dict[str, Any] = field(default_factory=dict)
    parent: Scope | None = None

    def get(self, name: str) -> Any:
        """Returns a variable, looking outwards.

        Raises:
            NameError: If it has no value yet.
        """
        scope: Scope | None = self
        while scope is not None:
            if name in scope.values:
                return scope.values[name]
            scope = scope.parent
        raise NameError(f"name {name!r} is not defined")

    def has(self, name: str) -> bool:
        """Tells whether a variable has a value."""
        return name in self.values or (self.parent is not None and self.parent.has(name))


# The representations below end up in prompts and logs, so they show neither addresses nor variables.


@dataclass(frozen=True, eq=False, repr=False)
class Closure:
    """A lambda with the variables around it."""

    parameters: tuple[str, ...]
    body: ast.expr
    scope: Scope

    def __repr__(self) -> str:
        return "<function <lambda>>"


@dataclass(frozen=True, repr=False)
class Function:
    """A function named as a value, as in ``key=len`` or ``map(math.sqrt, numbers)``.

    Attributes:
        name: Its name.
        module: The module it belongs to; empty for a built-in.
    """

    name: str
    module: str = ""

    def __repr__(self) -> str:
        return f"<built-in function {self.name}>"


@dataclass(eq=False, repr=False)
class Generator:
    """A generator expression, evaluated as it is consumed, once."""

    items: AsyncIterator[Any]

    def __repr__(self) -> str:
        return "<generator object <genexpr>>"
