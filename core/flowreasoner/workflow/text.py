"""Text of a workflow to a syntax tree, with safe repairs of how models wrap and indent code.

Every repair keeps the number of lines, so that diagnostics point into the text that was given.
"""

from __future__ import annotations

import ast
import html
import re
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flowreasoner.workflow.diagnostics import Diagnostic
from flowreasoner.workflow.language import MAX_BITS, MAX_DEPTH, MAX_SOURCE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Reading", "read_module"]

_FENCE = re.compile(r"^[ \t]*(?:`{3,}|~{3,})[\w+.-]*[ \t]*$")
_TAG = re.compile(r"^[ \t]*</?(?:graph|code|workflow|answer|prompt)>[ \t]*$", re.I)
_ENTITY = re.compile(r"&(?:lt|gt|amp|quot|apos|#39|#x27|nbsp);")
_DEFINITION = re.compile(r"^[ \t]*(?:async[ \t]+)?def[ \t]+(\w+)")
_COMPOUND = re.compile(r"^(?:if|elif|else|for|while|try|except|finally|with|async for|async with)\b.*:[ \t]*(?:#.*)?$")
_CLASS = re.compile(r"^class[ \t]+\w+.*:[ \t]*(?:#.*)?$")


@dataclass(frozen=True)
class Reading:
    """What became of a text: its tree, or why there is none.

    Attributes:
        tree: The parsed module, or None when the text cannot be parsed.
        repairs: What was changed before it parsed, as sentences.
        problems: Why it did not parse.
    """

    tree: ast.Module | None
    repairs: tuple[str, ...] = ()
    problems: tuple[Diagnostic, ...] = ()


def read_module(text: str, *, what: str = "the workflow") -> Reading:
    """Parses a text, repairing it as little as is needed.

    Args:
        text: Python as a model or a file gave it.
        what: What the text is, for messages.

    Returns:
        The tree and the repairs, or the problems. Never raises for any text.
    """
    if len(text) > MAX_SOURCE:
        return _refused("too-large", 0, 0, f"{what} has {len(text):,} characters", f"keep it under {MAX_SOURCE:,}")
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        return _refused("binary-content", line, 0, f"{what} contains a NUL byte", "give it as plain text")
    text = text.lstrip("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip():
        return _refused("empty", 0, 0, f"{what} is empty", "write a class Workflow with an async __call__ method")
    first = _parse(text, what)
    if first.tree is not None or first.problems[0].code != "syntax-error":
        return first
    repaired, done = text, []
    for repair, sentence in _REPAIRS:
        changed = repair(repaired)
        if changed == repaired:
            continue
        repaired = changed
        done.append(sentence)
        reading = _parse(repaired, what)
        if reading.tree is not None:
            return Reading(reading.tree, tuple(done))
    best = _parse(repaired, what) if done else first
    return Reading(None, tuple(done), best.problems)


def _parse(text: str, what: str) -> Reading:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an invalid escape in a prompt is no concern of ours
            tree = ast.parse(text)
    except SyntaxError as error:
        line, column = error.lineno or 0, error.offset or 0
        source = (error.text or "").strip()
        shown = f": {source[:80]!r}" if source else ""
        return _refused(
            "syntax-error", line, column, f"{what} does not parse: {error.msg}{shown}", "correct the syntax"
        )
    except (MemoryError, RecursionError):
        return _too_deep(what)
    except ValueError as error:
        return _refused("syntax-error", 0, 0, f"{what} does not parse: {error}", "correct the syntax")
    for node, depth in _walk_depths(tree):
        if depth > MAX_DEPTH:
            return _too_deep(what, getattr(node, "lineno", 0))
        if isinstance(node, ast.Constant) and isinstance(node.value, int) and node.value.bit_length() > MAX_BITS:
            message = f"{what} has a number of {node.value.bit_length():,} bits"
            return _refused("too-large", node.lineno, node.col_offset + 1, message, "compute it in smaller steps")
    return Reading(tree)


def _walk_depths(tree: ast.AST) -> Iterator[tuple[ast.AST, int]]:
    """Yields nodes with their depth, without recursion: the tree may be too deep to recurse into."""
    stack: list[tuple[ast.AST, int]] = [(tree, 0)]
    while stack:
        node, depth = stack.pop()
        yield node, depth
        if depth <= MAX_DEPTH:
            stack.extend((child, depth + 1) for child in ast.iter_child_nodes(node))


def _refused(code: str, line: int, column: int, message: str, remedy: str) -> Reading:
    return Reading(None, (), (Diagnostic(line, column, code, "error", message, remedy),))


def _too_deep(what: str, line: int = 0) -> Reading:
    message = f"{what} nests more than {MAX_DEPTH} levels deep"
    return _refused("too-deep", line, 0, message, "split it into several statements")


# --- repairs, from the safest to the boldest --------------------------------------------------------------


def _blank_matching(*patterns: re.Pattern[str]) -> Callable[[str], str]:
    def repair(text: str) -> str:
        lines = text.split("\n")
        return "\n".join("" if any(pattern.match(line) for pattern in patterns) else line for line in lines)

    return repair


def _unescape(text: str) -> str:
    return html.unescape(text).replace("\xa0", " ") if _ENTITY.search(text) else text


def _dedent(text: str) -> str:
    """Removes the common indentation."""
    lines = text.split("\n")
    common = min((_indent(line) for line in lines if line.strip()), default=0)
    return "\n".join(line[common:] if line.strip() else line for line in lines)


def _dedent_rest(text: str) -> str:
    """Moves the other lines left to a first line that alone lost its indentation, as `str.strip` leaves it."""
    lines = text.split("\n")
    filled = [index for index, line in enumerate(lines) if line.strip()]
    if len(filled) < 2 or _indent(lines[filled[0]]):
        return text
    rest = min(_indent(lines[index]) for index in filled[1:])
    siblings = any(_DEFINITION.match(lines[index]) and _indent(lines[index]) == rest for index in filled[1:])
    if not siblings:
        return text
    return "\n".join(line[rest:] if index != filled[0] and line.strip() else line for index, line in enumerate(lines))


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" \t"))


def _indent_members(text: str) -> str:
    """Indents what follows a class header when its first member has no indentation."""
    lines = text.split("\n")
    header = next((index for index, line in enumerate(lines) if _CLASS.match(line)), None)
    if header is None:
        return text
    following = next((line for line in lines[header + 1 :] if line.strip()), "")
    if not _DEFINITION.match(following) or _indent(following):
        return text
    body = [f"    {line}" if line.strip() else line for line in lines[header + 1 :]]
    return "\n".join(lines[: header + 1] + body)


def _indent_flat(text: str) -> str:
    """Restores a class that lost all indentation, where that is certain: no loops or branches inside."""
    lines = text.split("\n")
    header = next((index for index, line in enumerate(lines) if _CLASS.match(line)), None)
    if header is None or any(_indent(line) for line in lines[header + 1 :] if line.strip()):
        return text
    if any(_COMPOUND.match(line) for line in lines[header + 1 :]):
        return text
    body = [
        f"{'    ' if _DEFINITION.match(line) else '        '}{line}" if line.strip() else line
        for line in lines[header + 1 :]
    ]
    return "\n".join(lines[: header + 1] + body)


def _drop_repeated_header(text: str) -> str:
    """Drops a ``def`` line that repeats the one before it, as one of the paper's figures has it."""
    lines = text.split("\n")
    for index in range(1, len(lines)):
        before, here = _DEFINITION.match(lines[index - 1]), _DEFINITION.match(lines[index])
        if before and here and before[1] == here[1] and lines[index].rstrip().endswith(":"):
            lines[index] = ""
    return "\n".join(lines)


def _strip_prose(text: str) -> str:
    """Blanks what stands before the first line and after the last line that can belong to the class."""
    lines = text.split("\n")
    start = re.compile(r"^(?:class |async def |def |import |from |@|[A-Z][A-Z0-9_]*\s*=)")
    first = next((index for index, line in enumerate(lines) if start.match(line)), None)
    if first is None:
        return text
    last = len(lines)
    while last > first and (
        not lines[last - 1].strip() or not (start.match(lines[last - 1]) or _indent(lines[last - 1]))
    ):
        last -= 1
    return "\n".join([""] * first + lines[first:last] + [""] * (len(lines) - last))


_REPAIRS: tuple[tuple[Callable[[str], str], str], ...] = (
    (_blank_matching(_FENCE, _TAG), "code fences and tags around the code removed"),
    (_dedent, "common indentation removed"),
    (_unescape, "HTML entities decoded"),
    (_drop_repeated_header, "a repeated 'def' line removed"),
    (_dedent_rest, "lost indentation of the first line restored"),
    (_indent_flat, "lost indentation restored"),
    (_indent_members, "lost indentation of the class's methods restored"),
    (_strip_prose, "text around the code removed"),
)
