"""Reads a model's reply: code out of fences and prose, fields out of tags, JSON or labelled lines.

Models are asked for a plain form and often add to it. Reading is tolerant about the wrapping and strict
about the content: a field that is missing or of the wrong kind is an error that says what was expected,
which becomes the one corrective question (`flowreasoner.operators.toolkit`).
"""

from __future__ import annotations

import ast
import json
import re
from typing import TYPE_CHECKING, Any

from flowreasoner.operators.spec import FieldKind
from flowreasoner.python_source import parse_python

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from flowreasoner.operators.spec import OperatorField

__all__ = ["ReplyUnreadable", "extract_code", "form", "read_reply", "without_thoughts"]

_THOUGHT_END = re.compile(r"(?<![\"'`])</think(?:ing)?>(?![\"']|`(?!``))", re.I)  # in quotes it is part of an answer
_THOUGHT_START = re.compile(r"\s*<think(?:ing)?>", re.I)
_FENCE = re.compile(r"([ \t]*+)(`{3,}+|~{3,}+)[ \t]*+([\w+.-]*+)[^`]*+\Z")  # possessive: linear on any line
_PYTHON = re.compile(r"(?:py(?:thon)?[\d.]*)?", re.I)
_CODE_START = re.compile(
    r"^(?:(?:async )?def \w|class \w+[ \t]*[:(]|from [\w.]+ import |import [\w.]+(?: as \w+)?[ \t]*(?:[,;#].*)?$"
    r"|@\w|[A-Za-z_]\w*[ \t]*=[^=])",
    re.M,
)
_TRAILING_COMMA = re.compile(r",[ \t\r\n]{0,40}([}\]])")
_MOST_CUTS = 5
_EDGE = r"[^\w\n]{0,12}"  # bounded: a reply is hostile text, and a free repeat here would be quadratic
_BULLET = rf"(?:[ \t]{{0,4}}\d{{1,2}}[.)])?{_EDGE}"
_TRUE = {"true", "yes", "y", "1", "pass", "passed", "correct", "accept", "accepted", "approve", "approved"}
_FALSE = {"false", "no", "n", "0", "fail", "failed", "incorrect", "wrong", "reject", "rejected"}


class ReplyUnreadable(ValueError):
    """A reply lacks what was asked for; the message says what."""


def without_thoughts(text: str) -> str:
    """Returns the reply without its ``<think>`` part, also when its opening or its closing tag is missing."""
    ends = [match.end() for match in _THOUGHT_END.finditer(text)]
    text = text[ends[-1] :] if ends else text
    return "" if _THOUGHT_START.match(text) else text.strip()


def extract_code(text: str, entry_point: str = "") -> str:
    """Returns the Python program in a model's reply.

    Args:
        text: Reply, with or without code fences and prose.
        entry_point: Name that the program should define; decides between several fenced blocks.

    Returns:
        The code, without fences; empty when there is none.
    """
    text = without_thoughts(text)
    blocks = [code for language, code in _fenced(text) if _PYTHON.fullmatch(language) and code.strip()]
    if blocks:
        defining = [block for block in blocks if entry_point and defines(block, entry_point)]
        return defining[-1] if defining else max(blocks, key=len)  # the last: drafts and quoted errors come before
    tree, _ = _parse(text)
    if tree and not all(isinstance(node, ast.Expr) for node in tree.body):
        return text.strip("\n")
    return _unfenced(text)


def _fenced(text: str) -> Iterator[tuple[str, str]]:
    """Yields language and content of each fenced block; a fence that is never closed reaches to the end."""
    fence: re.Match[str] | None = None
    block: list[str] = []
    for line in text.replace("\r\n", "\n").split("\n"):
        if fence is None:
            fence = _FENCE.match(line)
        elif line.strip().startswith(fence[2]) and not line.strip().strip(fence[2][0]):
            yield fence[3], "\n".join(block).strip("\n")
            fence, block = None, []
        else:
            indent = min(len(fence[1]), len(line) - len(line.lstrip()))
            block.append(line[indent:])
    if fence is not None:
        yield fence[3], "\n".join(block).strip("\n")


def defines(code: str, name: str) -> bool:
    """Tells whether `code` defines a function, class or variable `name` at its top level."""
    return (
        re.search(rf"^(?:async\s+def|def|class)\s+{re.escape(name)}\b|^{re.escape(name)}\s*=", code, re.M) is not None
    )


def _unfenced(text: str) -> str:
    """Returns what looks like code, from its first line up to the prose that follows it."""
    start = _CODE_START.search(text)
    if not start:
        return ""
    whole = text[start.start() :].rstrip()
    lines = whole.split("\n")
    for _ in range(_MOST_CUTS):
        tree, wrong = _parse("\n".join(lines))
        if tree:
            return "\n".join(lines).rstrip()
        end = min(wrong, len(lines)) - 1
        if end <= 0 or lines[end][:1].isspace() or _CODE_START.match(lines[end]):
            break  # not prose, but broken code, which is for the tests to judge
        lines = lines[:end]
    return whole


def _parse(text: str) -> tuple[ast.Module | None, int]:
    """Returns the text as Python, or the 1-based line at which it stops being Python."""
    try:
        return parse_python(text), 0
    except SyntaxError as error:
        return None, error.lineno or 1


def form(fields: Sequence[OperatorField]) -> str:
    """Returns the instruction that tells a model in which form to answer."""
    if len(fields) == 1 and fields[0].kind is FieldKind.TEXT:
        return ""
    if len(fields) == 1 and fields[0].kind is FieldKind.CODE:
        return "Answer with one Python code block and nothing after it."
    lines = [f"<{item.name}>{item.description}</{item.name}>" for item in fields]
    return "Answer in exactly this form, with these tags:\n" + "\n".join(lines)


def read_reply(text: str, fields: Sequence[OperatorField], *, entry_point: str = "") -> dict[str, Any]:
    """Reads the fields of a reply.

    Args:
        text: The model's reply.
        fields: What was asked for.
        entry_point: Name that a code field should define.

    Returns:
        One value per field: `str`, or `bool` for a flag.

    Raises:
        ReplyUnreadable: If a field is missing, empty or of the wrong kind.
    """
    text = without_thoughts(text)
    if len(fields) == 1 and fields[0].kind in {FieldKind.TEXT, FieldKind.CODE}:
        only = fields[0]
        # No tags were asked for, and a program may hold the like of them: there, they must begin a line.
        tagged = _tag(text, only.name, start=r"^[ \t]*" if only.kind is FieldKind.CODE else "")
        return {only.name: _convert(text if tagged is None else tagged, only, entry_point)}
    tagged_values = {item.name: _tag(text, item.name) for item in fields}
    found = _from_json(text, fields)
    if any(tagged_values.values()) and not text.lstrip("`~json \n").startswith("{"):
        found = {}  # the object stands inside a field
    values: dict[str, Any] = {}
    for item in fields:
        raw = found.get(item.name)
        if raw is None and item.name not in found:
            raw = tagged_values[item.name]
            raw = _labelled(text, item.name, fields) if raw is None else raw
        if raw is None and item.default == "":
            raw = ""
        if raw is None:
            raise ReplyUnreadable(f"the field <{item.name}> is missing")
        values[item.name] = _convert(raw, item, entry_point)
    return values


def _convert(raw: Any, item: OperatorField, entry_point: str) -> Any:
    if item.kind is FieldKind.FLAG:
        if isinstance(raw, bool):
            return raw
        words = re.sub(r"[^a-z0-9]+", " ", str(raw).lower()).strip().split(" ")
        both = {"true", "false"} <= set(words)
        none = re.match(r"\W*no[ \t]+\w", str(raw), re.I)  # "no issues found" says the opposite of "no, because ..."
        if (words[0] in _TRUE or words[0] in _FALSE) and not both and not none:
            return words[0] in _TRUE
        raise ReplyUnreadable(f"the field <{item.name}> must be true or false, not {str(raw)[:40]!r}")
    if item.kind is FieldKind.CODE:
        code = extract_code(str(raw), entry_point)
        if not code.strip():
            raise ReplyUnreadable("there is no Python code in the reply")
        return code
    text = (raw if isinstance(raw, str) else json.dumps(raw, ensure_ascii=False)).strip()
    if not text and item.default != "":
        raise ReplyUnreadable(f"the field <{item.name}> is empty")
    return text


def _tag(text: str, name: str, start: str = "") -> str | None:
    """Returns what stands between ``<name>`` and ``</name>``; a missing end tag reaches to the next tag."""
    openings = list(re.finditer(rf"{start}<{re.escape(name)}[ \t]{{0,9}}>", text, re.I | re.M))
    if not openings:
        return None
    closing = re.compile(rf"</{re.escape(name)}[ \t]{{0,9}}>", re.I).search(text, openings[0].end())
    if closing:  # an opening tag before the last one was only mentioned
        return text[[item.end() for item in openings if item.end() <= closing.start()][-1] : closing.start()]
    rest = text[openings[0].end() :]
    following = re.search(r"\n[ \t]*<[A-Za-z_]\w*>", rest)
    return rest[: following.start()] if following else rest


def _from_json(text: str, fields: Sequence[OperatorField]) -> dict[str, Any]:
    """Returns the first JSON object in the reply that has at least one of the fields, or an empty one."""
    names = {item.name for item in fields}
    decoder = json.JSONDecoder(strict=False)
    text = _TRAILING_COMMA.sub(r"\1", text)
    braces = [match.start() for match in re.finditer(r"\{", text)]
    for start in [*braces[:20], *braces[20:][-20:]]:  # LaTeX is full of them
        try:
            value, _ = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict) and names & value.keys():
            return value
    return {}


def _labelled(text: str, name: str, fields: Sequence[OperatorField]) -> str | None:
    """Returns what follows ``Name:`` at the start of a line, up to the next field's label."""
    spelled = {item.name: re.escape(item.name).replace("_", "[ _]") for item in fields}
    match = re.search(rf"^{_BULLET}{spelled[name]}{_EDGE}?:[ \t*]{{0,12}}(.*)\Z", text, re.I | re.M | re.S)
    if not match:
        return None
    others = "|".join(pattern for other, pattern in spelled.items() if other != name)
    if others:
        return re.split(rf"^{_BULLET}(?:{others}){_EDGE}?:", match[1], maxsplit=1, flags=re.I | re.M)[0]
    return match[1]
