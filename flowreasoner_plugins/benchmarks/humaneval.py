"""HumanEval (Chen et al. 2021): functions by their docstrings."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from flowreasoner.query import Query
from flowreasoner.sandbox import Suite
from flowreasoner_plugins.benchmarks.published import Published
from flowreasoner_plugins.benchmarks.rows import Hub

if TYPE_CHECKING:
    from flowreasoner_plugins.benchmarks.rows import Row

__all__ = ["HUMANEVAL", "HUMANEVAL_TEST", "HUMANEVAL_VALIDATE"]

# fmt: off
AFLOW_VALIDATE = frozenset(f"HumanEval/{number}" for number in (
    9, 12, 15, 16, 18, 19, 24, 29, 30, 31, 51, 55, 56, 60, 66, 75, 78, 85, 95, 98, 101, 105, 115, 131, 132, 134, 135,
    139, 145, 152, 155, 157, 160,
))
# fmt: on
"""The 33 tasks that AFlow validates on: the first ones as NumPy shuffles them with seed 42."""


def _read(row: Row) -> Query:
    prompt, name = row["prompt"], row["entry_point"]
    # The prompt may define helpers before the function; the tests of some items use them.
    setup = prompt[: prompt.rfind(f"def {name}")]
    hidden = Suite.check(row["test"], name, setup)
    return Query(prompt, row["task_id"], name, None, hidden, reference=prompt + row["canonical_solution"])


_part = partial(
    Published,
    hub=Hub("openai/openai_humaneval", "test"),
    files=("HumanEval.jsonl.gz", "HumanEval.jsonl"),
    read=_read,
    fields=("task_id", "prompt", "entry_point", "test"),
    fingerprints=("7db50c80c2f35c3732c684d662c18602791fc38a0e6cf68c9eb0d7fda0fc2d31",),
)
HUMANEVAL = _part(
    name="humaneval",
    description="164 functions by their docstrings (Chen et al. 2021)",
    training="humaneval-validate",
)
HUMANEVAL_VALIDATE = _part(
    name="humaneval-validate",
    description="the 33 functions of humaneval that AFlow validates on",
    only=AFLOW_VALIDATE,
)
HUMANEVAL_TEST = _part(
    name="humaneval-test",
    description="the 131 functions of humaneval that AFlow tests on",
    without=AFLOW_VALIDATE,
    training="humaneval-validate",
)
