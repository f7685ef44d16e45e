"""f-strings and format templates.

An f-string is kept printable on every supported Python: 3.11 allows no backslash or reused quote in it.
"""

from __future__ import annotations

import ast
import string

__all__ = ["portable", "template_fields"]

_LONGEST_SUM = 12
"""Parts of a sum; more of them are joined, as a sum nests with each part."""


def portable(node: ast.AST) -> ast.AST:
    """Returns an f-string as it is when Python 3.11 could print it, else as the sum of its parts."""
    if not isinstance(node, ast.JoinedStr):
        return node
    # Python 3.12 leaves empty texts in format specifications.
    node.values = [part for part in node.values if not (isinstance(part, ast.Constant) and part.value == "")]
    if not any(_awkward(part) for part in node.values):
        return node
    if any(isinstance(part, ast.FormattedValue) and part.conversion == ord("a") for part in node.values):
        return node  # outside the language; left for the checker to say so
    parts = [_as_call(part) for part in node.values]
    if len(parts) > _LONGEST_SUM:
        method = ast.Attribute(ast.Constant(""), "join", ast.Load())
        result: ast.expr = ast.Call(method, [ast.List(parts, ast.Load())], [])
    else:
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
    inside = [part.value]
    if isinstance(part.format_spec, ast.JoinedStr):
        inside += [item.value if isinstance(item, ast.FormattedValue) else item for item in part.format_spec.values]
    elif part.format_spec is not None:
        return True  # a format that was awkward itself, and is a sum by now
    return any(
        isinstance(inner, ast.JoinedStr)
        or (isinstance(inner, ast.Constant) and isinstance(inner.value, str) and _needs_escape(inner.value))
        for value in inside
        for inner in ast.walk(value)
    )


def _needs_escape(text: str) -> bool:
    return not text.isprintable() or any(char in text for char in "\\'\"{}")


def _as_call(part: ast.expr) -> ast.expr:
    if not isinstance(part, ast.FormattedValue):
        return part
    value: ast.expr = part.value
    if part.conversion == ord("r"):
        value = _call("repr", value)
    elif part.conversion == ord("s"):
        value = _call("str", value)
    if part.format_spec is not None:
        spec: ast.expr = part.format_spec
        if isinstance(spec, ast.JoinedStr) and all(isinstance(item, ast.Constant) for item in spec.values):
            spec = ast.Constant("".join(str(item.value) for item in spec.values if isinstance(item, ast.Constant)))
        return _call("format", value, spec)
    return value if part.conversion in {ord("r"), ord("s")} else _call("str", value)


def _call(name: str, *arguments: ast.expr) -> ast.Call:
    return ast.Call(ast.Name(name, ast.Load()), list(arguments), [])


def template_fields(template: str, nested: bool = False) -> list[str]:
    """Returns the names of a template's fields, those inside format specifications among them."""
    found = []
    for _, name, spec, _ in string.Formatter().parse(template):
        found += [name] if name else []
        if spec and nested and "{" in spec:
            raise ValueError("format fields nest too deeply")
        found += template_fields(spec, nested=True) if spec else []
    return found
