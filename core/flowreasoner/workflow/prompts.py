"""Prompt modules: constants that a workflow uses as ``prompt_custom.NAME``, read without running them."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flowreasoner.workflow.diagnostics import Diagnostic
from flowreasoner.workflow.text import read_module

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["constant_text", "read_prompts"]


def read_prompts(source: str) -> tuple[dict[str, str], list[Diagnostic]]:
    """Reads the string constants of a prompt module.

    Args:
        source: Python source of assignments such as ``NAME = "..."``.

    Returns:
        The constants by name, and what could not be read.
    """
    if not source.strip():
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
    for statement in reading.tree.body:
        match statement:
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=value)
                | ast.AnnAssign(target=ast.Name(id=name), value=value)
            ):
                text = None if value is None else constant_text(value, prompts)
                if text is None:
                    problems.append(_not_constant(statement, name))
                else:
                    prompts[name] = text
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
            first, second = constant_text(left, known), constant_text(right, known)
            return None if first is None or second is None else first + second
        case ast.JoinedStr(values=parts):
            texts = [
                constant_text(part.value if isinstance(part, ast.FormattedValue) else part, known) for part in parts
            ]
            return None if None in texts else "".join(text for text in texts if text is not None)
        case ast.Call(
            func=ast.Attribute(value=inner, attr="strip" | "lstrip" | "rstrip" as method), args=[], keywords=[]
        ):
            text = constant_text(inner, known)
            return None if text is None else getattr(text, method)()
        case ast.Tuple(elts=[only]):  # a stray comma after the string
            return constant_text(only, known)
    return None


def _not_constant(node: ast.stmt, name: str) -> Diagnostic:
    return Diagnostic(
        node.lineno,
        node.col_offset + 1,
        "prompt-not-constant",
        "warning",
        f"{name!r} in the prompt module is not a constant string and is left out",
        "write it as one string without calls or placeholders that are filled in there",
    )
