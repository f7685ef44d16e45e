"""BigCodeBench (Zhuo et al. 2024): functions that call libraries, by docstring or by instruction; and its hard part."""

from __future__ import annotations

import ast
import sys
from functools import partial
from typing import TYPE_CHECKING, Literal

from flowreasoner.python_source import parse_python
from flowreasoner.query import Query
from flowreasoner.sandbox import Limits, Suite
from flowreasoner_plugins.benchmarks.published import Published
from flowreasoner_plugins.benchmarks.rows import Hub

if TYPE_CHECKING:
    from flowreasoner_plugins.benchmarks.rows import Row

__all__ = [
    "BIGCODEBENCH",
    "BIGCODEBENCH_HARD",
    "BIGCODEBENCH_HARD_INSTRUCT",
    "BIGCODEBENCH_INSTRUCT",
    "BIGCODEBENCH_TEST",
    "BIGCODEBENCH_VALIDATE",
]

VALIDATE = frozenset(f"BigCodeBench/{number}" for number in range(0, 1140, 5))
"""Every fifth task, for fitting: nobody published a division of this benchmark."""

_VERSION = "v0.1.4"


def _read(row: Row, prompt: Literal["complete_prompt", "instruct_prompt"]) -> Query:
    reference = row["complete_prompt"] + row["canonical_solution"]
    hidden = Suite.unittest(row["test"], row["entry_point"])
    libraries = sorted(_imported(reference) | _imported(row["test"]))
    return Query(
        row[prompt],
        row["task_id"],
        row["entry_point"],
        None,
        hidden,
        reference=reference,
        metadata={"libraries": [name for name in libraries if name not in sys.stdlib_module_names]},
    )


def _imported(source: str) -> set[str]:
    """Returns the top-level modules that a program imports."""
    found: set[str] = set()
    for node in ast.walk(parse_python(source)):
        match node:
            case ast.Import(names=names):
                found |= {alias.name.partition(".")[0] for alias in names}
            case ast.ImportFrom(module=str(name), level=0):
                found.add(name.partition(".")[0])
    return found


_part = partial(
    Published,
    sandbox={"limits": Limits(test_s=40, wall_s=60, cpu_s=60), "profile": "lib"},
    fields=("task_id", "complete_prompt", "instruct_prompt", "entry_point", "test"),
)
_whole = partial(
    _part,
    hub=Hub("bigcode/bigcodebench", _VERSION),
    files=("BigCodeBench.jsonl", "BigCodeBench.jsonl.gz", "BigCodeBench.hf_data.jsonl.gz"),
    fingerprints=("58bb8fae2e598eeaaf05ef0d502f34182e0f63429720489847af627f505a8805",),
)
_hard = partial(
    _part,
    hub=Hub("bigcode/bigcodebench-hard", _VERSION),
    files=("BigCodeBench-Hard.jsonl", "BigCodeBench-Hard.jsonl.gz"),
    fingerprints=(),
)
_by_docstring, _by_instruction = partial(_read, prompt="complete_prompt"), partial(_read, prompt="instruct_prompt")
BIGCODEBENCH = _whole(
    name="bigcodebench",
    description="1,140 functions that call libraries, by their docstrings (Zhuo et al. 2024)",
    read=_by_docstring,
    training="bigcodebench-validate",
)
BIGCODEBENCH_VALIDATE = _whole(
    name="bigcodebench-validate",
    description="every fifth function of bigcodebench, for fitting",
    read=_by_docstring,
    only=VALIDATE,
)
BIGCODEBENCH_TEST = _whole(
    name="bigcodebench-test",
    description="the other 912 functions of bigcodebench",
    read=_by_docstring,
    without=VALIDATE,
    training="bigcodebench-validate",
)
BIGCODEBENCH_INSTRUCT = _whole(
    name="bigcodebench-instruct", description="the functions of bigcodebench, by instruction", read=_by_instruction
)
BIGCODEBENCH_HARD = _hard(
    name="bigcodebench-hard", description="the 148 hard functions of bigcodebench", read=_by_docstring
)
BIGCODEBENCH_HARD_INSTRUCT = _hard(
    name="bigcodebench-hard-instruct",
    description="the 148 hard functions of bigcodebench, by instruction",
    read=_by_instruction,
)
