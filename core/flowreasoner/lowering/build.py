"""Builds the blocks of one method (`flowreasoner.lowering.blocks`)."""

from __future__ import annotations

import ast
import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flowreasoner.lowering.blocks import Block, Branch, Call, Catch, Fan, Goto, Raise, Region, Return
from flowreasoner.lowering.effects import Effects, names_in
from flowreasoner.lowering.helper_calls import arguments_of
from flowreasoner.lowering.kinds import Kinds
from flowreasoner.lowering.names import rename
from flowreasoner.lowering.refusals import refused
from flowreasoner.lowering.syntax import (
    as_list,
    assign,
    awaits,
    escapes,
    is_gather,
    name_of,
    operator_call,
    place,
    variables_read,
)
from flowreasoner.operators import BUILTIN
from flowreasoner.workflow.program import self_call

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from flowreasoner.lowering.names import Names
    from flowreasoner.operators.spec import Operator
    from flowreasoner.workflow.program import Method, Program

__all__ = ["Builder"]

_DEEPEST = 12
_RESIZING = {"append", "clear", "extend", "insert", "pop", "remove", "reverse", "sort"}


@dataclass(frozen=True, eq=False)
class _Frame:
    """A method that is being built.

    Attributes:
        name: Its name.
        target: Variable that its value goes to; None for the method itself.
        after: Where its caller goes on.
        finalizers: How many `finally` parts stand around its call.
        effects: Its effects.
        original: Names of its variables in the program, by those that they have here.
    """

    name: str
    target: str | None
    after: Block | None
    finalizers: int
    effects: Effects
    original: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class _Loop:
    head: Block
    after: Block
    finalizers: int


@dataclass(frozen=True, eq=False)
class _Finalizer:
    body: Sequence[ast.stmt]
    region: Region | None


class Builder:
    """Builds the blocks of a flat method; `entry` is the first one."""

    def __init__(
        self, program: Program, method: Method, names: Names, operators: Mapping[str, Operator] = BUILTIN
    ) -> None:
        self.program, self.names, self.operators = program, names, operators
        self.region: Region | None = None
        self.frames = [_Frame(method.name, None, None, 0, self.effects(method))]
        self.loops: list[_Loop] = []
        self.finalizers: list[_Finalizer] = []
        self.entry = self.current = Block()
        self.live = True
        self.read = {name.id for item in program.methods for name in variables_read(item.body)}
        self.sequence(copy.deepcopy(method.body))
        if self.live:
            self.current.end = Return(place(ast.Constant(None), method.body[-1]), method.body[-1].lineno)

    def effects(self, method: Method) -> Effects:
        """Returns what code of a method reads and changes."""
        return Effects(method, Kinds(self.program, method, self.operators))

    # --- blocks ---

    def block(self) -> Block:
        """Returns a new block of the current region."""
        return Block(self.region)

    def go(self, block: Block) -> None:
        """Ends the current block, if control gets there, by going to another."""
        if self.live:
            self.current.end = Goto(block)
        self.live = False

    def start(self, block: Block) -> None:
        """Goes on writing in a block."""
        self.current, self.live = block, True

    def sequence(self, statements: Sequence[ast.stmt]) -> None:
        """Adds statements, up to the first that nothing gets past."""
        for statement in statements:
            if not self.live:
                return
            self.statement(statement)

    # --- statements ---

    def statement(self, node: ast.stmt) -> None:
        """Adds a statement: as it is, or as blocks where it awaits or is left."""
        if not awaits(node) and not escapes(node):
            self.current.statements.append(node)
            return
        match node:
            case ast.Assign(targets=[target], value=ast.Await(value=awaited)):
                self.awaited(node, target, awaited)
            case ast.If():
                self.branch(node)
            case ast.For():
                self.iteration(node)
            case ast.While():
                self.loop(node)
            case ast.Try():
                self.attempt(node)
            case ast.Return():
                self.leave(node)
            case ast.Break():
                self.jump(self.loops[-1].after, self.loops[-1].finalizers)
            case ast.Continue():
                self.jump(self.loops[-1].head, self.loops[-1].finalizers)

    def awaited(self, node: ast.Assign, target: ast.expr, awaited: ast.expr) -> None:
        """Adds an awaited call: of an operator, of a helper, or of a gathering."""
        name = self_call(awaited)
        if name in self.program.helpers and isinstance(awaited, ast.Call):
            self.inline(self.program.helpers[name], awaited, target)
            return
        after = self.block()
        call = operator_call(node, self.program)
        if call is not None and isinstance(target, ast.Name):
            self.current.end = Call(call, target.id, after)
        elif isinstance(awaited, ast.Call) and is_gather(awaited):
            keep = next((item.value for item in awaited.keywords if item.arg == "return_exceptions"), None)
            self.current.end = Fan(awaited.args, target, False, keep, after)
        else:
            self.current.end = Fan([awaited], target, True, None, after)
        self.start(after)

    def branch(self, node: ast.If) -> None:
        """Adds an `if`."""
        yes, no, after = self.block(), self.block(), self.block()
        self.current.end = Branch(node.test, yes, no)
        reached = False
        for block, statements in ((yes, node.body), (no, node.orelse)):
            self.start(block)
            self.sequence(statements)
            reached = reached or self.live
            self.go(after)
        self.start(after)
        self.live = reached

    def loop(self, node: ast.While) -> None:
        """Adds a `while`."""
        head, body, leave, after = self.block(), self.block(), self.block(), self.block()
        self.go(head)
        head.end = Branch(node.test, body, leave)
        self.repeated(node, head, body, leave, after)

    def repeated(self, node: ast.For | ast.While, head: Block, body: Block, leave: Block, after: Block) -> None:
        """Adds a loop's body and its `else`."""
        self.loops.append(_Loop(head, after, len(self.finalizers)))
        self.start(body)
        self.sequence(node.body)
        self.go(head)
        self.loops.pop()
        self.start(leave)
        self.sequence(node.orelse)
        self.go(after)
        self.start(after)

    def iteration(self, node: ast.For) -> None:
        """Goes through a list by its index, so that the place in it is a plain number."""
        index, items = self.names.fresh("index"), self.names.fresh("items")
        head, body, leave, after = self.block(), self.block(), self.block(), self.block()
        counted = _counted(node.iter)
        length: ast.expr
        item: ast.expr
        if counted is not None:
            length, item = counted, ast.Name(index, ast.Load())
        else:
            length = ast.Call(ast.Name("len", ast.Load()), [ast.Name(items, ast.Load())], [])
            item = ast.Subscript(ast.Name(items, ast.Load()), ast.Name(index, ast.Load()), ast.Load())
            self.current.statements.append(assign(items, self.gone_through(node, as_list(node.iter)), node))
        self.current.statements.append(assign(index, ast.Constant(0), node))
        at_least_once = isinstance(counted, ast.Constant) and isinstance(counted.value, int) and counted.value > 0
        self.go(body if at_least_once else head)
        test = ast.Compare(ast.Name(index, ast.Load()), [ast.Lt()], [length])
        head.end = Branch(place(test, node), body, leave)
        if not isinstance(node.target, ast.Name) or node.target.id in self.read:
            body.statements.append(place(ast.Assign([node.target], item), node))
        step = ast.AugAssign(ast.Name(index, ast.Store()), ast.Add(), ast.Constant(1))
        body.statements.append(place(step, node))
        self.repeated(node, head, body, leave, after)

    def gone_through(self, node: ast.For, copied: ast.expr) -> ast.expr:
        """Returns what a loop goes through: the list itself where its body may change it, else a copy."""
        frame, itself = self.frames[-1], node.iter
        if not isinstance(itself, ast.Name | ast.Subscript):
            return copied

        def groups(names: Iterable[str]) -> set[str]:
            return {frame.effects.name(frame.original.get(name, name)) for name in names}

        changed = {name for statement in node.body for part in ast.walk(statement) for name in self.changed(part)}
        if not groups(names_in(itself)) & groups(changed):
            return copied
        kind = ast.Call(ast.Name("isinstance", ast.Load()), [copy.deepcopy(itself), ast.Name("list", ast.Load())], [])
        return ast.IfExp(kind, itself, copied)

    def changed(self, node: ast.AST) -> set[str]:
        """Returns the variables in whose values a piece of code may make a list longer or shorter."""
        match node:
            case ast.AugAssign(target=target) | ast.Assign(targets=[ast.Subscript(slice=ast.Slice()) as target]):
                return names_in(target)
            case ast.Call(func=ast.Attribute(value=owner, attr=method)) if method in _RESIZING:
                return names_in(owner)
            case ast.Call() if self_call(node) in self.program.helpers:
                return names_in(node)
        return set()

    # --- ways out ---

    def leave(self, node: ast.Return) -> None:
        """Adds a `return`, of the method or of a helper that was put in its place."""
        frame = self.frames[-1]
        value = node.value or place(ast.Constant(None), node)
        if len(self.finalizers) > frame.finalizers:
            kept = self.names.fresh("returned")
            self.current.statements.append(assign(kept, value, node))
            value = name_of(kept, node)
            self.unwind(frame.finalizers)
        if not self.live:
            return
        if frame.after is None or frame.target is None:
            self.current.end = Return(value, node.lineno)
            self.live = False
            return
        self.current.statements.append(assign(frame.target, value, node))
        self.go(frame.after)

    def jump(self, block: Block, finalizers: int) -> None:
        """Adds a `break` or `continue`."""
        self.unwind(finalizers)
        self.go(block)

    def unwind(self, down_to: int) -> None:
        """Writes out the `finally` parts that are left."""
        before, region = self.finalizers, self.region
        for index in range(len(before) - 1, down_to - 1, -1):
            self.finalizers = before[:index]
            self.region = before[index].region
            block = self.block()
            self.go(block)
            self.start(block)
            self.sequence(copy.deepcopy(list(before[index].body)))
        self.finalizers, self.region = before, region

    # --- try ---

    def attempt(self, node: ast.Try) -> None:
        """Adds a `try`."""
        outer, after = self.region, self.block()
        if node.finalbody:
            self.finalizers.append(_Finalizer(node.finalbody, outer))
            self.region = Region(outer)
            last = Block(outer)
            self.region.catches.append(Catch((), last))
        around = self.region
        body = Region(around)
        handlers = []
        for handler in node.handlers:
            block = Block(around, caught=handler.name or "")
            body.catches.append(Catch(_exceptions(handler.type), block))
            handlers.append((handler, block))
        self.enter(body, node.body)
        self.enter(around, node.orelse)
        ends = [self.current] if self.live else []
        for handler, block in handlers:
            self.region = around
            self.start(block)
            self.sequence(handler.body)
            if self.live:
                ends.append(self.current)
        self.region = outer
        if node.finalbody:
            self.finalizers.pop()
            self.finish(node, ends, last, after)
        else:
            for block in ends:
                block.end = Goto(after)
        self.start(after)
        self.live = bool(ends)

    def enter(self, region: Region | None, statements: Sequence[ast.stmt]) -> None:
        """Goes on in a region; blocks never reach from one into another."""
        self.region = region
        block = self.block()
        was_live = self.live
        self.go(block)
        self.start(block)
        self.live = was_live
        self.sequence(statements)

    def finish(self, node: ast.Try, ends: list[Block], last: Block, after: Block) -> None:
        """Writes the `finally` part out: once for the ways through, once for an error that nobody catches."""
        normal = self.block()
        for block in ends:
            block.end = Goto(normal)
        self.start(normal)
        self.sequence(copy.deepcopy(node.finalbody))
        self.go(after)
        last.caught = ""
        self.start(last)
        self.sequence(copy.deepcopy(node.finalbody))
        if self.live:
            self.current.end = Raise()
            self.live = False

    # --- helpers ---

    def inline(self, method: Method, call: ast.Call, target: ast.expr) -> None:
        """Puts a helper method where it is awaited, its variables under names of their own."""
        if any(frame.name == method.name for frame in self.frames) or len(self.frames) > _DEEPEST:
            message = f"self.{method.name} calls itself, which no graph of steps can"
            raise refused(call, "recursive-helper", message, "write it as a loop")
        body = copy.deepcopy(list(method.body))
        local = {*method.parameters} | {
            part.id
            for statement in body
            for part in ast.walk(statement)
            if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)
        }
        local |= {
            part.name for item in body for part in ast.walk(item) if isinstance(part, ast.ExceptHandler) and part.name
        }
        renamed = {name: self.names.fresh(f"{method.name}_{name}") for name in sorted(local)}
        self.read |= {new for name, new in renamed.items() if name in self.read}
        for statement in body:
            rename(statement, renamed)
        for name, value in arguments_of(method, call).items():
            self.current.statements.append(assign(renamed[name], value, call))
        after = self.block()
        result = target.id if isinstance(target, ast.Name) else self.names.fresh(f"{method.name}_result")
        original = {new: name for name, new in renamed.items()}
        self.frames.append(_Frame(method.name, result, after, len(self.finalizers), self.effects(method), original))
        loops, self.loops = self.loops, []
        self.sequence(body)
        if self.live:
            self.current.statements.append(assign(result, ast.Constant(None), call))
        self.go(after)
        self.frames.pop()
        self.loops = loops
        self.start(after)
        if not isinstance(target, ast.Name):
            self.current.statements.append(place(ast.Assign([target], name_of(result, call)), call))


def _counted(items: ast.expr) -> ast.expr | None:
    """Returns n of ``range(n)`` where n is a number written down."""
    match items:
        case ast.Call(func=ast.Name(id="range"), args=[ast.Constant(value=int()) as count], keywords=[]):
            return count
    return None


def _exceptions(node: ast.expr | None) -> tuple[str, ...]:
    if node is None:
        return ()
    return tuple(ast.unparse(item) for item in (node.elts if isinstance(node, ast.Tuple) else [node]))
