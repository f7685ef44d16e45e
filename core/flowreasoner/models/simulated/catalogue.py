"""Workflows that the simulated meta-agent proposes, from plain to elaborate; the last one is broken."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["BROKEN", "CATALOGUE", "Proposal"]


@dataclass(frozen=True, slots=True)
class Proposal:
    """One proposal: what changed and why, the code, and the prompts."""

    modification: str
    reasoning: str
    body: str
    prompts: str = ""

    def reply(self) -> str:
        """Returns the proposal as a meta-agent's reply."""
        graph = f"class Workflow:\n    async def __call__(self, problem, entry_point):\n{self.body}"
        parts = [
            f"<think>{self.reasoning}</think>",
            f"<modification>{self.modification}</modification>",
            f"<graph>\n{graph}\n</graph>",
        ]
        if self.prompts:
            parts.append(f"<prompt>\n{self.prompts}\n</prompt>")
        return "\n".join(parts)


_PLAIN = Proposal(
    "Start with a single code generator.",
    "The query looks small; one call may do.",
    """\
        solution = await self.custom_code_generate(
            problem=problem, entry_point=entry_point, instruction=prompt_custom.WRITE)
        return solution['response'], self.llm.cost_manager.total_cost
""",
    'WRITE = "Think about the edge cases first, then write the function."',
)

_PLAN = Proposal(
    "Add a planning step before the code.",
    "The answer failed a test; a plan of the cases may help the worker.",
    """\
        plan = await self.custom(input=problem, instruction=prompt_custom.PLAN)
        solution = await self.custom_code_generate(
            problem=problem, entry_point=entry_point, instruction=prompt_custom.WRITE, context=plan['response'])
        return solution['response'], self.llm.cost_manager.total_cost
""",
    'PLAN = "List the cases that a solution of this problem must tell apart. Plan only."\n'
    'WRITE = "Follow the plan, case by case."',
)

_ENSEMBLE = Proposal(
    "Sample three solutions and let an ensemble choose.",
    "Single answers vary; a majority should be steadier.",
    """\
        solutions = []
        for _ in range(3):
            solution = await self.custom_code_generate(
                problem=problem, entry_point=entry_point, instruction=prompt_custom.WRITE)
            solutions.append(solution['response'])
        best = await self.sc_ensemble(solutions=solutions, problem=problem)
        return best['response'], self.llm.cost_manager.total_cost
""",
    'WRITE = "Think about the edge cases first, then write the function."',
)

_TEST = Proposal(
    "Test the solution and correct it after failures.",
    "The failing tests show what is wrong; the worker should see them.",
    """\
        solution = await self.custom_code_generate(
            problem=problem, entry_point=entry_point, instruction=prompt_custom.WRITE)
        tested = await self.test(problem=problem, solution=solution['response'], entry_point=entry_point)
        return tested['solution'], self.llm.cost_manager.total_cost
""",
    'WRITE = "Write the function, simply and correctly."',
)

_REVIEW = Proposal(
    "Review the solution, revise it when needed, then test it.",
    "A reviewer may see what the tests do not.",
    """\
        solution = await self.custom_code_generate(
            problem=problem, entry_point=entry_point, instruction=prompt_custom.WRITE)
        code = solution['response']
        for _ in range(2):
            review = await self.review(problem=problem, solution=code)
            if review['review_result']:
                break
            revised = await self.revise(problem=problem, solution=code, feedback=review['feedback'])
            code = revised['solution']
        tested = await self.test(problem=problem, solution=code, entry_point=entry_point)
        return tested['solution'], self.llm.cost_manager.total_cost
""",
    'WRITE = "Write the function, simply and correctly."',
)

_FULL = Proposal(
    "Plan, sample three solutions, test each, and choose among those that pass.",
    "Testing every sample leaves the ensemble only working code.",
    """\
        plan = await self.custom(input=problem, instruction=prompt_custom.PLAN)
        passing = []
        tested = None
        for _ in range(3):
            solution = await self.custom_code_generate(
                problem=problem, entry_point=entry_point, instruction=prompt_custom.WRITE, context=plan['response'])
            tested = await self.test(problem=problem, solution=solution['response'], entry_point=entry_point)
            if tested['result']:
                passing.append(tested['solution'])
        if not passing:
            return tested['solution'], self.llm.cost_manager.total_cost
        best = await self.sc_ensemble(solutions=passing, problem=problem)
        return best['response'], self.llm.cost_manager.total_cost
""",
    'PLAN = "List the cases that a solution of this problem must tell apart. Plan only."\n'
    'WRITE = "Follow the plan, case by case."',
)

CATALOGUE: tuple[Proposal, ...] = (_PLAIN, _PLAN, _ENSEMBLE, _TEST, _REVIEW, _FULL)

BROKEN = Proposal(
    "Sample until one passes.",
    "Keep sampling.",
    """\
        for attempt in range(max_attempts):
            solution = await self.custom_code_generate(
                problem=problem, entry_point=entry_point, instruction=prompt_custom.WRITE)
            tested = await self.tester(problem=problem, solution=solution['code'], entry_point=entry_point)
        return tested['solution'], self.llm.cost_manager.total_cost
""",
    'WRITE = "Write the function."',
)
"""A proposal with an undefined name, an unknown operator and a wrong key, to exercise the repair turns."""
