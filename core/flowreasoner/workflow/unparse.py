"""Source from a syntax tree, the same on every supported Python.

`ast.unparse` of 3.12 reuses an f-string's quotes inside its placeholders, which 3.11 cannot read.
"""

from __future__ import annotations

import ast
import copy

__all__ = ["unparse"]


def unparse(node: ast.AST) -> str:
    """Returns the source of a tree whose f-strings are portable (see `fstrings.portable`)."""
    if not any(isinstance(part, ast.JoinedStr) for part in ast.walk(node)):
        return ast.unparse(node)  # to copy a large tree takes longer than to print it
    fstrings = _FStrings()
    text = ast.unparse(fstrings.visit(copy.deepcopy(node)))
    for mark, literal in fstrings.literals.items():
        text = text.replace(mark, literal)
    return text


class _FStrings(ast.NodeTransformer):
    """Puts a name that no source can hold in the place of each f-string."""

    def __init__(self) -> None:
        self.literals: dict[str, str] = {}

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.Name:
        mark = f"\0{len(self.literals)}\0"
        self.literals[mark] = _literal(node)
        return ast.Name(mark, ast.Load())


def _literal(node: ast.JoinedStr) -> str:
    fields = "".join(_field(part) for part in node.values if isinstance(part, ast.FormattedValue))
    text = "".join(str(part.value) for part in node.values if isinstance(part, ast.Constant))
    quote = '"' if "'" in fields or ("'" in text and '"' not in text) else "'"
    parts = (
        _field(part) if isinstance(part, ast.FormattedValue) else _escape(str(part.value), quote)
        for part in node.values
        if isinstance(part, ast.FormattedValue | ast.Constant)
    )
    return f"f{quote}{''.join(parts)}{quote}"


def _field(part: ast.FormattedValue) -> str:
    value = unparse(part.value)
    if isinstance(part.value, ast.Lambda | ast.IfExp):
        value = f"({value})"  # a lambda's colon would begin a format specification
    conversion = f"!{chr(part.conversion)}" if part.conversion != -1 else ""
    specification = ""
    if isinstance(part.format_spec, ast.JoinedStr):
        inner = part.format_spec.values
        specification = ":" + "".join(
            _field(item) if isinstance(item, ast.FormattedValue) else str(item.value)
            for item in inner
            if isinstance(item, ast.FormattedValue | ast.Constant)
        )
    return f"{{{' ' * value.startswith('{')}{value}{conversion}{specification}}}"


def _escape(text: str, quote: str) -> str:
    both = repr(text + "'\"")[1:-4]  # with both quotes inside, `repr` escapes the single one
    if quote == '"':
        both = both.replace("\\'", "'").replace('"', '\\"')
    return both.replace("{", "{{").replace("}", "}}")
