"""Comparisons under equal conditions: who solves how many queries, at what cost, and is the difference real (§5)?"""

from flowreasoner.comparison.attempt import Arena, attempt
from flowreasoner.comparison.contender import Contender, ModelFor
from flowreasoner.comparison.outcomes import Outcome, OutcomeFile
from flowreasoner.comparison.running import Progress, run

__all__ = ["Arena", "Contender", "ModelFor", "Outcome", "OutcomeFile", "Progress", "attempt", "run"]
