"""Workflows that people designed, the paper's manual baselines (§5, Table 1), in the workflow language.

As they are in the language, they run on every backend, within the same budgets, and on the same worker as anything
that a meta-agent designs. Each is told with its source, the settings that were published, and what departs from them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from flowreasoner.workflow import Workflow

__all__ = ["MANUAL", "Manual"]


@dataclass(frozen=True)
class Manual:
    """A workflow by hand.

    Attributes:
        name: Short name, as ``flowreasoner bench`` takes it.
        source: Who published it.
        told: What it does, its settings, and what departs from what was published.
        graph: The class Workflow.
        prompts: The prompt constants.
    """

    name: str
    source: str
    told: str
    graph: str
    prompts: str = ""

    @cached_property
    def workflow(self) -> Workflow:
        """The checked workflow."""
        return Workflow.parse(self.graph, self.prompts)


VANILLA = Manual(
    "vanilla",
    "the worker alone",
    "One call with the problem and nothing else; the answer is taken out of the reply.",
    """\
class Workflow:
    async def __call__(self, problem):
        solution = await self.custom(input=problem, instruction='')
        return solution['response'], self.llm.cost_manager.total_cost
""",
)

CHAIN_OF_THOUGHT = Manual(
    "cot",
    "Wei et al. 2022; Kojima et al. 2022",
    "One call that asks for the steps first. Zero-shot, as Kojima et al. have it: no examples.",
    """\
class Workflow:
    async def __call__(self, problem):
        solution = await self.custom(input=problem, instruction=prompt_custom.THINK)
        return solution['response'], self.llm.cost_manager.total_cost
""",
    'THINK = "Let\'s think step by step. Give the final answer last."',
)

SELF_REFINE = Manual(
    "self-refine",
    "Madaan et al. 2023",
    "An answer, then feedback on it and a revision in turn, four times at most, as published; it stops when the "
    "feedback finds nothing. The operators' own prompts stand in for the task's few-shot prompts.",
    """\
class Workflow:
    async def __call__(self, problem, entry_point):
        solution = await self.custom_code_generate(
            problem=problem, entry_point=entry_point, instruction=prompt_custom.WRITE)
        answer = solution['response']
        for _ in range(4):
            review = await self.review(problem=problem, solution=answer)
            if review['review_result']:
                break
            revised = await self.revise(problem=problem, solution=answer, feedback=review['feedback'])
            answer = revised['solution']
        return answer, self.llm.cost_manager.total_cost
""",
    'WRITE = "Solve the problem."',
)

LLM_DEBATE = Manual(
    "llm-debate",
    "Du et al. 2023",
    "Three agents answer, and answer anew twice with the others' answers before them: 3 agents and 2 rounds of debate, "
    "as published. Programs cannot be counted like numbers, so the vote at the end is the operator ScEnsemble.",
    """\
class Workflow:
    async def __call__(self, problem, entry_point):
        answers = []
        for _ in range(3):
            solution = await self.custom_code_generate(
                problem=problem, entry_point=entry_point, instruction=prompt_custom.WRITE)
            answers.append(solution['response'])
        for _ in range(2):
            improved = []
            for agent in range(3):
                others = [answers[number] for number in range(3) if number != agent]
                said = 'Your last solution:\\n' + answers[agent]
                for other in others:
                    said += '\\n\\nThe solution of another agent:\\n' + other
                solution = await self.custom_code_generate(
                    problem=problem, entry_point=entry_point, instruction=prompt_custom.DEBATE, context=said)
                improved.append(solution['response'])
            answers = improved
        best = await self.sc_ensemble(solutions=answers, problem=problem)
        return best['response'], self.llm.cost_manager.total_cost
""",
    'WRITE = "Solve the problem."\n'
    'DEBATE = "Use the solutions of the other agents as additional advice, look closely at yours, and give an updated '
    'solution."',
)

LLM_BLENDER = Manual(
    "llm-blender",
    "Jiang et al. 2023",
    "Candidates are compared in pairs, and the three best are fused into one answer, as published. Published with "
    "eleven models and a trained ranker; here five samples of one worker, which also compares them.",
    """\
class Workflow:
    async def __call__(self, problem, entry_point):
        candidates = []
        for _ in range(5):
            solution = await self.custom_code_generate(
                problem=problem, entry_point=entry_point, instruction=prompt_custom.WRITE)
            candidates.append(solution['response'])
        wins = [0, 0, 0, 0, 0]
        for first in range(5):
            for second in range(first + 1, 5):
                shown = problem + '\\n\\nA:\\n' + candidates[first] + '\\n\\nB:\\n' + candidates[second]
                verdict = await self.custom(input=shown, instruction=prompt_custom.COMPARE)
                if verdict['response'].strip().upper().startswith('B'):
                    wins[second] += 1
                else:
                    wins[first] += 1
        order = sorted(range(5), key=lambda number: -wins[number])
        best = '\\n\\n'.join(candidates[number] for number in order[:3])
        fused = await self.custom_code_generate(
            problem=problem, entry_point=entry_point, instruction=prompt_custom.FUSE, context=best)
        return fused['response'], self.llm.cost_manager.total_cost
""",
    'WRITE = "Solve the problem."\n'
    'COMPARE = "Which solution is better, A or B? Answer with the letter alone."\n'
    'FUSE = "Fuse these solutions into one that is better than each of them."',
)

AFLOW_SEED = Manual(
    "aflow-seed",
    "Zhang et al. 2024, the first round of AFlow's searches for HumanEval and MBPP",
    "One call of the operator that writes code, without any instruction.",
    """\
class Workflow:
    async def __call__(self, problem, entry_point):
        solution = await self.custom_code_generate(problem=problem, entry_point=entry_point, instruction='')
        return solution['response'], self.llm.cost_manager.total_cost
""",
)

MANUAL = {item.name: item for item in (VANILLA, CHAIN_OF_THOUGHT, SELF_REFINE, LLM_DEBATE, LLM_BLENDER, AFLOW_SEED)}
"""All of them by name."""
