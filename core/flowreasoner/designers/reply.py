"""Reads a meta-agent's reply: reasoning, modification, workflow and prompts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flowreasoner.models.base import Completion

__all__ = ["Proposed", "read_proposal"]

_THINKING = ("</think>", "</thinking>")
_FENCED = re.compile(r"^[ \t]*```[\w+-]*[ \t]*\n(.*?)^[ \t]*```", re.M | re.S)
_CLASS = re.compile(r"^[ \t]*class[ \t]+\w+|^[ \t]*async[ \t]+def[ \t]+(?:__call__|run_workflow)\b", re.M)
_LONGEST_REPLY = 400_000


@dataclass(frozen=True, slots=True)
class Proposed:
    """A reply, taken apart.

    Attributes:
        reasoning: Thoughts, from the provider's field, a ``<think>`` part, or what stands before the answer.
        modification: What changed, in the meta-agent's words.
        graph: Text of the workflow; empty when there is none.
        prompt: Text of the prompts; empty when there are none.
    """

    reasoning: str
    modification: str
    graph: str
    prompt: str


def read_proposal(completion: Completion) -> Proposed:
    """Takes a reply apart, as tolerantly as it can; never raises."""
    text = completion.text[:_LONGEST_REPLY]
    thoughts, answer = _split_thoughts(text)
    graph = _part(answer, "graph") or _part(answer, "code") or _fenced_class(answer) or _part(text, "graph") or ""
    modification = _part(answer, "modification") or ""
    before = answer[: answer.find("<modification>")] if "<modification>" in answer else ""
    reasoning = "\n\n".join(part.strip() for part in (completion.reasoning, thoughts, before) if part.strip())
    return Proposed(reasoning, " ".join(modification.split())[:500], graph, _unfenced(_part(answer, "prompt") or ""))


def _split_thoughts(text: str) -> tuple[str, str]:
    for end in _THINKING:
        thoughts, found, answer = text.rpartition(end)
        if found:
            return re.sub(r"\A\s*<think(?:ing)?>", "", thoughts), answer
    return "", text


def _part(text: str, tag: str) -> str | None:
    """Returns what stands in the last ``<tag>``; a missing end tag reaches to the next part or the end."""
    start = text.rfind(f"<{tag}>")
    if start < 0:
        return None
    rest = text[start + len(tag) + 2 :]
    end = rest.find(f"</{tag}>")
    if end < 0:
        following = re.search(r"^[ \t]*<(?:prompt|graph|modification)>", rest, re.M)
        end = following.start() if following else len(rest)
    return rest[:end].strip("\n") or None


def _fenced_class(text: str) -> str:
    """Returns the last fenced block with a workflow in it, or the bare class, or nothing."""
    blocks = [match[1] for match in _FENCED.finditer(text) if _CLASS.search(match[1])]
    if blocks:
        return blocks[-1].strip("\n")
    return text if _CLASS.search(text) and "await self." in text else ""


def _unfenced(text: str) -> str:
    match = _FENCED.search(text)
    return match[1] if match else text
