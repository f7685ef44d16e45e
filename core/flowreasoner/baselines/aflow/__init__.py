"""AFlow (Zhang et al. 2024): one workflow for a whole task, by a Monte Carlo tree search over workflows."""

from flowreasoner.baselines.aflow.search import AFlow

__all__ = ["AFlow"]
