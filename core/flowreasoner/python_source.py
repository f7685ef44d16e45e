"""Parses Python that somebody else wrote, a model or a benchmark: quietly, and with one kind of error."""

from __future__ import annotations

import ast
import warnings

__all__ = ["TooDeep", "parse_python"]


class TooDeep(SyntaxError):
    """The text is nested too deep for the parser."""


def parse_python(source: str) -> ast.Module:
    r"""Returns a text's syntax tree; nothing is executed.

    An invalid escape such as ``"\w"`` is the author's concern, so that it gives no warning here.

    Args:
        source: Any text.

    Raises:
        SyntaxError: If it is no Python, for whatever reason.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(source)
    except (RecursionError, MemoryError):
        raise TooDeep("nested too deep for the parser") from None
    except ValueError as error:  # NUL bytes, lone surrogates
        raise SyntaxError(str(error)) from None
