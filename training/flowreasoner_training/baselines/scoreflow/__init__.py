"""ScoreFlow (Wang et al. 2025, arXiv 2502.04306): a generator of workflows per query, fine-tuned with Score-DPO.

What needs torch is imported when a generator is trained or asked.
"""

from __future__ import annotations

from flowreasoner_training.baselines.scoreflow.designer import GeneratorDesigner
from flowreasoner_training.baselines.scoreflow.method import ScoreFlow
from flowreasoner_training.baselines.scoreflow.settings import MINIATURE_DPO, MINIATURE_SAMPLING, Dpo, Sampling

__all__ = ["MINIATURE_DPO", "MINIATURE_SAMPLING", "Dpo", "GeneratorDesigner", "Sampling", "ScoreFlow"]
