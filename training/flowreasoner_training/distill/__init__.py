"""Reasoning distillation (§4.1, Eq. 1): a teacher designs workflows with real feedback, and the good runs are kept."""

from flowreasoner_training.distill.export import export_llamafactory
from flowreasoner_training.distill.filters import Filters
from flowreasoner_training.distill.result import Distillation, DistillProgress
from flowreasoner_training.distill.run import distill

__all__ = ["DistillProgress", "Distillation", "Filters", "distill", "export_llamafactory"]
