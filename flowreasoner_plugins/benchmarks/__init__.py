"""Benchmarks that come with the package: its own problems, the miniature family, and readers of two public sets."""

from flowreasoner_plugins.benchmarks.demo import DEMO
from flowreasoner_plugins.benchmarks.miniature import MINIATURE, MINIATURE_TRAIN
from flowreasoner_plugins.benchmarks.public import HUMANEVAL, MBPP

__all__ = ["DEMO", "HUMANEVAL", "MBPP", "MINIATURE", "MINIATURE_TRAIN"]
