"""Methods that are handed on as functions, as in ``max(xs, key=xs.count)``, written as the lambdas they stand for."""

from __future__ import annotations

import ast

from flowreasoner.workflow.language import METHODS, MODULES

__all__ = ["name_callbacks"]


def name_callbacks(node: ast.Call) -> None:
    """Writes methods that are handed on, as in ``max(xs, key=xs.count)`` and ``map(str.strip, xs)``, as lambdas."""
    function = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if function in {"max", "min", "sorted", "sort"}:
        for keyword in node.keywords:
            if keyword.arg == "key":
                keyword.value = _as_lambda(keyword.value)
    elif function in {"map", "filter"} and node.args:
        node.args[0] = _as_lambda(node.args[0])


def _as_lambda(node: ast.expr) -> ast.expr:
    """Returns a method of a value, or of a type, as the lambda that calls it; anything else as it is."""
    if not isinstance(node, ast.Attribute) or not any(node.attr in names for names in METHODS.values()):
        return node
    taken = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
    if taken & {"self", *MODULES}:
        return node
    name = next(name for name in ("item", "each", "element", "member") if name not in taken)
    item = ast.Name(name, ast.Load())
    of_type = isinstance(node.value, ast.Name) and node.value.id in METHODS
    target: ast.expr = item if of_type else node.value
    arguments: list[ast.expr] = [] if of_type else [item]
    body = ast.Call(ast.Attribute(target, node.attr, ast.Load()), arguments, [])
    made = ast.Lambda(ast.arguments([], [ast.arg(name)], None, [], [], None, []), body)
    return ast.fix_missing_locations(ast.copy_location(made, node))
