"""Recipes made from a shipped one and a few changes."""

import pytest
import yaml

from flowreasoner_training.recipes import load_recipe


@pytest.fixture
def recipe_file(tmp_path):
    """Writes a recipe file from nested keys, and returns its path as text."""

    def write(file="mine.yaml", /, **keys):
        (tmp_path / file).write_text(yaml.safe_dump(keys))
        return str(tmp_path / file)

    return write


@pytest.fixture
def changed(recipe_file):
    """Returns a shipped recipe with changes."""
    return lambda base, **keys: load_recipe(recipe_file(extends=base, **keys))
