"""Workflows that the miniature's teacher searches: the published patterns, as source, from a handful of choices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["CATALOGUE", "Blueprint"]

Form = Literal["single", "vote", "test", "attempts", "review"]


@dataclass(frozen=True, slots=True)
class Blueprint:
    """The choices behind a workflow.

    Attributes:
        form: One program; a vote over several; one that is tested and corrected; fresh attempts until one passes
            the tests; one that is reviewed and revised.
        plan: Whether the worker plans before it writes.
        number: How many programs, corrections or attempts.
    """

    form: Form
    plan: bool = False
    number: int = 1

    @property
    def words(self) -> str:
        """What it does, in a few words."""
        doing = {
            "single": "write one program",
            "vote": f"let {self.number} programs be written and voted on",
            "test": f"test the program and correct it up to {self.number} times",
            "attempts": f"try up to {self.number} times until the tests pass",
            "review": "review the program and revise it",
        }[self.form]
        return f"plan first, then {doing}" if self.plan else doing

    @property
    def prompts(self) -> str:
        """The prompt constants, as source."""
        if self.plan:
            return (
                'PLAN = "List the steps that solve this problem, one a line. Plan only."\n'
                'WRITE = "Follow the plan, step by step."'
            )
        return 'WRITE = "Write the function, simply and correctly."'

    @property
    def graph(self) -> str:
        """The class Workflow, as source."""
        lines = {
            "single": [*self._draft(), "return solution['response'], self.llm.cost_manager.total_cost"],
            "vote": self._vote(),
            "test": self._test(),
            "attempts": self._attempts(),
            "review": self._review(),
        }[self.form]
        head = ["class Workflow:", "    async def __call__(self, problem, entry_point, test_cases):"]
        return "\n".join([*head, *(f"        {line}" for line in lines)])

    def _draft(self) -> list[str]:
        context = ", context=plan['response']" if self.plan else ""
        plan = ["plan = await self.custom(input=problem, instruction=prompt_custom.PLAN)"] if self.plan else []
        return [
            *plan,
            "solution = await self.custom_code_generate(",
            f"    problem=problem, entry_point=entry_point, instruction=prompt_custom.WRITE{context})",
        ]

    def _vote(self) -> list[str]:
        return [
            "solutions = []",
            f"for _ in range({self.number}):",
            *(f"    {line}" for line in self._draft()),
            "    solutions.append(solution['response'])",
            "best = await self.sc_ensemble(solutions=solutions, problem=problem)",
            "return best['response'], self.llm.cost_manager.total_cost",
        ]

    def _test(self) -> list[str]:
        return [
            *self._draft(),
            "tested = await self.test(",
            f"    problem=problem, solution=solution['response'], entry_point=entry_point, test_loop={self.number})",
            "return tested['solution'], self.llm.cost_manager.total_cost",
        ]

    def _attempts(self) -> list[str]:
        return [
            "answer = ''",
            f"for _ in range({self.number}):",
            *(f"    {line}" for line in self._draft()),
            "    answer = solution['response']",
            "    tested = await self.test(",
            "        problem=problem, solution=answer, entry_point=entry_point, test_loop=0)",
            "    if tested['result']:",
            "        break",
            "return answer, self.llm.cost_manager.total_cost",
        ]

    def _review(self) -> list[str]:
        return [
            *self._draft(),
            "answer = solution['response']",
            "review = await self.review(problem=problem, solution=answer)",
            "if not review['review_result']:",
            "    revised = await self.revise(problem=problem, solution=answer, feedback=review['feedback'])",
            "    answer = revised['solution']",
            "return answer, self.llm.cost_manager.total_cost",
        ]


_NUMBERS: dict[Form, tuple[int, ...]] = {
    "single": (1,),
    "vote": (3, 5),
    "test": (1, 2, 3),
    "attempts": (2, 3, 5),
    "review": (1,),
}
CATALOGUE: tuple[Blueprint, ...] = tuple(
    Blueprint(form, plan, number) for form, numbers in _NUMBERS.items() for number in numbers for plan in (False, True)
)
"""All workflows, the simpler forms first."""
