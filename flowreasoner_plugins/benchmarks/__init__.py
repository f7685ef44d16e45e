"""Benchmarks that come with the package: its own dozen problems, and readers of two public sets."""

from flowreasoner_plugins.benchmarks.demo import DEMO
from flowreasoner_plugins.benchmarks.public import HUMANEVAL, MBPP

__all__ = ["DEMO", "HUMANEVAL", "MBPP"]
