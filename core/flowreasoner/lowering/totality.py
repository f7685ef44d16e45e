"""Code that cannot fail, and so may run a little earlier or later than where it stands.

The engine postpones at run time what cannot fail; lowering decides the same beforehand, and errs on the safe side.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flowreasoner.lowering.kinds import TEXT_METHODS, Kinds, element, is_list
from flowreasoner.workflow.program import self_call

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = ["Totality"]


class Totality:
    """Tells what cannot fail in one method.

    Args:
        kinds: Kinds of the method's variables.
        rewritten: Prompt constants that the program writes to; they may be missing.
    """

    def __init__(self, kinds: Kinds, rewritten: Collection[str]) -> None:
        self.kinds, self.rewritten = kinds, rewritten

    # --- statements ---

    def statement(self, node: ast.stmt, bound: set[str]) -> bool:
        """Tells whether a statement cannot fail and control gets past it; adds what it binds to `bound`."""
        match node:
            case ast.Pass():
                return True
            case ast.Assign(targets=[target], value=value):
                return self._assigned(target, value, bound)
            case ast.AugAssign(target=ast.Name(id=name), op=op, value=value):
                return self.expression(ast.BinOp(ast.Name(name, ast.Load()), op, value), bound)
            case ast.Expr(value=ast.Call(func=ast.Name(id="print"), args=args, keywords=[])):
                return self._all(args, bound)
            case ast.Expr(value=ast.Call() as call):
                return self._changing(call, bound)
            case ast.If(test=test, body=body, orelse=orelse):
                first, second = set(bound), set(bound)
                passed = self.expression(test, bound) and self.block(body, first) and self.block(orelse, second)
                bound |= first & second
                return passed
        return False

    def block(self, statements: list[ast.stmt], bound: set[str]) -> bool:
        """Tells whether statements cannot fail; adds what they bind to `bound`."""
        return all(self.statement(statement, bound) for statement in statements)

    def _assigned(self, target: ast.expr, value: ast.expr, bound: set[str]) -> bool:
        passed = self.expression(value, bound)
        match target:
            case ast.Name(id=name):
                bound.add(name)
                return passed
            case ast.Tuple(elts=targets) if isinstance(value, ast.Tuple) and len(value.elts) == len(targets):
                names = [part.id for part in targets if isinstance(part, ast.Name)]
                bound.update(names)
                return passed and len(names) == len(targets)
            case ast.Subscript(value=ast.Name(id=name), slice=ast.Constant(value=str(key))):
                return passed and name in bound and self.kinds.field(self.kinds.names.get(name, "any"), key) != "any"
            case ast.Attribute(value=ast.Name(id="prompt_custom")):
                return passed and self.kinds.of(value) == "text"
        return False

    def _changing(self, call: ast.Call, bound: set[str]) -> bool:
        match call.func:
            case ast.Attribute(value=ast.Name(id=name), attr=method) if name in bound:
                if not is_list(self.kinds.names.get(name, "any")) or call.keywords:
                    return False
                items = [self.kinds.of(item) for item in call.args]
                fits = {
                    "append": len(items) == 1,
                    "insert": len(items) == 2 and items[0] == "number",
                    "extend": len(items) == 1 and is_list(items[0]),
                    "clear": not items,
                    "reverse": not items,
                }
                return fits.get(method, False) and self._all(call.args, bound)
        return False

    # --- expressions ---

    def _all(self, nodes: list[ast.expr], bound: set[str]) -> bool:
        return all(self.expression(node, bound) for node in nodes)

    def expression(self, node: ast.expr, bound: set[str]) -> bool:
        """Tells whether an expression cannot fail where the names in `bound` have values."""
        match node:
            case ast.Constant():
                return True
            case ast.Name(id=name):
                return name in bound
            case ast.Attribute(value=ast.Name(id="prompt_custom"), attr=name):
                return name not in self.rewritten
            case ast.JoinedStr(values=parts):
                return all(self._part(part, bound) for part in parts)
            case ast.List(elts=parts) | ast.Tuple(elts=parts) | ast.BoolOp(values=parts):
                return self._all(parts, bound)
            case ast.IfExp(test=test, body=body, orelse=orelse):
                return self._all([test, body, orelse], bound)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return self.expression(operand, bound)
            case ast.Call():
                return self._call(node, bound)
        return self._computed(node, bound)

    def _computed(self, node: ast.expr, bound: set[str]) -> bool:
        of = self.kinds.of
        match node:
            case ast.UnaryOp(operand=operand):
                return of(operand) == "number" and self.expression(operand, bound)
            case ast.BinOp(left=left, right=right):
                return of(node) in {"text", "number"} | _lists(of(node)) and self._all([left, right], bound)
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                return self._comparable(op, of(left), of(right)) and self._all([left, right], bound)
            case ast.Subscript(value=value, slice=key):
                return self._item(of(value), key) and self.expression(value, bound)
            case ast.ListComp(elt=made, generators=[generator]):
                return self._comprehension(made, generator, bound)
        return False

    def _part(self, node: ast.expr, bound: set[str]) -> bool:
        match node:
            case ast.FormattedValue(value=value, format_spec=None):
                return self.expression(value, bound)
        return isinstance(node, ast.Constant)

    def _comparable(self, op: ast.cmpop, left: str, right: str) -> bool:
        match op:
            case ast.Eq() | ast.NotEq() | ast.Is() | ast.IsNot():
                return True
            case ast.In() | ast.NotIn():
                return is_list(right) or left == right == "text"
        return left == right and left in {"number", "text"}

    def _item(self, kind: str, key: ast.expr) -> bool:
        match key:
            case ast.Slice(lower=lower, upper=upper, step=step):
                bounds = all(part is None or _whole(part) for part in (lower, upper))
                return (kind == "text" or is_list(kind)) and bounds and (step is None or _whole(step, zero=False))
            case ast.Constant(value=str(name)):
                return self.kinds.field(kind, name) != "any"
        return False

    def _comprehension(self, made: ast.expr, generator: ast.comprehension, bound: set[str]) -> bool:
        kind = self.kinds.of(generator.iter)
        if not (is_list(kind) or kind == "text") or not isinstance(generator.target, ast.Name):
            return False
        inner = bound | {generator.target.id}
        return self.expression(generator.iter, bound) and self._all([*generator.ifs, made], inner)

    def _call(self, node: ast.Call, bound: set[str]) -> bool:
        """Operators and helpers that are only made here, not awaited, count as what their arguments are."""
        arguments = [*node.args, *(keyword.value for keyword in node.keywords)]
        if any(isinstance(item, ast.Starred) for item in node.args) or not self._all(arguments, bound):
            return False
        if self_call(node) in self.kinds.program.bindings:
            return True
        kinds = [self.kinds.of(item) for item in arguments]
        match node.func:
            case ast.Name(id="str"):
                return len(kinds) <= 1
            case ast.Name(id="len"):
                return len(kinds) == 1 and (kinds[0] == "text" or is_list(kinds[0]))
            case ast.Name(id="list"):
                return len(kinds) == 1 and (kinds[0] == "text" or is_list(kinds[0]))
            case ast.Name(id="range"):
                return len(kinds) in {1, 2} and set(kinds) == {"number"} and all(map(_whole, arguments))
            case ast.Attribute(value=receiver, attr=method):
                return self.expression(receiver, bound) and self._method(self.kinds.of(receiver), method, kinds)
        return False

    def _method(self, receiver: str, method: str, kinds: list[str]) -> bool:
        if receiver.startswith("result:"):
            return method == "get" and len(kinds) in {1, 2}
        if receiver != "text":
            return False
        if method == "join":
            return len(kinds) == 1 and is_list(kinds[0]) and element(kinds[0]) in {"text", "none"}
        return len(kinds) in TEXT_METHODS.get(method, ("", range(0)))[1] and set(kinds) <= {"text"}


def _lists(kind: str) -> set[str]:
    return {kind} if is_list(kind) else set()


def _whole(node: ast.expr, *, zero: bool = True) -> bool:
    """Tells whether an expression is a whole number written down."""
    match node:
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return _whole(operand, zero=zero)
        case ast.Constant(value=int(value)):
            return zero or value != 0
    return False
