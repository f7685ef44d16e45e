"""What code reads and what it changes, with variables that may share a changeable value taken as one."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flowreasoner.workflow.language import BUILTINS, MODULES
from flowreasoner.workflow.program import self_call

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flowreasoner.lowering.kinds import Kinds
    from flowreasoner.workflow.program import Method

__all__ = ["CHANGING", "Effects", "Touched", "names_in"]

_PLAIN = {"text", "number", "flag"}
CHANGING = frozenset(
    """add append clear discard extend insert pop popitem remove reverse setdefault sort update shuffle""".split()
)
"""Methods that change a value in place."""


@dataclass(frozen=True, slots=True)
class Touched:
    """What a piece of code touches; prompt constants are named ``prompt_custom.NAME``.

    Attributes:
        reads: Variables whose value it needs.
        writes: Variables that it binds, or whose value it may change in place.
    """

    reads: frozenset[str] = frozenset()
    writes: frozenset[str] = frozenset()

    def __or__(self, other: Touched) -> Touched:
        return Touched(self.reads | other.reads, self.writes | other.writes)

    def depends_on(self, earlier: Touched) -> bool:
        """Tells whether this code may not be moved before the other."""
        return bool(self.reads & earlier.writes or self.writes & earlier.reads or self.writes & earlier.writes)


class Effects:
    """Finds effects in one method.

    Args:
        method: The method.
        kinds: Kinds of its variables; those that hold texts, numbers or flags share nothing.
    """

    def __init__(self, method: Method, kinds: Kinds) -> None:
        self.kinds = kinds
        self._group: dict[str, str] = {}
        self._changed: set[str] = set()
        self._changed_inside: set[str] = set()
        for node in method.walk():
            self._unite_in(node)
            changed = self.changed_in(node)
            self._changed |= changed
            if not _is_of_a_variable(node):
                self._changed_inside |= changed

    def of(self, nodes: Iterable[ast.AST]) -> Touched:
        """Returns what the nodes read and change."""
        reads: set[str] = set()
        writes: set[str] = set()
        for node in nodes:
            for part in ast.walk(node):
                self._touch(part, reads, writes)
        return Touched(frozenset(map(self._root, reads)), frozenset(map(self._root, writes)))

    def name(self, name: str) -> str:
        """Returns the name that stands for all variables that may share its value."""
        return self._root(name)

    def share(self, variables: Iterable[str]) -> bool:
        """Tells whether two places in the variables may hold the same value, and that value is changed in place."""
        names = [name for name in variables if self.kinds.names.get(name, "any") not in _PLAIN]
        # A part of a variable is changed by itself, or under another name, such as a loop's: it may be there twice.
        inside = set(map(self._root, self._changed_inside | (self._changed - {*names})))
        changed = set(map(self._root, self._changed))
        seen: set[str] = set()
        for root in map(self._root, names):
            if root in inside or (root in changed and root in seen):
                return True
            seen.add(root)
        return False

    def changed_in(self, node: ast.AST) -> set[str]:
        """Returns the variables whose value a piece of code may change in place."""
        match node:
            case ast.Subscript(value=owner, ctx=ast.Store()):
                return names_in(owner)
            case ast.AugAssign(target=ast.Name(id=name)) if self.kinds.names.get(name, "any") not in _PLAIN:
                return {name}
            case ast.Call() if self._is_helper(node):
                return {name for name in names_in(node) if self.kinds.names.get(name, "any") not in _PLAIN}
            case ast.Call(func=ast.Attribute(value=owner, attr=method)) if method in CHANGING:
                return names_in(owner)
        return set()

    def _is_helper(self, call: ast.Call) -> bool:
        """Tells whether a call is of a helper method, which may change what it is given."""
        return self_call(call) in self.kinds.program.helpers

    def _touch(self, part: ast.AST, reads: set[str], writes: set[str]) -> None:
        writes |= self.changed_in(part)
        match part:
            case ast.Name(id=name, ctx=ast.Store()):
                writes.add(name)
            case ast.Name(id=name) if name not in BUILTINS | MODULES.keys() | {"self", "prompt_custom"}:
                reads.add(name)
            case ast.Attribute(value=ast.Name(id="prompt_custom"), attr=name, ctx=context):
                (writes if isinstance(context, ast.Store) else reads).add(f"prompt_custom.{name}")
            case ast.ExceptHandler(name=str(name)):
                writes.add(name)
            case ast.AugAssign(target=ast.Name(id=name)):
                reads.add(name)
            case ast.AugAssign(target=ast.Attribute(attr=name)):
                reads.add(f"prompt_custom.{name}")
            case ast.Call(func=ast.Attribute(value=ast.Name(id="random"))):
                reads.add("random")  # its calls stay in their order
                writes.add("random")
            case ast.Call(func=ast.Name(id="next"), args=args):
                writes |= {name for item in args for name in names_in(item)}
            case ast.Call(func=ast.Name(id="print")):
                reads.add("print")
                writes.add("print")

    # --- variables that share a value ---

    def _root(self, name: str) -> str:
        while name in self._group:
            name = self._group[name]
        return name

    def _unite(self, names: Iterable[str]) -> None:
        roots = sorted({self._root(name) for name in names})
        for root in roots[1:]:
            self._group[root] = roots[0]

    def _shared(self, node: ast.AST) -> set[str]:
        """Returns the variables of which an expression may hand on the value itself."""
        if isinstance(node, ast.expr) and self.kinds.of(node) in _PLAIN:
            return set()
        return {name for name in names_in(node) if self.kinds.names.get(name, "any") not in _PLAIN}

    def _unite_in(self, node: ast.AST) -> None:
        match node:
            case ast.Assign(targets=targets, value=value) if not isinstance(value, ast.Await):
                self._unite(self._shared(value) | {name for item in targets for name in self._shared(item)})
            case ast.AugAssign(target=target, value=value):
                self._unite(self._shared(target) | self._shared(value))
            case ast.For(target=target, iter=items) | ast.comprehension(target=target, iter=items):
                self._unite(self._shared(target) | self._shared(items))
            case ast.Call(func=ast.Attribute(value=owner, attr=method), args=args) if method in CHANGING:
                self._unite(self._shared(owner) | {name for item in args for name in self._shared(item)})
            case ast.Call() if self._is_helper(node):
                self._unite(self.changed_in(node))


def _is_of_a_variable(node: ast.AST) -> bool:
    """Tells whether what a piece of code changes in place is a variable's value, and not a part of it."""
    match node:
        case ast.Subscript(value=owner) | ast.Call(func=ast.Attribute(value=owner)):
            return isinstance(owner, ast.Name)
    return True


def names_in(node: ast.AST) -> set[str]:
    """Returns the variables that a piece of code names."""
    return (
        {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
        - BUILTINS
        - MODULES.keys()
        - {
            "self",
            "prompt_custom",
        }
    )
