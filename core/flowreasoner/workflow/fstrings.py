"""Keeps f-strings printable on every supported Python: 3.11 allows no backslash or reused quote in them."""

from __future__ import annotations

import ast

__all__ = ["portable"]


def portable(node: ast.AST) -> ast.AST:
    """Returns an f-string as it is when Python 3.11 could print it, else as a sum of `str` and `format` calls."""
    if not isinstance(node, ast.JoinedStr) or not any(_awkward(part) for part in node.values):
        return node
    parts = [_as_call(part) for part in node.values]
    result = parts[0]
    for part in parts[1:]:
        result = ast.BinOp(result, ast.Add(), part)
    for created in ast.walk(result):
        if isinstance(created, ast.expr) and not hasattr(created, "lineno"):
            ast.copy_location(created, node)
    return result


def _awkward(part: ast.expr) -> bool:
    """Tells whether a placeholder holds a string that needs an escape, a quote, or another f-string."""
    if not isinstance(part, ast.FormattedValue):
        return False
    return any(
        isinstance(inner, ast.JoinedStr)
        or (isinstance(inner, ast.Constant) and isinstance(inner.value, str) and _needs_escape(inner.value))
        for inner in ast.walk(part.value)
    )


def _needs_escape(text: str) -> bool:
    return not text.isprintable() or any(char in text for char in "\\'\"{}")


def _as_call(part: ast.expr) -> ast.expr:
    if not isinstance(part, ast.FormattedValue):
        return part
    value: ast.expr = part.value
    if part.conversion == ord("r"):
        value = _call("repr", value)
    elif part.conversion in {ord("s"), ord("a")}:
        value = _call("str", value)
    if part.format_spec is not None:
        spec: ast.expr = part.format_spec
        if isinstance(spec, ast.JoinedStr) and all(isinstance(item, ast.Constant) for item in spec.values):
            spec = ast.Constant("".join(str(item.value) for item in spec.values if isinstance(item, ast.Constant)))
        return _call("format", value, spec)
    return value if part.conversion in {ord("r"), ord("s"), ord("a")} else _call("str", value)


def _call(name: str, *arguments: ast.expr) -> ast.Call:
    return ast.Call(ast.Name(name, ast.Load()), list(arguments), [])
