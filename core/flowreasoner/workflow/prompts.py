"""Prompt modules: constants that a workflow uses as ``prompt_custom.NAME``, read without running them."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flowreasoner.workflow.diagnostics import Diagnostic
from flowreasoner.workflow.language import MAX_SOURCE
from flowreasoner.workflow.text import read_module

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["constant_text", "read_prompts"]

_MOST_TEXT = 10 * MAX_SOURCE
"""Characters of all prompts together; constants that repeat each other could make them any number."""

_STRIPS = {"strip": str.strip, "lstrip": str.lstrip, "rstrip": str.rstrip}


def read_prompts(source: str) -> tuple[dict[str, str], list[Diagnostic]]:
    """Reads the string constants of a prompt module.

    Args:
        source: Python source of assignments such as ``NAME = "..."``.

    Returns:
        The constants by name, and what could not be read.
    """
    if not source.lstrip("\ufeff").strip():
        return {}, []
    reading = read_module(source, what="the prompt module")
    if reading.tree is None:
        return {}, [
            Diagnostic(
                p.line, p.column, f"prompt-{p.code}", "error", p.message, 'write NAME = """text""" for each prompt'
            )
            for p in reading.problems
        ]
    prompts: dict[str, str] = {}
    problems: list[Diagnostic] = []
    room = _MOST_TEXT
    for statement in reading.tree.body:
        match statement:
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=value)
                | ast.AnnAssign(target=ast.Name(id=name), value=value)
            ):
                text = None if value is None else constant_text(value, prompts)
                if text is None or len(text) > room:
                    problems.append(_not_constant(statement, name))
                else:
                    prompts[name] = text
                    room -= len(text)
            case ast.Import() | ast.ImportFrom() | ast.Expr(value=ast.Constant()) | ast.Pass():
                pass
            case _:
                problems.append(_not_constant(statement, type(statement).__name__))
    return prompts, problems


def constant_text(node: ast.expr, known: Mapping[str, str]) -> str | None:
    """Returns the text that an expression of string constants stands for, or None for any other."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.Name(id=name):
            return known.get(name)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _concatenated([constant_text(left, known), constant_text(right, known)])
        case ast.JoinedStr(values=parts):
            return _concatenated([_part(part, known) for part in parts])
        case ast.Call(
            func=ast.Attribute(value=inner, attr="strip" | "lstrip" | "rstrip" as method), args=[], keywords=[]
        ):
            stripped = constant_text(inner, known)
            return None if stripped is None else _STRIPS[method](stripped)
        case ast.Tuple(elts=[only]):  # a stray comma after the string
            return constant_text(only, known)
    return None


def _part(node: ast.expr, known: Mapping[str, str]) -> str | None:
    """Returns a part of an f-string; a placeholder with a conversion or format is no plain text."""
    if isinstance(node, ast.FormattedValue):
        plain = node.format_spec is None and node.conversion in {-1, ord("s")}
        return constant_text(node.value, known) if plain else None
    return constant_text(node, known)


def _concatenated(parts: Sequence[str | None]) -> str | None:
    """Returns the joined parts, unless one is missing or the text would be too long: it may double with each name."""
    texts = [part for part in parts if part is not None]
    if len(texts) < len(parts) or sum(map(len, texts)) > MAX_SOURCE:
        return None
    return "".join(texts)


def _not_constant(node: ast.stmt, name: str) -> Diagnostic:
    return Diagnostic(
        node.lineno,
        node.col_offset + 1,
        "prompt-not-constant",
        "warning",
        f"{name!r} in the prompt module is not a constant string and is left out",
        "write it as one string without calls or placeholders that are filled in there",
    )
