"""The engine against plain sequential Python, on a local chat server with injected latency.

Runs three workflows through FlowReasoner's engine, and the same source sequentially as plain Python, the way
AFlow does it, with the same operators, model client and server. Prints wall-clock ratios, checks that both made
the same multiset of requests, and prints the engine's own cost per operator call against a bare ``await``.

    python benchmarks/engine.py [--latency 0.2] [--repeats 5] [--json]

Exits with 1 if a target is missed: ensemble <= 0.35, test-and-retry <= 1.05, cost per call <= 200 microseconds,
identical requests.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import statistics
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

from chat_server import ChatServer
from sequential import run_sequentially

from flowreasoner.budget import Budget
from flowreasoner.engine import Call, run_workflow
from flowreasoner.models import model_from_uri
from flowreasoner.operators import BUILTIN
from flowreasoner.operators.toolkit import ModelToolkit
from flowreasoner.sandbox import Pool, Suite
from flowreasoner.workflow import Workflow

PROMPTS = {"WRITE": "Write the function.", "PLAN": "Plan the solution.", "IMPROVE": "Improve the solution."}

WORKFLOWS = {
    "5-sample ensemble": """
class Workflow:
    async def __call__(self, problem, entry_point):
        solutions = []
        for index in range(5):
            solution = await self.custom_code_generate(
                problem=problem, entry_point=entry_point, instruction=f"{prompt_custom.WRITE} Variant {index}.")
            solutions.append(solution['response'])
        best = await self.sc_ensemble(solutions=solutions, problem=problem)
        return best['response'], self.llm.cost_manager.total_cost
""",
    "test and retry": """
class Workflow:
    async def __call__(self, problem, entry_point):
        solution = await self.custom_code_generate(
            problem=problem, entry_point=entry_point, instruction=prompt_custom.WRITE)
        code = solution['response']
        for attempt in range(3):
            tested = await self.test(problem=problem, solution=code, entry_point=entry_point, test_loop=0)
            if tested['result']:
                break
            improved = await self.custom_code_generate(
                problem=problem, entry_point=entry_point,
                instruction=prompt_custom.IMPROVE + f" Attempt {attempt}:\\n{code}")
            code = improved['response']
        return code, self.llm.cost_manager.total_cost
""",
    "mixed": """
class Workflow:
    async def __call__(self, problem, entry_point):
        plan = await self.custom(input=problem, instruction=prompt_custom.PLAN)
        solutions = []
        for index in range(3):
            draft = await self.custom_code_generate(
                problem=problem, entry_point=entry_point, instruction=prompt_custom.WRITE,
                context=f"{plan['response']} (variant {index})")
            text = f"Problem: {problem}\\nDraft:\\n{draft['response']}"
            improved = await self.custom(input=text, instruction=prompt_custom.IMPROVE)
            solutions.append(improved['response'].strip())
        best = await self.sc_ensemble(solutions=solutions, problem=problem)
        review = await self.review(problem=problem, solution=best['response'])
        if not review['review_result']:
            revised = await self.revise(problem=problem, solution=best['response'], feedback=review['feedback'])
            return revised['solution'], self.llm.cost_manager.total_cost
        return best['response'], self.llm.cost_manager.total_cost
""",
}

TARGETS = {"5-sample ensemble": 0.35, "test and retry": 1.05}
MOST_MICROSECONDS = 200.0


def reply(body: dict[str, Any]) -> str:
    """Answers as a worker would: a function of the request, distinct per prompt, right only on the last retry."""
    prompt = body["messages"][-1]["content"]
    number = random.Random(prompt).randrange(10**6)
    if "<solution_letter>" in prompt:
        return "<thought>t</thought><solution_letter>B</solution_letter>"
    if "<review_result>" in prompt:
        return "<review_result>false</review_result><feedback>f</feedback>"
    value = 2 if "Attempt 2" in prompt else number
    return f"```python\ndef f():\n    return {value}  # {number}\n```"


@dataclass
class Measured:
    """Wall-clock seconds of one way to run a workflow, and the requests it made."""

    seconds: float
    requests: Counter[str]


class Setup:
    """A server, a client and a sandbox that both ways share."""

    def __init__(self, server: ChatServer) -> None:
        self.server = server
        self.worker = model_from_uri(f"openai:test?base_url={server.url}&price=1,1&concurrency=64")
        self.sandbox = Pool("process")
        self.suite = Suite.asserts(["assert f() == 2"], "f")

    def toolkit(self, label: str) -> ModelToolkit:
        """Returns a toolkit for one operator call."""
        return ModelToolkit(self.worker, self.sandbox, self.suite, "f", label, random.Random(0), lambda _: None)

    async def engine(self, workflow: Workflow) -> None:
        """Runs a workflow through the engine."""

        async def perform(operator: Any, inputs: dict[str, Any], call: Call) -> dict[str, Any]:
            return await operator(self.toolkit(call.path), inputs)

        result = await run_workflow(workflow, {"problem": "Return two.", "entry_point": "f"}, perform)
        if result.error:
            raise result.error

    async def plain(self, workflow: Workflow) -> None:
        """Runs its canonical source as plain Python."""

        async def call(name: str, inputs: dict[str, Any]) -> dict[str, Any]:
            return await BUILTIN[name](self.toolkit("plain"), inputs)

        kind, text = await run_sequentially(
            workflow.source, PROMPTS, {"problem": "Return two.", "entry_point": "f"}, call
        )
        if kind != "answer":
            raise RuntimeError(text)

    async def measure(self, way: Any, workflow: Workflow) -> Measured:
        """Times one run and takes down its requests."""
        self.server.requests.clear()
        start = time.perf_counter()
        await way(workflow)
        seconds = time.perf_counter() - start
        return Measured(seconds, Counter(json.dumps(request["messages"]) for request in self.server.requests))


async def compare(latency: float, repeats: int) -> dict[str, dict[str, Any]]:
    """Measures each workflow both ways, alternating."""
    results: dict[str, dict[str, Any]] = {}
    with ChatServer(reply, latency=latency) as server:
        setup = Setup(server)
        for name, source in WORKFLOWS.items():
            workflow = Workflow.parse(source, PROMPTS)
            await setup.engine(workflow)  # opens connections
            rows = [
                (await setup.measure(setup.engine, workflow), await setup.measure(setup.plain, workflow))
                for _ in range(repeats)
            ]
            engine = statistics.median(ours.seconds for ours, _ in rows)
            plain = statistics.median(theirs.seconds for _, theirs in rows)
            results[name] = {
                "engine_s": engine,
                "sequential_s": plain,
                "ratio": engine / plain,
                "requests": sum(rows[0][0].requests.values()),
                "same_requests": all(ours.requests == theirs.requests for ours, theirs in rows),
            }
        await setup.worker.aclose()
    return results


async def cost_per_call(calls: int = 2_000) -> dict[str, float]:
    """Measures what the engine adds to a call that takes no time, against a bare await of the same function."""
    source = f"""
class Workflow:
    async def __call__(self, problem):
        answer = {{}}
        for index in range({calls}):
            answer = await self.custom(input=problem, instruction="go")
        return answer['response']
"""
    workflow = Workflow.parse(source)

    async def perform(operator: Any, inputs: dict[str, Any], call: Any) -> dict[str, Any]:
        del operator, inputs, call
        await asyncio.sleep(0)
        return {"response": "done"}

    budget = Budget(calls=None, steps=None)
    await run_workflow(workflow, {"problem": "p"}, perform, budget=budget)
    best_engine = best_bare = float("inf")
    for _ in range(5):
        start = time.perf_counter()
        result = await run_workflow(workflow, {"problem": "p"}, perform, budget=budget)
        best_engine = min(best_engine, time.perf_counter() - start)
        assert result.answer == "done"
        start = time.perf_counter()
        for _ in range(calls):
            await perform(None, {"input": "p", "instruction": "go"}, None)
        best_bare = min(best_bare, time.perf_counter() - start)
    return {
        "engine_us": best_engine / calls * 1e6,
        "bare_await_us": best_bare / calls * 1e6,
        "added_us": (best_engine - best_bare) / calls * 1e6,
    }


def main() -> int:
    """Runs the benchmark and prints its table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--latency", type=float, default=0.2, help="seconds per request (default 0.2)")
    parser.add_argument("--repeats", type=int, default=5, help="runs per workflow and way (default 5)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    results = asyncio.run(compare(options.latency, options.repeats))
    overhead = asyncio.run(cost_per_call())
    missed = [name for name, target in TARGETS.items() if results[name]["ratio"] > target]
    missed += [f"{name}: requests differ" for name, row in results.items() if not row["same_requests"]]
    missed += ["cost per call"] if overhead["added_us"] > MOST_MICROSECONDS else []
    if options.json:
        print(json.dumps({"workflows": results, "cost_per_call": overhead, "missed": missed}))
        return bool(missed)
    print(f"latency {options.latency * 1000:.0f} ms per request, median of {options.repeats} runs\n")
    print(f"{'workflow':20} {'engine':>9} {'sequential':>11} {'ratio':>6} {'target':>7} {'requests':>9}  same")
    for name, row in results.items():
        target = f"{TARGETS[name]:.2f}" if name in TARGETS else "-"
        print(
            f"{name:20} {row['engine_s']:8.3f}s {row['sequential_s']:10.3f}s {row['ratio']:6.2f} {target:>7} "
            f"{row['requests']:9}  {'yes' if row['same_requests'] else 'NO'}"
        )
    print(
        f"\ncost per operator call: engine {overhead['engine_us']:.0f} us, "
        f"bare await {overhead['bare_await_us']:.1f} us, "
        f"added {overhead['added_us']:.0f} us (target {MOST_MICROSECONDS:.0f})"
    )
    print(f"missed: {', '.join(missed)}" if missed else "all targets met")
    return bool(missed)


if __name__ == "__main__":
    raise SystemExit(main())
