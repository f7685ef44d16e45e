"""A five-sample ensemble on MetaGPT's wheel, by hand and emitted, on a fake LLM: for tests and benchmarks."""

from __future__ import annotations

import asyncio
import importlib
import statistics
import time
from collections.abc import Awaitable, Callable
from typing import Any

from aflow_runs import llm_config, written_graph
from pydantic import BaseModel, Field

from flowreasoner.workflow import Workflow
from flowreasoner_adapters.aflow import AFlowGraph, install, load_metagpt, round_source
from flowreasoner_adapters.aflow.llm import make_llm

__all__ = ["time_ensembles"]

ENSEMBLE = """class Workflow:
    async def __call__(self, problem, entry_point):
        solutions = []
        for _ in range(5):
            solution = await self.custom(input=problem, instruction=prompt_custom.SOLVE)
            solutions.append(solution['response'])
        best = await self.sc_ensemble(solutions=solutions, problem=problem)
        return best['response'], self.llm.cost_manager.total_cost
"""
PROMPTS = {"SOLVE": "Solve it: "}


class _Response(BaseModel):
    response: str = Field(default="", description="Your solution for this problem")


class _Vote(BaseModel):
    thought: str = Field(default="", description="The thought of the most consistent solution.")
    solution_letter: str = Field(default="", description="The letter of most consistent solution.")


class _ByHand:
    """The ensemble as an AFlow user writes it: operators that fill an `ActionNode`, awaited one after the other."""

    def __init__(self, llm: Any) -> None:
        self.llm, self.node = llm, load_metagpt().ActionNode

    async def _fill(self, kind: Any, prompt: str, mode: str) -> dict[str, Any]:
        node = await self.node.from_pydantic(kind).fill(context=prompt, llm=self.llm, mode=mode)
        return node.instruct_content.model_dump()

    async def __call__(self, problem: str, entry_point: str) -> tuple[str, float]:
        solutions = []
        for _ in range(5):
            solution = await self._fill(_Response, PROMPTS["SOLVE"] + problem, "single_fill")
            solutions.append(solution["response"])
        listed = "".join(f"{chr(65 + index)}: \n{text}\n\n\n" for index, text in enumerate(solutions))
        vote = await self._fill(_Vote, f"{problem}\n{listed}\nWhich is the most consistent?", "xml_fill")
        return solutions[ord(vote["solution_letter"].strip()) - 65], self.llm.cost_manager.total_cost


def _fake_llm(latency: float) -> type:
    """Returns a provider that answers after a while, and counts tokens as a server does."""
    openai = importlib.import_module("metagpt.provider.openai_api").OpenAILLM

    class FakeLLM(openai):  # type: ignore[misc, valid-type]
        asked = 0

        def _init_client(self) -> None:
            self.model = self.pricing_plan = self.config.model

        async def acompletion_text(self, messages: list[dict[str, str]], stream: bool = False, timeout: int = 0) -> str:
            await asyncio.sleep(latency)
            type(self).asked += 1
            self._update_costs({"prompt_tokens": 100, "completion_tokens": 10})
            if "consistent" in messages[-1]["content"] or "solution_letter" in messages[-1]["content"]:
                return "<thought>t</thought><solution_letter>B</solution_letter>"
            return f"solution {type(self).asked}"

    return FakeLLM


async def _seconds(graph: Callable[[str, str], Awaitable[tuple[str, float]]], repeats: int) -> float:
    taken = []
    for _ in range(repeats):
        start = time.perf_counter()
        answer, cost = await graph("What is 6 * 7?", "f")
        taken.append(time.perf_counter() - start)
        assert answer.startswith("solution")
        assert cost > 0
    return statistics.median(taken)


async def time_ensembles(latency: float = 0.1, repeats: int = 5) -> dict[str, float]:
    """Returns the median wall-clock seconds of one run: by hand, the emitted files, and the live graph.

    Args:
        latency: Seconds of each of the six model calls.
        repeats: Runs of each, after one that warms up.
    """
    install()
    registry = importlib.import_module("metagpt.provider.llm_provider_registry").LLM_REGISTRY
    config = llm_config()
    workflow = Workflow.parse(ENSEMBLE, PROMPTS)
    before = registry.providers[config.api_type]
    registry.providers[config.api_type] = _fake_llm(latency)
    try:
        with written_graph(round_source(workflow), config) as emitted:
            graphs = {"by_hand": _ByHand(make_llm(config)), "emitted": emitted, "live": AFlowGraph(workflow, config)}
            for graph in graphs.values():
                await _seconds(graph, 1)
            return {name: await _seconds(graph, repeats) for name, graph in graphs.items()}
    finally:
        registry.providers[config.api_type] = before
