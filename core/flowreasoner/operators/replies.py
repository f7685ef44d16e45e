"""Reads a model's reply: code out of fences and prose, fields out of tags, JSON or labelled lines.

Models are asked for a plain form and often add to it. Reading is tolerant about the wrapping and strict
about the content: a field that is missing or of the wrong kind is an error that says what was expected,
which becomes the one corrective question (`flowreasoner.operators.toolkit`).
"""

from __future__ import annotations

import ast
import json
import re
import warnings
from typing import TYPE_CHECKING, Any

from flowreasoner.operators.spec import FieldKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flowreasoner.operators.spec import OperatorField

__all__ = ["ReplyUnreadable", "extract_code", "form", "read_reply", "without_thoughts"]

_FENCE = re.compile(r"^[ \t]*(`{3,}|~{3,})[ \t]*([\w+.-]*)[^\n]*\n(.*?)(?:^[ \t]*\1[ \t]*$|\Z)", re.M | re.S)
_CODE_START = re.compile(r"^(?:def |class |async def |import |from |@|[A-Za-z_]\w*\s*=[^=])", re.M)
_MOST_CUTS = 40
_EDGE = r"[^\w\n]{0,12}"  # bounded: a reply is hostile text, and a free repeat here would be quadratic
_TRUE = {"true", "yes", "1", "pass", "passed", "correct", "accept", "approved"}
_FALSE = {"false", "no", "0", "fail", "failed", "incorrect", "reject", "rejected"}


class ReplyUnreadable(ValueError):
    """A reply lacks what was asked for; the message says what."""


def without_thoughts(text: str) -> str:
    """Returns the reply without its ``<think>`` part, also when the opening tag is missing."""
    for tag in ("</think>", "</thinking>"):
        text = text.rpartition(tag)[2]
    return text.strip()


def extract_code(text: str, entry_point: str = "") -> str:
    """Returns the Python program in a model's reply.

    Args:
        text: Reply, with or without code fences and prose.
        entry_point: Name that the program should define; decides between several fenced blocks.

    Returns:
        The code, without fences; empty when there is none.
    """
    text = without_thoughts(text)
    blocks = [
        match[3].strip("\n")
        for match in _FENCE.finditer(text)
        if match[2].lower() in {"", "python", "python3", "py"} and match[3].strip()
    ]
    if blocks:
        defining = [block for block in blocks if entry_point and defines(block, entry_point)]
        return defining[0] if defining else max(blocks, key=len)
    if _parses(text):
        return text.strip("\n")
    return _unfenced(text)


def defines(code: str, name: str) -> bool:
    """Tells whether `code` defines a function, class or variable `name` at its top level."""
    return (
        re.search(rf"^(?:async\s+def|def|class)\s+{re.escape(name)}\b|^{re.escape(name)}\s*=", code, re.M) is not None
    )


def _unfenced(text: str) -> str:
    """Returns the longest stretch of paragraphs that parses, from the first line that looks like code."""
    start = _CODE_START.search(text)
    if not start:
        return ""
    paragraphs = text[start.start() :].split("\n\n")
    for end in range(len(paragraphs), max(0, len(paragraphs) - _MOST_CUTS), -1):
        candidate = "\n\n".join(paragraphs[:end])
        if _parses(candidate):
            return candidate.rstrip()
    return text[start.start() :]  # broken code is for the tests to judge


def _parses(text: str) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return any(not isinstance(node, ast.Expr) for node in tree.body)


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
        tagged = _tag(text, only.name)
        return {only.name: _convert(text if tagged is None else tagged, only, entry_point)}
    found = _from_json(text, fields) or {}
    values: dict[str, Any] = {}
    for item in fields:
        raw = found.get(item.name)
        if raw is None:
            raw = _tag(text, item.name)
        if raw is None:
            raw = _labelled(text, item.name, fields)
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
        word = re.sub(r"[^a-z0-9]+", " ", str(raw).lower()).strip().split(" ")[0]
        if word in _TRUE or word in _FALSE:
            return word in _TRUE
        raise ReplyUnreadable(f"the field <{item.name}> must be true or false, not {str(raw)[:40]!r}")
    if item.kind is FieldKind.CODE:
        code = extract_code(str(raw), entry_point)
        if not code.strip():
            raise ReplyUnreadable("there is no Python code in the reply")
        return code
    text = str(raw).strip()
    if not text and item.default != "":
        raise ReplyUnreadable(f"the field <{item.name}> is empty")
    return text


def _tag(text: str, name: str) -> str | None:
    """Returns what stands between ``<name>`` and ``</name>``; a missing end tag reaches to the next tag."""
    opening = re.search(rf"<{re.escape(name)}\s*>", text, re.I)
    if not opening:
        return None
    rest = text[opening.end() :]
    closing = re.search(rf"</{re.escape(name)}\s*>", rest, re.I)
    if closing:
        return rest[: closing.start()]
    following = re.search(r"\n\s*<[A-Za-z_]\w*>", rest)
    return rest[: following.start()] if following else rest


def _from_json(text: str, fields: Sequence[OperatorField]) -> dict[str, Any] | None:
    """Returns the first JSON object in the reply that has at least one of the fields."""
    names = {item.name for item in fields}
    decoder = json.JSONDecoder(strict=False)
    for match in list(re.finditer(r"\{", text))[:20]:
        try:
            value, _ = decoder.raw_decode(text, match.start())
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict) and names & value.keys():
            return value
    return None


def _labelled(text: str, name: str, fields: Sequence[OperatorField]) -> str | None:
    """Returns what follows ``Name:`` at the start of a line, up to the next field's label."""
    spelled = {item.name: re.escape(item.name).replace("_", "[ _]") for item in fields}
    match = re.search(rf"^{_EDGE}{spelled[name]}{_EDGE}?:[ \t*]{{0,12}}(.*)\Z", text, re.I | re.M | re.S)
    if not match:
        return None
    others = "|".join(pattern for other, pattern in spelled.items() if other != name)
    if others:
        return re.split(rf"^{_EDGE}(?:{others}){_EDGE}?:", match[1], maxsplit=1, flags=re.I | re.M)[0]
    return match[1]
