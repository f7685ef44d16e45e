"""MBPP (Austin et al. 2021): short Python problems, whole, sanitised by hand, and in AFlow's two parts."""

from __future__ import annotations

import ast
from functools import partial
from typing import TYPE_CHECKING

from flowreasoner.python_source import parse_python
from flowreasoner.query import Query
from flowreasoner.sandbox import Suite
from flowreasoner_plugins.benchmarks.published import Published
from flowreasoner_plugins.benchmarks.rows import Hub

if TYPE_CHECKING:
    from flowreasoner_plugins.benchmarks.rows import Row

__all__ = ["MBPP", "MBPP_FULL", "MBPP_TEST", "MBPP_TRAIN", "MBPP_VALIDATE"]

# fmt: off
AFLOW_VALIDATE = frozenset({
    2, 14, 56, 58, 61, 64, 66, 67, 72, 77, 85, 88, 92, 101, 102, 103, 120, 124, 125, 127, 128, 129, 130, 131, 135, 145,
    162, 163, 223, 234, 238, 248, 250, 267, 268, 272, 276, 280, 283, 295, 305, 308, 309, 310, 389, 392, 400, 404, 406,
    408, 419, 432, 437, 451, 463, 556, 562, 566, 568, 573, 574, 577, 591, 615, 629, 726, 728, 736, 740, 745, 751, 752,
    754, 755, 756, 765, 769, 777, 783, 791, 798, 799, 801, 802, 805, 806,
})
# fmt: on
"""The 86 tasks that AFlow validates on: the first of the sanitised ones as NumPy shuffles them with seed 42."""


def _read(row: Row) -> Query:
    name, signature = _tested_function(row["code"], row["test_list"][0])
    setup = "\n".join(row.get("test_imports") or []) or row.get("test_setup_code") or ""
    hidden = Suite.asserts(row["test_list"], name, setup)
    # The signature stands in for the tests that other harnesses show: no test may reach a prompt.
    problem = f"{row.get('prompt') or row['text']}\n\n{signature}"
    return Query(problem, f"MBPP/{row['task_id']}", name, None, hidden, reference=row["code"])


def _tested_function(code: str, test: str) -> tuple[str, str]:
    """Returns name and header of the solution's function that a test calls."""
    functions = {node.name: node for node in parse_python(code).body if isinstance(node, ast.FunctionDef)}
    called = [node.id for node in ast.walk(parse_python(test)) if isinstance(node, ast.Name)]
    name = next((item for item in called if item in functions), next(reversed(functions)))
    return name, f"def {name}({ast.unparse(functions[name].args)}):"


_sanitised = partial(
    Published,
    hub=Hub("google-research-datasets/mbpp", "train+test+validation+prompt", "sanitized"),
    files=("sanitized-mbpp.json", "sanitized-mbpp.json.gz"),
    read=_read,
    fields=("task_id", "prompt", "test_imports", "test_list"),
    fingerprints=("7d9f21e269c83db190ff8b68e901fe2bc75babcce3933795807ecba462d6e413",),
)
MBPP = _sanitised(
    name="mbpp",
    description="427 short Python problems, sanitised (Austin et al. 2021)",
    training="mbpp-validate",
)
MBPP_VALIDATE = _sanitised(
    name="mbpp-validate", description="the 86 problems of mbpp that AFlow validates on", only=AFLOW_VALIDATE
)
MBPP_TEST = _sanitised(
    name="mbpp-test",
    description="the 341 problems of mbpp that AFlow tests on",
    without=AFLOW_VALIDATE,
    training="mbpp-validate",
)
_full = partial(
    Published,
    hub=Hub("google-research-datasets/mbpp", "train+test+validation+prompt", "full"),
    files=("mbpp.jsonl", "mbpp.jsonl.gz"),
    read=_read,
    fields=("task_id", "text", "test_setup_code", "test_list"),
    fingerprints=("0fe326d3db9e0dc43b241037a0bfb6d9f6f8af97c0ee8a8eaa5c4ea07cd58b1f",),
)
MBPP_FULL = _full(name="mbpp-full", description="974 short Python problems, not sanitised (Austin et al. 2021)")
MBPP_TRAIN = _full(name="mbpp-train", description="the 374 problems of mbpp-full for training", only=range(601, 975))
