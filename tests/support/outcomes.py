"""Outcomes of attempts, made up for tests."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

from flowreasoner.comparison import Outcome
from flowreasoner_training.nano.contenders import TITLES
from flowreasoner_training.nano.summary import summarise

__all__ = ["an_outcome", "some_outcomes", "some_results"]


def an_outcome(**changes: Any) -> Outcome:
    """Returns an outcome with the given changes."""
    made = Outcome(
        "sft", "seed 0", "q1", 2, 0, 1.0, 1.0, 1.0, 1.0, 1.1, (0.9, 1.3), 2, 6, 2.0, 1.0, 7, 900, 1200, ("Test",)
    )
    return replace(made, **changes)


def some_outcomes(queries: int = 24, seeds: int = 2) -> list[Outcome]:
    """Returns outcomes of all contenders, three checkpoints for each trained one; the later, the better."""
    roll = random.Random(0)
    outcomes = []
    for place, name in enumerate(TITLES):
        labels = ["seed 0", "seed 1", "seed 2"] if name in {"sft", "grpo", "outcome"} else [""]
        for label in labels:
            for number in range(queries):
                depth = 1 + number % 4
                for seed in range(seeds):
                    passed = float(roll.random() < 0.9 - 0.15 * depth + 0.05 * place)
                    calls = 1.0 + (depth if name == "grpo" else 0)
                    made = an_outcome(contender=name, checkpoint=label, query=f"q{number}", depth=depth, seed=seed)
                    outcomes.append(replace(made, passed=passed, hidden=passed, run_calls=calls, complexity=2 * calls))
    return outcomes


def some_results(**changes: Any) -> dict[str, Any]:
    """Returns what a results file holds, made up; the summary is that of `some_outcomes` unless given."""
    results = {
        "command": "python benchmarks/miniature.py --worker embedded:worker",
        "settings": {"rounds": 4, "evaluations": 3, "early_stop": True, "queries": 24, "validation": 10, "seeds": 2},
        "versions": {"python": "3.11.0", "numpy": "2.0"},
        "weights": {"runs/grpo@0123abcd": "0123abcd" + "01234567" * 7},
        "candidates": {"write it": {"passed": 0.4, "calls": 1.0}, "plan it": {"passed": 0.5, "calls": 2.0}},
        "chosen": "plan it",
        "pictures": {"contenders": "pictures/miniature-contenders.png"},
    }
    return results | changes | {"summary": changes.get("summary") or summarise(some_outcomes())}
