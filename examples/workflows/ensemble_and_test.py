"""A workflow in AFlow's language: three drafts, a vote, and up to three rounds of testing and revising.

flowreasoner check examples/workflows/ensemble_and_test.py
flowreasoner export examples/workflows/ensemble_and_test.py --to langgraph -o my_graph.py
"""


class Workflow:
    """Workflows are checked and interpreted; this file is never imported."""

    async def __call__(self, problem: str, entry_point: str):
        drafts = []
        for _ in range(3):
            draft = await self.custom_code_generate(problem=problem, entry_point=entry_point, instruction="Be brief.")
            drafts.append(draft["response"])
        best = await self.sc_ensemble(solutions=drafts, problem=problem)
        solution = best["response"]
        for _ in range(3):
            tested = await self.test(problem=problem, solution=solution, entry_point=entry_point)
            if tested["result"]:
                return tested["solution"]
            review = await self.review(problem=problem, solution=tested["solution"])
            revised = await self.revise(problem=problem, solution=tested["solution"], feedback=review["feedback"])
            solution = revised["solution"]
        return solution
