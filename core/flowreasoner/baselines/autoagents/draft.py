"""What the planner drafts: experts, and a plan of steps that each name the experts who work on it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints, TypeAdapter, ValidationError

from flowreasoner.operators.replies import without_thoughts
from flowreasoner.text import shorten

__all__ = ["FALLBACK", "Draft", "DraftUnreadable", "Expert", "Step", "read_draft"]

MOST_EXPERTS, MOST_STEPS = 10, 12
"""More than any published example has; a longer draft is asked for again."""

_LONGEST_REPLY = 200_000
_LONGEST_STEP = 4_000
_Text = Annotated[str, StringConstraints(max_length=8_000)]
_Name = Annotated[str, StringConstraints(min_length=1, max_length=60, pattern=r"^[^\n:]+$")]


class DraftUnreadable(ValueError):
    """A draft cannot be used; the message tells the planner why."""


class Expert(BaseModel):
    """An agent of the team.

    Attributes:
        name: By which the plan names it.
        description: Its field of expertise.
        prompt: Whom the worker acts as.
        suggestions: How to go about its steps.
    """

    model_config = ConfigDict(frozen=True, str_strip_whitespace=True)

    name: _Name
    description: _Text = ""
    prompt: Annotated[_Text, StringConstraints(min_length=1)]
    suggestions: _Text = ""


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the plan.

    Attributes:
        experts: Who work on it, as indices in the draft's experts.
        task: What they are to do.
    """

    experts: tuple[int, ...]
    task: str


@dataclass(frozen=True, slots=True)
class Draft:
    """A team and its plan."""

    experts: tuple[Expert, ...]
    steps: tuple[Step, ...]


FALLBACK = Draft(
    (
        Expert(name="Analyst", prompt="You are an analyst. You break problems down into clear steps."),
        Expert(name="Solver", prompt="You are an expert in the field of the problem. You solve it along given steps."),
        Expert(name="Language Expert", prompt="You are a language expert. You put results together into an answer."),
    ),
    (
        Step((0,), "Analyse the problem: what is given, what is asked, and the steps and edge cases of a solution."),
        Step((1,), "Solve the problem along the analysis, completely."),
        Step((2,), "Answer the original problem from the results of the steps before."),
    ),
)
"""The team for a planner whose drafts cannot be read."""

_EXPERTS = TypeAdapter(list[Expert])
_NUMBERED = re.compile(r"^[ \t]{0,2}\d{1,3}[.)][ \t]+", re.M)
_FENCE = re.compile(r"^[ \t]*```[\w+-]*[ \t]*$", re.M)


def read_draft(reply: str) -> Draft:
    """Reads a planner's reply.

    Raises:
        DraftUnreadable: If experts or plan are missing, malformed or too many, or a step names no expert.
    """
    text = without_thoughts(reply[:_LONGEST_REPLY])
    experts = _experts(_part(text, "experts"))
    steps = [" ".join(item.split()) for item in _NUMBERED.split(_part(text, "plan"))[1:]]
    if not 1 <= len(steps) <= MOST_STEPS:
        raise DraftUnreadable(f"the plan must be a numbered list of 1 to {MOST_STEPS} steps, and has {len(steps)}")
    return Draft(experts, tuple(_step(number, step, experts) for number, step in enumerate(steps, 1)))


def _part(text: str, tag: str) -> str:
    start, end = text.rfind(f"<{tag}>"), text.rfind(f"</{tag}>")
    if not 0 <= start < end:
        raise DraftUnreadable(f"the reply has no <{tag}>...</{tag}>")
    return _FENCE.sub("", text[start + len(tag) + 2 : end]).strip()


def _experts(text: str) -> tuple[Expert, ...]:
    try:
        experts = _EXPERTS.validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise DraftUnreadable(f"<experts> must be a JSON list of experts: {place}: {first['msg']}") from None
    if not 1 <= len(experts) <= MOST_EXPERTS:
        raise DraftUnreadable(f"there must be 1 to {MOST_EXPERTS} experts, not {len(experts)}")
    if len({item.name.lower() for item in experts}) < len(experts):
        raise DraftUnreadable("two experts have the same name")
    return tuple(experts)


def _step(number: int, text: str, experts: tuple[Expert, ...]) -> Step:
    """Reads ``Name, other name: task``; who is named is looked for before the colon, as published."""
    named, _, task = text.partition(":")
    found: dict[int, int] = {}
    left = named.lower()
    for index in sorted(range(len(experts)), key=lambda item: -len(experts[item].name)):
        place = left.find(experts[index].name.lower())
        if place >= 0:  # blanked, as a shorter name may be part of a longer one
            found[index] = place
            left = left.replace(experts[index].name.lower(), " " * len(experts[index].name))
    if not found or not task.strip():
        names = ", ".join(item.name for item in experts)
        raise DraftUnreadable(
            f"step {number} must be 'NAME: what to do', with names among {names}; it is {shorten(text, 80)!r}"
        )
    return Step(tuple(sorted(found, key=found.__getitem__)), task.strip()[:_LONGEST_STEP])
