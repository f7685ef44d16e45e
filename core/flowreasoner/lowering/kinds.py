"""What the variables of a method hold for certain, as far as it can be told without running it.

A kind is ``text``, ``number``, ``flag``, ``result:Operator`` (an operator's dictionary), ``list:<kind>``, ``none``
(not known yet: an empty list's elements) or ``any``. One kind per variable, for the whole method.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flowreasoner.lowering.effects import Effects
from flowreasoner.lowering.syntax import is_gather
from flowreasoner.operators.spec import FieldKind
from flowreasoner.workflow.program import self_call

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flowreasoner.operators.spec import Operator
    from flowreasoner.workflow.program import Method, Program

__all__ = ["TEXT_METHODS", "Kinds", "element", "is_list"]

_MOST_PASSES = 12
_LITERALS: dict[type, str] = {str: "text", int: "number", float: "number", bool: "flag"}
_TEXTS = {FieldKind.TEXT, FieldKind.CODE}
TEXT_METHODS: Mapping[str, tuple[str, range]] = {
    **dict.fromkeys("capitalize casefold lower swapcase title upper".split(), ("text", range(1))),
    **dict.fromkeys("lstrip rstrip strip".split(), ("text", range(2))),
    **dict.fromkeys("removeprefix removesuffix".split(), ("text", range(1, 2))),
    **dict.fromkeys("endswith startswith".split(), ("flag", range(1, 2))),
    **dict.fromkeys("isalpha isdigit isspace".split(), ("flag", range(1))),
    "replace": ("text", range(2, 3)),
    "splitlines": ("list:text", range(1)),
    "count": ("number", range(1, 2)),
}
"""Methods of text that cannot fail when all arguments are texts: kind of the result, and how many arguments."""


def is_list(kind: str) -> bool:
    """Tells whether a kind is a list."""
    return kind.startswith("list:")


def element(kind: str) -> str:
    """Returns the kind of a list's elements, or of a text's characters."""
    return kind.removeprefix("list:") if is_list(kind) else "text" if kind == "text" else "any"


def _join(one: str, other: str) -> str:
    if "none" in (one, other):
        return other if one == "none" else one
    if is_list(one) and is_list(other):
        return f"list:{_join(element(one), element(other))}"
    return one if one == other else "any"


class Kinds:
    """The kinds of a flat method's variables.

    Args:
        program: The program, for its operators' names.
        method: The method.
        operators: Operators by class name.
    """

    def __init__(self, program: Program, method: Method, operators: Mapping[str, Operator]) -> None:
        self.program, self.operators = program, operators
        self.names: dict[str, str] = dict.fromkeys(method.parameters, "any")
        if method.name == "__call__":
            given = {"problem": "text", "entry_point": "text", "test_cases": "list:text"}
            self.names |= {name: kind for name, kind in given.items() if name in method.parameters}
        for _ in range(_MOST_PASSES):
            before = dict(self.names)
            for node in method.walk():
                self._take(node)
            if self.names == before:
                self._doubt_shared(method)
            if self.names == before:
                return
        self.names = dict.fromkeys(self.names, "any")

    def _doubt_shared(self, method: Method) -> None:
        """Forgets what is known of lists and results that are changed under another name."""
        effects = Effects(method, self)
        doubted: set[str] = set()
        for node in method.walk():
            match node:
                case ast.Call(func=ast.Attribute(value=ast.Name(id=owner))) if not self_call(node):
                    direct = {owner}
                case ast.AugAssign(target=ast.Name(id=owner)) | ast.Subscript(value=ast.Name(id=owner)):
                    direct = {owner}
                case _:
                    direct = set()
            roots = {effects.name(name) for name in effects.changed_in(node)}
            doubted |= {name for name in self.names if effects.name(name) in roots and name not in direct}
        for name in doubted:
            if is_list(self.names[name]):
                self._bind(name, "any")

    # --- what statements say of variables ---

    def _take(self, node: ast.AST) -> None:
        match node:
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    self._assign(target, value)
            case ast.AugAssign(target=ast.Name(id=name), op=op, value=value):
                self._bind(name, self.of(ast.BinOp(ast.Name(name, ast.Load()), op, value)))
            case ast.AugAssign(target=ast.Subscript(value=ast.Name(id=name))):
                self._bind(name, "any")
            case ast.For(target=target, iter=items):
                self._bind_target(target, element(self.of(items)))
            case ast.comprehension(target=target, iter=items):
                self._bind_target(target, element(self.of(items)))
            case ast.ExceptHandler(name=str(name)) | ast.arg(arg=name):
                self._bind(name, "any")
            case ast.Call(func=ast.Attribute(value=receiver, attr=method)):
                self._change(receiver, method, node.args)

    def _assign(self, target: ast.expr, value: ast.expr) -> None:
        match target, value:
            case ((ast.Tuple(elts=targets) | ast.List(elts=targets)), ast.Tuple(elts=values)) if len(targets) == len(
                values
            ):
                for one, other in zip(targets, values, strict=True):
                    self._bind_target(one, self.of(other))
            case (
                (ast.Tuple(elts=targets) | ast.List(elts=targets)),
                ast.Await(value=ast.Call(args=calls) as call),
            ) if is_gather(call) and len(targets) == len(calls) and not call.keywords:
                for one, other in zip(targets, calls, strict=True):
                    self._bind_target(one, self.awaited(other))
            case ast.Subscript(value=ast.Name(id=name), slice=ast.Constant(value=str(key))), _:
                kind = self.names.get(name, "none")
                if self.field(kind, key) not in {"text"} or self.of(value) not in {"text", "none"}:
                    self._bind(name, "any")
            case ast.Subscript(value=owner), _:
                self._forget(owner)
            case _:
                self._bind_target(target, self.of(value))

    def _bind_target(self, target: ast.expr, kind: str) -> None:
        match target:
            case ast.Name(id=name):
                self._bind(name, kind)
            case ast.Tuple(elts=parts) | ast.List(elts=parts):
                for part in parts:
                    self._bind_target(part, element(kind) if is_list(kind) else "any")
            case ast.Starred(value=inner):
                self._bind_target(inner, "any")

    def _bind(self, name: str, kind: str) -> None:
        self.names[name] = _join(self.names.get(name, "none"), kind)

    def _change(self, receiver: ast.expr, method: str, args: list[ast.expr]) -> None:
        """Takes in what a method may have put into a container."""
        if not isinstance(receiver, ast.Name) or (method in {"append", "insert", "extend"} and not args):
            if method in {"append", "insert", "extend", "update", "setdefault"}:
                self._forget(receiver)
            return
        added = {"append": lambda: self.of(args[0]), "insert": lambda: self.of(args[-1])}
        if method in added and not isinstance(args[-1], ast.Starred):
            self._bind(receiver.id, f"list:{added[method]()}")
        elif method == "extend":
            self._bind(receiver.id, f"list:{element(self.of(args[0]))}")
        elif method in {"update", "setdefault", "clear", "pop", "popitem"} and not is_list(
            self.names.get(receiver.id, "none")
        ):
            self._bind(receiver.id, "any")

    def _forget(self, node: ast.expr) -> None:
        for part in ast.walk(node):
            if isinstance(part, ast.Name):
                self._bind(part.id, "any")

    # --- kinds of expressions ---

    def field(self, kind: str, key: str) -> str:
        """Returns the kind of a declared key of an operator's result; ``any`` for other keys."""
        operator = self.operators.get(kind.removeprefix("result:")) if kind.startswith("result:") else None
        for item in operator.outputs if operator else ():
            if item.name == key:
                return "flag" if item.kind is FieldKind.FLAG else "text" if item.kind in _TEXTS else "any"
        return "any"

    def awaited(self, call: ast.expr) -> str:
        """Returns the kind of what a call gives once it is awaited."""
        name = self_call(call)
        if name in self.program.bindings:
            return f"result:{self.program.bindings[name]}"
        if isinstance(call, ast.Call) and is_gather(call) and not call.keywords:
            match call.args:
                case [ast.Starred(value=ast.ListComp(elt=made) | ast.GeneratorExp(elt=made))]:
                    return f"list:{self.awaited(made)}"
        return "any"

    def of(self, node: ast.expr) -> str:
        """Returns the kind of an expression."""
        match node:
            case ast.Constant(value=value):
                return _LITERALS.get(type(value), "any")
            case ast.JoinedStr() | ast.Attribute(value=ast.Name(id="prompt_custom")):
                return "text"
            case ast.Name(id=name):
                return self.names.get(name, "none")
            case ast.Await(value=call):
                return self.awaited(call)
            case ast.IfExp(
                test=ast.Call(func=ast.Name(id="isinstance"), args=[ast.Name(id=name), ast.Name(id="list")]),
                body=ast.Name(id=one),
                orelse=other,
            ) if name == one and is_list(self.of(other)):
                kind = self.names.get(name, "none")
                return _join(kind, self.of(other)) if is_list(kind) else "list:any"
            case ast.IfExp(body=one, orelse=other):
                return self._any_of([one, other])
            case ast.BoolOp(values=values):
                return self._any_of(values)
            case ast.Compare() | ast.UnaryOp(op=ast.Not()):
                return "flag"
            case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=operand):
                return "number" if self.of(operand) == "number" else "any"
            case ast.BinOp(left=left, op=op, right=right):
                return self._combined(self.of(left), op, self.of(right))
        return self._made(node)

    def _made(self, node: ast.expr) -> str:
        match node:
            case ast.List(elts=items):
                return f"list:{self._any_of(items)}"
            case ast.ListComp(elt=made):
                return f"list:{self.of(made)}"
            case ast.Subscript():
                return self._item(node)
            case ast.Call():
                return self._called(node)
        return "any"

    def _any_of(self, nodes: list[ast.expr]) -> str:
        """Returns the kind of a value that is one of several."""
        kind = "none"
        for node in nodes:
            kind = _join(kind, self.of(node))
        return kind

    def _combined(self, left: str, op: ast.operator, right: str) -> str:
        if "none" in (left, right):
            return "none" if left == right else left if right == "none" else right
        if isinstance(op, ast.Add) and (left == right == "text" or (is_list(left) and is_list(right))):
            return _join(left, right)
        arithmetic = isinstance(op, ast.Add | ast.Sub | ast.Mult)
        return "number" if arithmetic and left == right == "number" else "any"

    def _item(self, node: ast.Subscript) -> str:
        kind = self.of(node.value)
        match node.slice:
            case ast.Slice():
                return kind if kind == "text" or is_list(kind) else "any"
            case ast.Constant(value=str(key)):
                return self.field(kind, key)
        return element(kind) if is_list(kind) or kind == "text" else "any"

    def _called(self, node: ast.Call) -> str:
        match node.func:
            case ast.Name(id=("str" | "repr")):
                return "text"
            case ast.Name(id="len"):
                return "number"
            case ast.Name(id="range"):
                return "list:number"
            case ast.Name(id=("list" | "sorted" | "reversed")) if node.args:
                kind = self.of(node.args[0])
                return f"list:{element(kind)}" if is_list(kind) or kind == "text" else "list:any"
            case ast.Attribute(value=receiver, attr="get") if node.args and isinstance(node.args[0], ast.Constant):
                return self.field(self.of(receiver), str(node.args[0].value))
            case ast.Attribute(value=receiver, attr="join") if self.of(receiver) == "text":
                return "text"
            case ast.Attribute(value=receiver, attr=method) if self.of(receiver) == "text":
                return TEXT_METHODS.get(method, ("any", range(0)))[0]
        return "any"
