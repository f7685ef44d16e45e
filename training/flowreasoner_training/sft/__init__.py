"""Supervised fine-tuning on distilled trajectories (Eq. 2; Appendix A)."""

from flowreasoner_training.sft.train import SftResult, train_sft
from flowreasoner_training.sft.watch import SftProgress

__all__ = ["SftProgress", "SftResult", "train_sft"]
