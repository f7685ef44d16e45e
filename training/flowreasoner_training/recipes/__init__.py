"""Recipes: every setting of a training in one file, checked and planned before anything starts."""

from flowreasoner_training.recipes.loading import load_recipe, recipe_names, variant_names
from flowreasoner_training.recipes.schema import Recipe

__all__ = ["Recipe", "load_recipe", "recipe_names", "variant_names"]
