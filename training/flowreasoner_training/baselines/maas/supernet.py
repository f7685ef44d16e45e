"""The supernet's operators, and sampled architectures as workflows of our own language."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flowreasoner.baselines.words import Words

__all__ = ["DESCRIPTIONS", "EARLY_STOP", "GENERATE", "OPERATORS", "Architecture", "workflow_of"]

Architecture = tuple[tuple[str, ...], ...]
"""Operators by layer, each in the order in which they work."""

GENERATE, EARLY_STOP = "Generate", "EarlyStop"
DESCRIPTIONS: Mapping[str, str] = {
    GENERATE: "Writes a program for the problem.",
    "GenerateCoT": "Thinks step by step first, then writes a program along its thoughts.",
    "MultiGenerateCoT": "Writes several programs, each along thoughts of its own, so that they are diverse.",
    "ScEnsemble": "Chooses the program that most of those written so far agree with.",
    "Test": "Runs the program against tests, and corrects it after failures.",
    "SelfRefine": "Looks for errors in the program, and refines it where there are any.",
    EARLY_STOP: "Ends the work, so that no further layer is spent on an easy problem.",
}
"""What each operator does; the controller knows them by the embeddings of these sentences."""
OPERATORS = tuple(DESCRIPTIONS)
"""Those of code tasks, as published."""

_SAMPLES = 3
_WRITE = (
    "written = await self.custom_code_generate(",
    "    problem=problem, entry_point=entry_point, instruction=prompt_custom.{})",
    "solution = written['response']",
    "solutions.append(solution)",
)
_THINK = (
    "thoughts = await self.custom(input=problem, instruction=prompt_custom.PLAN)",
    "written = await self.custom_code_generate(",
    "    problem=problem, entry_point=entry_point, instruction=prompt_custom.FOLLOW, context=thoughts['response'])",
    "solution = written['response']",
    "solutions.append(solution)",
)
_TEST = "tested = await self.test(problem=problem, solution=solution, entry_point=entry_point)"
_BODIES: Mapping[str, Sequence[str]] = {
    GENERATE: [line.format("WRITE") for line in _WRITE],
    "GenerateCoT": _THINK,
    "MultiGenerateCoT": [f"for _ in range({_SAMPLES}):", *(f"    {line}" for line in _THINK)],
    "ScEnsemble": [
        "chosen = await self.sc_ensemble(solutions=solutions, problem=problem)",
        "solution = chosen['response']",
        "solutions = [solution]",
    ],
    "Test": [_TEST, "solution = tested['solution']", "solutions.append(solution)"],
    "SelfRefine": [
        "review = await self.review(problem=problem, solution=solution)",
        "if not review['review_result']:",
        "    revised = await self.revise(problem=problem, solution=solution, feedback=review['feedback'])",
        "    solution = revised['solution']",
        "solutions.append(solution)",
    ],
    EARLY_STOP: [],
}
_FINAL = [
    _TEST,
    "if tested['result']:",
    "    return tested['solution'], self.llm.cost_manager.total_cost",
    *(line.format("IMPROVE") for line in _WRITE[:2]),
    "return written['response'], self.llm.cost_manager.total_cost",
]
_UNTESTED = ["return solution, self.llm.cost_manager.total_cost"]


def workflow_of(architecture: Architecture, words: Words, tested: bool) -> tuple[str, dict[str, str]]:
    """Returns an architecture as the class Workflow, as source, and its prompts by name.

    Every program that an operator gives is kept for the ensemble, and the last one is what the next operator works
    on. In the end it is tested, and written anew where it fails.

    Args:
        architecture: Its first operator writes a program.
        words: What the worker is told.
        tested: Whether the query has tests; the operator Test is passed over where it has none.
    """
    chosen = [name for layer in architecture for name in layer if tested or name != "Test"]
    body = [line for name in chosen for line in _BODIES[name]]
    lines = ["solutions = []", *body, *(_FINAL if tested else _UNTESTED)]
    head = ["class Workflow:", "    async def __call__(self, problem, entry_point):"]
    graph = "\n".join([*head, *(f"        {line}" for line in lines)]) + "\n"
    prompts = {"PLAN": words.plan, "FOLLOW": words.follow, "WRITE": words.write, "IMPROVE": words.improve}
    return graph, {name: text for name, text in prompts.items() if f"prompt_custom.{name}" in graph}
