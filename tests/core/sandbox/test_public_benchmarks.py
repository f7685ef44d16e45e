"""Parity with the public benchmarks' own graders: reference solutions pass, and answers that are none do not."""

import ast
import gzip
import json
import os
import sys
from pathlib import Path

import pytest
from sandboxes import best_tier

from flowreasoner.python_source import parse_python
from flowreasoner.sandbox import Limits, Pool, Suite

pytestmark = [pytest.mark.shared_data, pytest.mark.slow, pytest.mark.timeout(900)]
FOLDER = Path(os.environ.get("FLOWREASONER_DATA", Path(__file__).parents[4] / "shared" / "data"))
GENEROUS = Limits(test_s=40, wall_s=60, cpu_s=60)
NOT_FOR_A_JAIL = {
    176: "asks name servers",
    314: "asks name servers",
    541: "needs numpy",
    563: "uses ctypes, which could undo what shows tampering",
    565: "uses ctypes, which could undo what shows tampering",
    1005: "downloads",
    1040: "sleeps for longer than a run may take",
    1104: "sleeps for longer than a run may take",
}


def lines(name):
    if not (FOLDER / name).exists():
        pytest.skip(f"the public benchmark files are not in {FOLDER}; set FLOWREASONER_DATA to where they are")
    with gzip.open(FOLDER / name, "rt") as file:
        return [json.loads(line) for line in file]


async def failures(jobs, **settings):
    """Returns the names of the jobs (name, code, suite) that do not pass."""
    jobs = list(jobs)
    async with Pool(best_tier(), limits=GENEROUS, **settings) as pool:
        verdicts = [verdict async for verdict in pool.grade_all((code, suite) for _, code, suite in jobs)]
    return {name for (name, _, _), verdict in zip(jobs, verdicts, strict=True) if not verdict.passed}


def suite_of(task):
    return Suite.check(task["test"], task["entry_point"], task["prompt"][: task["prompt"].rfind("def ")])


async def test_every_reference_solution_of_humaneval_passes():
    tasks = lines("HumanEval.jsonl.gz")
    assert len(tasks) == 164
    jobs = ((task["task_id"], task["prompt"] + task["canonical_solution"], suite_of(task)) for task in tasks)
    assert await failures(jobs) == set()


async def test_no_stub_passes_humaneval():
    tasks = lines("HumanEval.jsonl.gz")
    jobs = [
        (f"{task['task_id']} {value}", f"{task['prompt']}    return {value}\n", suite_of(task))
        for task in tasks
        for value in ("None", "[]", "True", "0")
    ]
    assert len(jobs) == 656
    assert await failures(jobs) == {name for name, _, _ in jobs}


async def test_every_reference_solution_of_mbpp_passes():
    tasks = _mbpp()
    assert len(tasks) == 427
    jobs = (
        (task["task_id"], task["code"], Suite.asserts(task["test_list"], setup="\n".join(task["test_imports"])))
        for task in tasks
    )
    assert await failures(jobs) == set()


def _mbpp():
    path = FOLDER / "sanitized-mbpp.json.gz"
    if not path.exists():
        pytest.skip(f"{path} is not there")
    with gzip.open(path, "rt") as file:
        return json.load(file)


def imported(source):
    found = set()
    for node in ast.walk(parse_python(source)):
        match node:
            case ast.Import(names=names):
                found |= {alias.name.partition(".")[0] for alias in names}
            case ast.ImportFrom(module=str(name)):
                found.add(name.partition(".")[0])
    return found


async def test_reference_solutions_of_bigcodebench_with_the_standard_library_pass_but_for_known_reasons():
    tasks = []
    for task in lines("BigCodeBench.hf_data.jsonl.gz"):
        code = task["complete_prompt"] + task["canonical_solution"]
        if imported(code) | imported(task["test"]) <= set(sys.stdlib_module_names):
            number = int(task["task_id"].partition("/")[2])
            tasks.append((number, code, Suite.unittest(task["test"], task["entry_point"])))
    assert len(tasks) == 300
    assert await failures(tasks, profile="lib") <= set(NOT_FOR_A_JAIL)
