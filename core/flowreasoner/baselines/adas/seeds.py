"""The agents that ADAS's archive starts with, in the workflow language, for programming problems.

Prompts are in words of our own. An agent with a role is an operator call whose instruction names the role, and a
majority vote is the operator ScEnsemble, as programs cannot be counted like numbers; otherwise the steps and their
numbers are as published.
"""

from __future__ import annotations

from collections.abc import Mapping

from flowreasoner.designers.manual import CHAIN_OF_THOUGHT
from flowreasoner.workflow import Workflow

__all__ = ["SEEDS"]

_SELF_CONSISTENCY = """\
class Workflow:
    async def __call__(self, problem, entry_point):
        answers = []
        for _ in range(5):
            solution = await self.custom_code_generate(
                problem=problem, entry_point=entry_point, instruction=prompt_custom.THINK)
            answers.append(solution['response'])
        best = await self.sc_ensemble(solutions=answers, problem=problem)
        return best['response'], self.llm.cost_manager.total_cost
"""

_REFLEXION = """\
class Workflow:
    async def __call__(self, problem, entry_point):
        solution = await self.custom_code_generate(
            problem=problem, entry_point=entry_point, instruction=prompt_custom.THINK)
        answer = solution['response']
        attempts = ''
        for _ in range(5):
            review = await self.review(problem=problem, solution=answer)
            if review['review_result']:
                break
            attempts += '\\n\\nAttempt:\\n' + answer + '\\n\\nFeedback:\\n' + review['feedback']
            solution = await self.custom_code_generate(
                problem=problem, entry_point=entry_point, instruction=prompt_custom.REFLECT, context=attempts)
            answer = solution['response']
        return answer, self.llm.cost_manager.total_cost
"""

_DEBATE = """\
class Workflow:
    async def __call__(self, problem, entry_point):
        roles = [prompt_custom.ENGINEER, prompt_custom.SCIENTIST, prompt_custom.TESTER]
        answers = []
        for role in roles:
            solution = await self.custom_code_generate(
                problem=problem, entry_point=entry_point, instruction=role + prompt_custom.THINK)
            answers.append(solution['response'])
        said = '\\n\\n'.join(answers)
        updated = []
        for role in roles:
            solution = await self.custom_code_generate(
                problem=problem, entry_point=entry_point, instruction=role + prompt_custom.DEBATE, context=said)
            updated.append(solution['response'])
        final = await self.custom_code_generate(
            problem=problem, entry_point=entry_point, instruction=prompt_custom.DECIDE, context='\\n\\n'.join(updated))
        return final['response'], self.llm.cost_manager.total_cost
"""

_STEP_BACK = """\
class Workflow:
    async def __call__(self, problem, entry_point):
        principles = await self.custom(input=problem, instruction=prompt_custom.PRINCIPLES)
        solution = await self.custom_code_generate(
            problem=problem, entry_point=entry_point, instruction=prompt_custom.SOLVE, context=principles['response'])
        return solution['response'], self.llm.cost_manager.total_cost
"""

_QUALITY_DIVERSITY = """\
class Workflow:
    async def __call__(self, problem, entry_point):
        solution = await self.custom_code_generate(
            problem=problem, entry_point=entry_point, instruction=prompt_custom.THINK)
        answers = solution['response']
        for _ in range(3):
            solution = await self.custom_code_generate(
                problem=problem, entry_point=entry_point, instruction=prompt_custom.ANOTHER, context=answers)
            answers += '\\n\\n' + solution['response']
        final = await self.custom_code_generate(
            problem=problem, entry_point=entry_point, instruction=prompt_custom.DECIDE, context=answers)
        return final['response'], self.llm.cost_manager.total_cost
"""

_ROLES = """\
class Workflow:
    async def __call__(self, problem, entry_point):
        choice = await self.custom(input=problem, instruction=prompt_custom.ROUTE)
        chosen = choice['response'].lower()
        if 'engineer' in chosen:
            role = prompt_custom.ENGINEER
        elif 'scientist' in chosen:
            role = prompt_custom.SCIENTIST
        elif 'tester' in chosen:
            role = prompt_custom.TESTER
        else:
            role = prompt_custom.HELPER
        solution = await self.custom_code_generate(
            problem=problem, entry_point=entry_point, instruction=role + prompt_custom.THINK)
        return solution['response'], self.llm.cost_manager.total_cost
"""

_PROMPTS = {
    "THINK": "Think step by step, then solve the problem.",
    "REFLECT": "You see earlier attempts with feedback. Consider where the latest may be wrong, and solve it better.",
    "DEBATE": "You see the solutions of several agents. Take them as advice, think carefully, and give an updated one.",
    "DECIDE": "You see several solutions. Reason over them carefully and give the final one.",
    "PRINCIPLES": "Which principles and concepts of programming does this problem involve? List and explain them.",
    "SOLVE": "You see the principles behind the problem. Think step by step, then solve it.",
    "ANOTHER": "You see earlier solutions. Find another interesting way to solve the problem.",
    "ROUTE": "Who should solve this problem: Software Engineer, Computer Scientist or Software Tester? Name one.",
    "ENGINEER": "You are a software engineer. ",
    "SCIENTIST": "You are a computer scientist who knows algorithms. ",
    "TESTER": "You are a software tester who looks for edge cases. ",
    "HELPER": "You are a helpful assistant. ",
}


def _seed(graph: str) -> Workflow:
    """Returns a workflow with the prompts that it uses."""
    return Workflow.parse(graph, {name: text for name, text in _PROMPTS.items() if f"prompt_custom.{name}" in graph})


SEEDS: Mapping[str, Workflow] = {
    "Chain-of-Thought": CHAIN_OF_THOUGHT.workflow,
    "Self-Consistency with Chain-of-Thought": _seed(_SELF_CONSISTENCY),
    "Self-Refine (Reflexion)": _seed(_REFLEXION),
    "LLM Debate": _seed(_DEBATE),
    "Step-back Abstraction": _seed(_STEP_BACK),
    "Quality-Diversity": _seed(_QUALITY_DIVERSITY),
    "Dynamic Assignment of Roles": _seed(_ROLES),
}
"""The seven by their published names, in the published order."""
