"""Finds, assembles and reads recipes: shipped ones by name, with variants, or a file that may extend one.

A variant is a part of a recipe, laid over it: ``flowreasoner-7b+lora+4gpu``. A file says ``extends:
flowreasoner-7b+lora`` and then only what is different. Sections are merged key by key, anything else is replaced.
"""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from pydantic import ValidationError

from flowreasoner.errors import RecipeError
from flowreasoner.text import did_you_mean, listing
from flowreasoner_training.recipes.checks import impossible, unknown
from flowreasoner_training.recipes.reading import parse_yaml
from flowreasoner_training.recipes.schema import Recipe
from flowreasoner_training.recipes.wording import in_words

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

    from flowreasoner_plugins.manager import Plugins

__all__ = ["describe", "load_recipe", "recipe_names", "variant_names"]

_SUFFIXES = (".yaml", ".yml")
_SAID_ONCE = ("gpus", "generation")  # of hardware: variants that both say one are alternatives


def recipe_names() -> tuple[str, ...]:
    """Returns the names of the shipped recipes."""
    return _names(_shipped())


def variant_names() -> tuple[str, ...]:
    """Returns the names of the variants that can be added to a recipe's name with ``+``."""
    return _names(_shipped() / "variants")


def describe(name: str) -> str:
    """Returns the sentence with which a shipped recipe or a variant says what it is for."""
    known = {**_files(_shipped()), **_files(_shipped() / "variants")}
    return str(_parsed(known[name], name)["description"])


def load_recipe(name_or_path: str, plugins: Plugins | None = None) -> Recipe:
    """Loads a recipe, and checks all of it before anything starts.

    Args:
        name_or_path: ``NAME``, ``NAME+VARIANT…``, a YAML file, or a file with variants.
        plugins: Where benchmarks, reward terms and model schemes come from; what a recipe names is looked up
            there, and not looked up without.

    Raises:
        RecipeError: Naming every problem at once, each with its place, its value and the remedy.
    """
    value = _assembled(name_or_path, ())
    try:
        # As JSON: there, lists and text stand for tuples and paths also where types are strict.
        recipe = Recipe.model_validate_json(json.dumps(value, default=str))
    except ValidationError as error:
        raise RecipeError(name_or_path, in_words(error)) from None
    problems = impossible(recipe) + (unknown(recipe, plugins) if plugins is not None else [])
    if problems:
        raise RecipeError(name_or_path, problems)
    return recipe


def _assembled(name_or_path: str, within: tuple[str, ...]) -> dict[str, Any]:
    """Returns a recipe's keys with those of what it extends and of its variants."""
    if name_or_path in within:
        raise RecipeError(within[0], [f"extends: {' -> '.join([*within, name_or_path])} goes round in a circle"])
    base, *variants = [name_or_path] if Path(name_or_path).is_file() else name_or_path.split("+")
    value = _base(base, within)
    known = _files(_shipped() / "variants")
    said: dict[str, str] = {}
    for variant in variants:
        if variant not in known:
            hint = did_you_mean(variant, known) or f"; known are {listing(known, 20)}"
            raise RecipeError(name_or_path, [f"there is no variant {variant!r}{hint}"])
        part = _parsed(known[variant], variant)
        for key in _SAID_ONCE:
            if key in part.get("hardware", {}) and said.setdefault(key, variant) != variant:
                problem = f"+{said[key]} and +{variant} both set hardware.{key}: leave one out"
                raise RecipeError(name_or_path, [problem])
        part["description"] = f"{value.get('description', '')} {part['description']}".strip()
        value = _merged(value, {**part, "name": f"{value.get('name', base)}+{variant}"})
    return value


def _base(name: str, within: tuple[str, ...]) -> dict[str, Any]:
    """Returns the keys of a recipe without variants, and of what it extends."""
    shipped, path = _files(_shipped()), Path(name)
    if name in shipped:
        value = _parsed(shipped[name], name)
    elif path.is_file():
        value = _located(_parsed(path, name), path.parent)
    elif path.suffix in _SUFFIXES or len(path.parts) > 1:
        raise RecipeError(name, [f"there is no file {name!r}"])
    else:
        hint = did_you_mean(name, shipped)
        raise RecipeError(name, [f"there is no such recipe{hint}; there are {listing(shipped)}, or give a YAML file"])
    extended = value.pop("extends", None)
    if extended is None:
        return value
    if not isinstance(extended, str):
        raise RecipeError(name, [f"extends must be the name of a recipe or a file, not {extended!r:.60}"])
    beside = path.parent / extended
    return _merged(_assembled(str(beside) if beside.is_file() else extended, (*within, name)), value)


def _located(value: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Returns a file's keys with its paths as the file means them: relative to itself."""
    for section, key, words in (("queries", "data", ()), ("model", "chat_template", ("own", "r1-distill"))):
        part = value.get(section)
        if isinstance(part, dict) and isinstance(part.get(key), str) and part[key] not in words:
            value = {**value, section: {**part, key: str(folder / part[key])}}
    return value


def _merged(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """Returns one recipe laid over another: sections key by key, anything else as a whole."""
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        merged[key] = _merged(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged


def _parsed(file: Path | Traversable, name: str) -> dict[str, Any]:
    try:
        value = parse_yaml(file.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(name, [f"the file cannot be read: {error}"]) from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise RecipeError(name, [f"it is no valid YAML: {' '.join(str(error).split()):.300}"]) from None
    if not isinstance(value, dict):
        raise RecipeError(name, [f"a recipe is a file of sections such as 'model:', not {type(value).__name__}"])
    return value


def _shipped() -> Traversable:
    return resources.files("flowreasoner_training.recipes") / "data"


def _files(folder: Traversable) -> dict[str, Traversable]:
    """Returns the YAML files of a folder by name."""
    return {item.name.removesuffix(".yaml"): item for item in folder.iterdir() if item.name.endswith(".yaml")}


def _names(folder: Traversable) -> tuple[str, ...]:
    return tuple(sorted(_files(folder)))
