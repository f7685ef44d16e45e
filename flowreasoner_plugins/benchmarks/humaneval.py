"""HumanEval (Chen et al. 2021): functions by their docstrings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flowreasoner.query import Query
from flowreasoner.sandbox import Suite
from flowreasoner_plugins.benchmarks.published import Published
from flowreasoner_plugins.benchmarks.rows import Hub

if TYPE_CHECKING:
    from flowreasoner_plugins.benchmarks.rows import Row

__all__ = ["HUMANEVAL"]


def _read(row: Row) -> Query:
    prompt, name = row["prompt"], row["entry_point"]
    # The prompt may define helpers before the function; the tests of some items use them.
    setup = prompt[: prompt.rfind(f"def {name}")]
    hidden = Suite.check(row["test"], name, setup)
    return Query(prompt, row["task_id"], name, None, hidden, reference=prompt + row["canonical_solution"])


HUMANEVAL = Published(
    name="humaneval",
    description="164 functions by their docstrings (Chen et al. 2021)",
    hub=Hub("openai/openai_humaneval", "test"),
    files=("HumanEval.jsonl.gz", "HumanEval.jsonl"),
    read=_read,
    fields=("task_id", "prompt", "entry_point", "test"),
    fingerprints=("7db50c80c2f35c3732c684d662c18602791fc38a0e6cf68c9eb0d7fda0fc2d31",),
)
