"""MaAS (Zhang et al. 2025): an agentic supernet, from which a trained controller samples a workflow for each query."""

from __future__ import annotations

from flowreasoner_training.baselines.maas.designer import MaASDesigner
from flowreasoner_training.baselines.maas.method import MaAS

__all__ = ["MaAS", "MaASDesigner"]
