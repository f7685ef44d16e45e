"""Recipes: trainings as YAML files, checked before anything starts."""
