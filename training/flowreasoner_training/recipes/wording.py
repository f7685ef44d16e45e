"""Turns what pydantic finds wrong with a recipe into words: the place, what is allowed there, and the value."""

from __future__ import annotations

import reprlib
from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel

from flowreasoner.text import did_you_mean, listing
from flowreasoner_training.recipes.schema import Recipe

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pydantic import ValidationError

__all__ = ["in_words"]

_WANTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "model_type": "a section of keys",
    "dict_type": "a section of keys",
    "greater_than": "above {gt:g}",
    "greater_than_equal": "at least {ge:g}",
    "less_than": "below {lt:g}",
    "less_than_equal": "at most {le:g}",
    "literal_error": "{expected}",
}


def in_words(error: ValidationError) -> list[str]:
    """Returns every problem of a recipe in a line.

    Args:
        error: What pydantic found in a `Recipe`.
    """
    lines: list[str] = []
    wanted: dict[str, tuple[list[str], object]] = {}  # of one place, what each branch of a union would take
    for item in error.errors(include_url=False):
        place = _place(item["loc"])
        if item["type"] == "extra_forbidden":
            lines.append(_unknown_key(place, item["loc"]))
        elif item["type"] == "missing":
            lines.append(f"{'.'.join(place)} is missing{_meaning(place)}")
        else:
            template = _WANTED.get(item["type"], item["msg"])
            context: Mapping[str, Any] = item.get("ctx", {})
            wanted.setdefault(".".join(place), ([], item["input"]))[0].append(template.format(**context))
    for where, (phrases, value) in wanted.items():
        lines.append(f"{where} must be {' or '.join(dict.fromkeys(phrases))}, not {reprlib.repr(value):.60}")
    return lines


def _place(loc: Sequence[int | str]) -> list[str]:
    """Returns an error's place without the parts that only name the branch of a union."""
    parts: list[str] = []
    for part in loc:
        if isinstance(part, int):
            parts[-1] += f"[{part}]"
        elif not ("[" in part or (part in {"str", "LoraSettings"} and parts)):
            parts.append(part)
    return parts


def _unknown_key(place: list[str], loc: Sequence[int | str]) -> str:
    key = str(loc[-1])
    known = _section(place[:-1]).model_fields
    hint = did_you_mean(key, known)
    sections = {name: _section([name]) for name in Recipe.model_fields}
    elsewhere = [name for name, kind in sections.items() if kind is not Recipe and key in kind.model_fields]
    if not hint and elsewhere:
        hint = f"; it belongs in {listing(elsewhere)}"
    return f"{'.'.join(place)} is no setting{hint or f'; known are {listing(known, 30)}'}"


def _meaning(place: list[str]) -> str:
    field = _section(place[:-1]).model_fields.get(place[-1])
    return f": {field.description.rstrip('.')}" if field is not None and field.description else ""


def _section(names: Sequence[str]) -> type[BaseModel]:
    """Returns the section at a place, or the recipe itself where there is none."""
    section: type[BaseModel] = Recipe
    for name in names:
        field = section.model_fields.get(name)
        kinds = [field.annotation, *get_args(field.annotation)] if field is not None else []
        section = next((k for k in kinds if isinstance(k, type) and issubclass(k, BaseModel)), Recipe)
    return section
