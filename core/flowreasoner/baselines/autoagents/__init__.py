"""AutoAgents (Chen et al. 2023): a team of experts and its plan, drafted for each query and checked by observers."""

from __future__ import annotations

from flowreasoner.baselines.autoagents.designer import AutoAgents

__all__ = ["AutoAgents"]
