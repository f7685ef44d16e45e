"""A drafted team as a workflow of our own language, and the fixed team that small models are left with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flowreasoner.baselines.autoagents import instructions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flowreasoner.baselines.autoagents.draft import Draft, Step
    from flowreasoner.baselines.words import Words

__all__ = ["operators_team", "team_graph", "team_prompts", "turns_within"]

_RETURN = "self.llm.cost_manager.total_cost"
_OPERATORS = """\
class Workflow:
    async def __call__(self, problem, entry_point):
        plan = await self.custom(input=problem, instruction=prompt_custom.PLAN)
        solution = await self.custom_code_generate(
            problem=problem, entry_point=entry_point, instruction=prompt_custom.WRITE, context=plan['response'])
        answer = solution['response']
        review = await self.review(problem=problem, solution=answer)
        if not review['review_result']:
            revised = await self.revise(problem=problem, solution=answer, feedback=review['feedback'])
            answer = revised['solution']
"""
_TESTED = """\
        tested = await self.test(problem=problem, solution=answer, entry_point=entry_point)
        answer = tested['solution']
"""


def operators_team(words: Words, tested: bool) -> tuple[str, dict[str, str]]:
    """Returns the fixed team: plan, code, review, revision and test.

    Args:
        words: What the worker is told.
        tested: Whether the query has tests.

    Returns:
        The graph, and the prompts by name.
    """
    graph = f"{_OPERATORS}{_TESTED if tested else ''}        return answer, {_RETURN}\n"
    return graph, {"PLAN": words.plan, "WRITE": words.follow}


def turns_within(draft: Draft, most: int, code: bool, calls: int | None) -> int:
    """Returns how many turns each expert may have at a step, so that a run stays within its calls; 0 if none fits.

    Args:
        draft: The team and its plan.
        most: Turns where there is no such limit.
        code: Whether a program is written in the end, which is one more call.
        calls: Calls that a run may make; None for no limit.
    """
    once = sum(len(step.experts) for step in draft.steps)
    return most if calls is None else min(most, max(0, calls - code) // once)


def team_graph(draft: Draft, turns: int, code: bool) -> str:
    """Returns the class Workflow that executes a plan step by step.

    The experts of a step take turns, each seeing what was done before, until all of them have called it finished or
    `turns` are over; the last word is the step's result, which all later steps see.

    Args:
        draft: The team and its plan.
        turns: Most turns of each expert at a step.
        code: Whether a program is written from the results, else the last step's result is the answer.
    """
    lines = ["results = ''"]
    for number, step in enumerate(draft.steps, 1):
        lines += _step(number, step, draft, turns)
    if code:
        lines += [
            "solution = await self.custom_code_generate(",
            "    problem=problem, entry_point=entry_point, instruction=prompt_custom.ANSWER, context=results)",
            f"return solution['response'], {_RETURN}",
        ]
    else:
        lines.append(f"return result, {_RETURN}")
    parameters = "problem, entry_point" if code else "problem"
    head = ["class Workflow:", f"    async def __call__(self, {parameters}):"]
    return "\n".join([*head, *(f"        {line}" for line in lines)]) + "\n"


def _step(number: int, step: Step, draft: Draft, turns: int) -> list[str]:
    body = []
    for place, expert in enumerate(step.experts):
        heading = f"{draft.experts[expert].name}:\n"
        body += [
            "shown = problem + '\\n\\n# Results of earlier steps\\n' + results"
            " + '\\n\\n# Work on this step so far\\n' + work",
            f"if turn == {turns - 1}:",
            "    shown += '\\n\\n' + prompt_custom.LAST_TURN",
            "reply = await self.custom(",
            f"    input=shown, instruction=prompt_custom.STEP_{number}_{expert + 1},"
            f" role=prompt_custom.EXPERT_{expert + 1})",
            "result = reply['response'].lstrip('#*> ')",
            "if result.upper().startswith('FINAL OUTPUT'):",
            f"    finished[{place}] = True",
            "    result = result[12:].lstrip(':*').strip()",
            f"work += {heading!r} + result + '\\n\\n'",
        ]
    return [
        "work = ''",
        f"finished = {[False] * len(step.experts)}",
        f"for turn in range({turns}):",
        *(f"    {line}" for line in body),
        "    if all(finished):",
        "        break",
        f"results += 'Step {number}:\\n' + result + '\\n\\n'",
    ]


def team_prompts(draft: Draft, code: bool) -> Mapping[str, str]:
    """Returns the prompts that the graph uses, by name."""
    prompts = {"LAST_TURN": instructions.LAST_TURN}
    for number, step in enumerate(draft.steps, 1):
        for expert in step.experts:
            told = draft.experts[expert]
            more = f"\nSuggestions: {told.suggestions}\n" if told.suggestions else ""
            prompts[f"EXPERT_{expert + 1}"] = told.prompt
            prompts[f"STEP_{number}_{expert + 1}"] = instructions.STEP.format(task=step.task, suggestions=more)
    return prompts | ({"ANSWER": instructions.ANSWER} if code else {})
