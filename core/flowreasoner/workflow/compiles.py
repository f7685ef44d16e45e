"""The last check: what Python's own compiler and this package's reader say of a program in canonical form."""

from __future__ import annotations

import ast
import warnings
from typing import TYPE_CHECKING

from flowreasoner.workflow.diagnostics import Diagnostic
from flowreasoner.workflow.text import read_module

if TYPE_CHECKING:
    from flowreasoner.workflow.program import Method, Program, Workflow

__all__ = ["check_compiles", "check_prints"]


def check_compiles(program: Program) -> list[Diagnostic]:
    """Finds what the grammar allows but the compiler refuses, such as a repeated argument.

    Nothing is executed; the compiled code is thrown away.
    """
    return [found for method in program.methods for found in _compile(method)]


def _compile(method: Method) -> list[Diagnostic]:
    parameters = [ast.arg("self"), *map(ast.arg, method.parameters)]
    arguments = ast.arguments([], parameters, None, [], [], None, list(method.defaults))
    kind = ast.AsyncFunctionDef if method.is_async else ast.FunctionDef
    header = kind(method.name, arguments, list(method.body), [], lineno=method.line, col_offset=0)
    module = ast.fix_missing_locations(ast.Module([header], []))
    for node in ast.walk(header):
        if isinstance(node, ast.stmt | ast.expr | ast.arg | ast.keyword | ast.excepthandler):
            node.end_lineno = node.end_col_offset = None  # rewritten code does not end where it once did
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a doubtful comparison is no error
            compile(module, "workflow", "exec", dont_inherit=True)
    except SyntaxError as error:
        line, column = error.lineno or method.line, error.offset or 0
        message = f"{method.name} does not compile: {error.msg}"
        return [Diagnostic(line, column, "syntax-error", "error", message, "correct the syntax")]
    return []


def check_prints(workflow: Workflow) -> list[Diagnostic]:
    """Finds a workflow whose canonical source would be too long or too deep to be read again."""
    problems = read_module(workflow.source, what="the workflow in canonical form").problems
    return [Diagnostic(0, 0, item.code, item.severity, item.message, item.remedy) for item in problems]
