"""A 5-sample ensemble in DSPy: emitted, live and as source, against the same program written by hand.

    python benchmarks/dspy_ensemble.py [--latency 0.1] [--repeats 5]

Prints wall-clock ratios to the hand-written program and to sequential calls, and what a call costs beside the LM.
`measure` is what `benchmarks/backends.py` uses. The LM is a scripted one that takes `latency` seconds a call.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))
os.environ.setdefault("DSPY_CACHEDIR", tempfile.mkdtemp(prefix="dspy-cache-"))

import dspy
from scripted_lm import Script, scripted_lm

from flowreasoner.workflow import Workflow
from flowreasoner_adapters.dspy import DSPyBackend

SAMPLES = 5
WORKFLOW = """
class Workflow:
    async def __call__(self, problem):
        drafts = []
        for _ in range(5):
            draft = await self.custom(input=problem, instruction="Answer.")
            drafts.append(draft["response"])
        best = await self.sc_ensemble(solutions=drafts, problem=problem)
        return best["response"]
"""


class ByHand(dspy.Module):
    """The same ensemble as a DSPy user writes it, its samples at the same time or one after the other."""

    def __init__(self, *, parallel: bool = True) -> None:
        super().__init__()
        self.parallel = parallel
        self.draft = dspy.Predict(dspy.Signature("input -> response", "Answer."))
        self.choose = dspy.Predict(dspy.Signature("problem, candidates -> thought, solution_letter", "Name the best."))

    async def aforward(self, problem: str) -> dspy.Prediction:
        """Draws samples and chooses one."""
        calls = [self.draft.acall(input=problem, config={"rollout_id": number}) for number in range(SAMPLES)]
        drafts = await asyncio.gather(*calls) if self.parallel else [await call for call in calls]
        listed = "\n\n".join(f"{'ABCDE'[index]}:\n{draft.response}" for index, draft in enumerate(drafts))
        chosen = await self.choose.acall(problem=problem, candidates=listed)
        return dspy.Prediction(answer=drafts["ABCDE".index(chosen.solution_letter)].response)


def measure(latency: float = 0.1, repeats: int = 5) -> dict[str, float]:
    """Measures the ensemble.

    Args:
        latency: Seconds that the LM takes for a call.
        repeats: Runs of each program, in turn; the medians count.

    Returns:
        Median seconds of each program; ratios of the emitted ones to the one by hand and to the sequential one; and
        ``overhead_ms``, what a call of the live module costs more than one by hand, with an LM that takes no time.
    """
    workflow = Workflow.parse(WORKFLOW)
    namespace: dict[str, Any] = {"__name__": "workflow"}
    exec(DSPyBackend().source(workflow)["workflow.py"], namespace)  # our own source, written from the text above
    programs = {
        "by hand": ByHand(),
        "sequential": ByHand(parallel=False),
        "live": DSPyBackend().emit(workflow),
        "source": namespace["Workflow"](),
    }
    seconds = _medians(programs, latency, repeats)
    idle = _medians(programs, 0.0, 20)
    results = {f"seconds {name}": value for name, value in seconds.items()}
    for name in ("live", "source"):
        results[f"{name} / by hand"] = seconds[name] / seconds["by hand"]
        results[f"{name} / sequential"] = seconds[name] / seconds["sequential"]
        results[f"{name} overhead_ms"] = 1000 * (idle[name] - idle["by hand"]) / (SAMPLES + 1)
    return results


def _medians(programs: dict[str, Any], latency: float, repeats: int) -> dict[str, float]:
    """Returns the median seconds of each program; one run of each goes before."""
    times: dict[str, list[float]] = {name: [] for name in programs}

    async def run() -> None:
        for _ in range(repeats + 1):
            for name, program in programs.items():
                start = time.perf_counter()
                await program.acall(problem="p")
                times[name].append(time.perf_counter() - start)

    numbers = iter(range(10**6))
    replies = {"thought": lambda: "because", "solution_letter": lambda: "B", "response": lambda: f"r{next(numbers)}"}
    with dspy.context(lm=scripted_lm(Script(lambda _, field: replies[field](), delay=latency))):
        asyncio.run(run())
    return {name: statistics.median(values[1:]) for name, values in times.items()}


def main() -> None:
    """Prints the measurements as JSON; ends with 1 if a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--latency", type=float, default=0.1, help="seconds of an LM call")
    parser.add_argument("--repeats", type=int, default=5, help="runs of each program")
    options = parser.parse_args()
    results = measure(options.latency, options.repeats)
    print(json.dumps({name: round(value, 4) for name, value in results.items()}, indent=2))
    met = all(
        results[f"{name} / by hand"] <= 1.15 and results[f"{name} / sequential"] <= 0.4 for name in ("live", "source")
    )
    sys.exit(0 if met else 1)


if __name__ == "__main__":
    main()
