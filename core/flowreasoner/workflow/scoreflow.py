"""ScoreFlow's dialect: operators that know the problem and return plain strings, brought into AFlow's form."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flowreasoner.operators.spec import Operator

__all__ = ["SCOREFLOW", "awaited_calls", "fill_arguments", "supply", "texts_of"]


class _Counterpart(NamedTuple):
    """What stands for an operator of ScoreFlow's.

    Attributes:
        operator: The operator of ours.
        theirs: Name of its first argument in ScoreFlow.
        ours: Name of that argument here.
        key: Key of the string that ScoreFlow returns.
    """

    operator: str
    theirs: str
    ours: str
    key: str


SCOREFLOW: dict[str, _Counterpart] = {
    "Custom": _Counterpart("Custom", "instruction", "instruction", "response"),
    "CustomCodeGenerate": _Counterpart("CustomCodeGenerate", "instruction", "instruction", "response"),
    "ScEnsemble": _Counterpart("ScEnsemble", "solutions", "solutions", "response"),
    "Programmer": _Counterpart("Programmer", "analysis", "analysis", "output"),
    "Test": _Counterpart("Test", "solution", "solution", "solution"),
    "Review": _Counterpart("Revise", "pre_solution", "solution", "solution"),
    "AnswerGenerate": _Counterpart("AnswerGenerate", "", "", "answer"),
}
"""Our counterpart of each of ScoreFlow's operators."""

_FEEDBACK = "Check every step of the proposed solution and write a better one."


def fill_arguments(node: ast.Call, operator: str, operators: Mapping[str, Operator]) -> None:
    """Names the arguments of a call as ours are named, and adds those that ScoreFlow leaves out."""
    counterpart = SCOREFLOW[operator]
    values = [*node.args, *(keyword.value for keyword in node.keywords if keyword.arg == counterpart.theirs)]
    rest = [keyword for keyword in node.keywords if keyword.arg != counterpart.theirs]
    node.args = []
    node.keywords = ([ast.keyword(counterpart.ours, values[0])] if values else []) + rest
    if counterpart.operator == "Revise":
        node.keywords.append(ast.keyword("feedback", ast.copy_location(ast.Constant(_FEEDBACK), node)))
    given = {keyword.arg for keyword in node.keywords}
    known = operators.get(counterpart.operator)
    for item in known.inputs if known else ():
        if item.name in {"problem", "input", "entry_point"} and item.name not in given:
            supply(node, item.name, "problem" if item.name == "input" else item.name)


def supply(node: ast.Call, argument: str, name: str = "") -> None:
    """Adds ``argument=name`` to a call."""
    value = ast.copy_location(ast.Name(name or argument, ast.Load()), node)
    node.keywords.append(ast.keyword(argument, value))


def awaited_calls(node: ast.Await) -> list[ast.expr]:
    """Returns what an await starts: one call, or each one that it gathers."""
    match node.value:
        case ast.Call(func=ast.Attribute(value=ast.Name(id="asyncio"), attr="gather"), args=arguments):
            return [part for argument in arguments for part in _gathered(argument)]
    return [node.value]


def _gathered(argument: ast.expr) -> list[ast.expr]:
    match argument:
        case ast.Starred(value=ast.ListComp(elt=part) | ast.GeneratorExp(elt=part)):
            return [part]
        case ast.Starred(value=ast.List(elts=parts) | ast.Tuple(elts=parts)):
            return parts
    return [argument]


def texts_of(node: ast.Await, key: str) -> ast.expr:
    """Returns an await of our operators with the strings that ScoreFlow's return."""

    def text(result: ast.expr) -> ast.expr:
        return ast.Subscript(result, ast.Constant(key), ast.Load())

    if awaited_calls(node) == [node.value]:
        texts = text(node)
    else:
        each = ast.comprehension(ast.Name("one", ast.Store()), node, [], 0)
        texts = ast.ListComp(text(ast.Name("one", ast.Load())), [each])
    for part in ast.walk(texts):
        if isinstance(part, ast.expr) and not hasattr(part, "lineno"):
            ast.copy_location(part, node)
    return texts
