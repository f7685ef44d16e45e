"""Meta Agent Search (Hu et al. 2024, ADAS): one workflow for a whole task, from an archive that grows by invention."""

from flowreasoner.baselines.adas.search import ADAS
from flowreasoner.baselines.adas.seeds import SEEDS

__all__ = ["ADAS", "SEEDS"]
