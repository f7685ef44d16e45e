"""Statements as the text of a function's body, for the modules that adapters write."""

from __future__ import annotations

import ast
import copy
import io
import re
import tokenize
from itertools import pairwise
from typing import TYPE_CHECKING

from flowreasoner.workflow.unparse import unparse

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["double_quoted", "indented", "statement", "without_unused", "wrapped"]

_STRING = re.compile(r""" "(?:\\.|[^"\\])*" | '(?:\\.|[^'\\])*' """, re.VERBOSE)


def statement(text: str) -> ast.stmt:
    """Returns a statement of our own making, parsed."""
    return ast.parse(text).body[0]


def indented(statements: Sequence[ast.stmt], by: int = 4) -> list[str]:
    """Returns statements as lines, indented."""
    body = [_Memberships().visit(copy.deepcopy(item)) for item in statements]
    text = unparse(ast.fix_missing_locations(ast.Module(body, [])))
    if not text:
        return []
    return [piece for line in text.split("\n") for piece in (wrapped(" " * by + line) if line else [""])]


class _Memberships(ast.NodeTransformer):
    """Writes ``not x in y`` as ``x not in y``, and ``not x is y`` likewise, which is the same."""

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        self.generic_visit(node)
        match node:
            case ast.UnaryOp(op=ast.Not(), operand=ast.Compare(left=left, ops=[ast.In()], comparators=right)):
                return ast.Compare(left, [ast.NotIn()], right)
            case ast.UnaryOp(op=ast.Not(), operand=ast.Compare(left=left, ops=[ast.Is()], comparators=right)):
                return ast.Compare(left, [ast.IsNot()], right)
        return node


def double_quoted(source: str) -> str:
    """Returns Python source with its plain strings in double quotes, as formatters write them."""
    lines = source.split("\n")
    inside = 0  # f-strings whose tokens Python 3.12 shows
    for token in reversed(list(tokenize.generate_tokens(io.StringIO(source).readline))):
        name, text = tokenize.tok_name[token.type], token.string
        inside += {"FSTRING_END": 1, "FSTRING_START": -1}.get(name, 0)
        plain = text[:1] == "'" and not text.startswith("'''") and not any(sign in text[1:-1] for sign in "\"'\\")
        if name == "STRING" and plain and not inside:
            (row, start), (_, end) = token.start, token.end
            line = lines[row - 1]
            lines[row - 1] = f'{line[:start]}"{text[1:-1]}"{line[end:]}'
    return "\n".join(lines)


def wrapped(line: str, width: int = 120) -> list[str]:
    """Returns a line of canonical source as lines of at most `width` characters, as far as brackets allow.

    Args:
        line: One logical line, indented.
        width: Longest line, in characters.
    """
    indent = " " * (len(line) - len(line.lstrip()))
    masked = _STRING.sub(lambda found: "s" * len(found[0]), line)
    pair = _last_brackets(masked) if len(line) > width else None
    if pair is None:
        return [line]
    start, end = pair
    inside = f"{indent}    {line[start + 1 : end]}"
    body = [inside]
    if len(inside) > width:
        cuts, comma = _cuts(masked[start + 1 : end])
        edges = [start + 1, *(start + 1 + cut for cut in cuts), end]
        parts = list(filter(None, (line[left:right].strip() for left, right in pairwise(edges))))
        parts[-1] += comma
        body = [piece for part in parts for piece in wrapped(f"{indent}    {part}", width)]
    return [*wrapped(line[: start + 1], width), *body, *wrapped(indent + line[end:], width)]


def _last_brackets(masked: str) -> tuple[int, int] | None:
    """Returns where the last outermost pair of brackets with something in it opens and closes."""
    depth, start, found = 0, 0, None
    for index, char in enumerate(masked):
        if char in "([{":
            start = start if depth else index
            depth += 1
        elif char in ")]}":
            depth -= 1
            if depth == 0 and index > start + 1:
                found = start, index
    return found


def _cuts(masked: str) -> tuple[list[int], str]:
    """Returns where the inside of brackets may be cut, and the comma that then ends it."""
    depth, commas, loops, single = 0, [], [], False
    for found in re.finditer(r"[(\[{]|[)\]}]|,|\blambda\b|\b(?:async )?for\b", masked):
        if found[0] in {"(", "[", "{"}:
            depth += 1
        elif found[0] in {")", "]", "}"}:
            depth -= 1
        elif depth == 0 and found[0] == ",":
            commas.append(found.end())
        elif depth == 0 and found[0] == "lambda":
            single = True
        elif depth == 0:
            loops.append(found.start())
    if loops or single:
        return loops, ""
    return commas, "," * bool(commas) if not masked.rstrip().endswith(",") else ""


def without_unused(statements: list[ast.stmt]) -> list[ast.stmt]:
    """Leaves out variables of a function that nothing in it reads, and then those that only these have read."""
    while True:
        remover = _Unused(_read(statements))
        changed = [remover.visit(item) for item in statements]
        statements = [_filled(item) for item in changed if item is not None]
        if not remover.removed:
            return statements


def _read(statements: Sequence[ast.stmt]) -> set[str]:
    read = set()
    for part in (part for item in statements for part in ast.walk(item)):
        match part:
            case ast.Name(id=name, ctx=ast.Load()) | ast.AugAssign(target=ast.Name(id=name)):
                read.add(name)
    return read


class _Unused(ast.NodeTransformer):
    """Removes assignments to variables that are not read."""

    def __init__(self, read: set[str]) -> None:
        self.read, self.removed = read, False

    def visit_Assign(self, node: ast.Assign) -> ast.AST | None:
        match node.targets:
            case [ast.Name(id=name)] if name not in self.read:
                self.removed = True
                return None if isinstance(node.value, ast.Name | ast.Constant) else ast.Expr(node.value)
            case [ast.Tuple(elts=parts)]:
                for part in parts:  # linters take a name with an underscore for one that is not meant to be read
                    if isinstance(part, ast.Name) and not {part.id, f"_{part.id}"} & self.read:
                        part.id = f"_{part.id.lstrip('_')}"
        return node

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.AST:
        self.generic_visit(node)
        node.body = node.body or [ast.Pass()]
        if node.name and node.name not in self.read:
            node.name = None
        return node


def _filled(node: ast.stmt) -> ast.stmt:
    """Puts `pass` where a block has become empty."""
    for part in ast.walk(node):
        if isinstance(part, ast.If | ast.For | ast.While | ast.Try) and not part.body:
            part.body = [ast.Pass()]
    return node
