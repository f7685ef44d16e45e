"""Benchmarks that come with the package: its own problems, the miniature family, and readers of published sets."""

from flowreasoner_plugins.benchmarks.bigcodebench import (
    BIGCODEBENCH,
    BIGCODEBENCH_HARD,
    BIGCODEBENCH_HARD_INSTRUCT,
    BIGCODEBENCH_INSTRUCT,
    BIGCODEBENCH_TEST,
    BIGCODEBENCH_VALIDATE,
)
from flowreasoner_plugins.benchmarks.demo import DEMO
from flowreasoner_plugins.benchmarks.humaneval import HUMANEVAL, HUMANEVAL_TEST, HUMANEVAL_VALIDATE
from flowreasoner_plugins.benchmarks.mbpp import MBPP, MBPP_FULL, MBPP_TEST, MBPP_TRAIN, MBPP_VALIDATE
from flowreasoner_plugins.benchmarks.miniature import MINIATURE, MINIATURE_TRAIN

__all__ = [
    "BIGCODEBENCH",
    "BIGCODEBENCH_HARD",
    "BIGCODEBENCH_HARD_INSTRUCT",
    "BIGCODEBENCH_INSTRUCT",
    "BIGCODEBENCH_TEST",
    "BIGCODEBENCH_VALIDATE",
    "DEMO",
    "HUMANEVAL",
    "HUMANEVAL_TEST",
    "HUMANEVAL_VALIDATE",
    "MBPP",
    "MBPP_FULL",
    "MBPP_TEST",
    "MBPP_TRAIN",
    "MBPP_VALIDATE",
    "MINIATURE",
    "MINIATURE_TRAIN",
]
