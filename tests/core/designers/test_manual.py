"""The manual baselines: valid, and with the calls that their settings say."""

from collections import Counter

import pytest

from flowreasoner.designers.manual import MANUAL
from flowreasoner.engine import run_workflow
from flowreasoner.workflow import check


@pytest.mark.parametrize("manual", MANUAL.values(), ids=MANUAL)
def test_each_is_valid_without_a_warning_and_tells_its_source(manual):
    report = check(manual.graph, manual.prompts)
    assert report.ok
    assert report.diagnostics == ()
    assert manual.source
    assert manual.told


async def calls(name, replies):
    made = Counter()

    async def perform(operator, inputs, _):
        made[operator.name] += 1
        return replies(operator.name, inputs, made.total())

    result = await run_workflow(MANUAL[name].workflow, {"problem": "P", "entry_point": "f"}, perform)
    assert result.error is None
    return result.answer, dict(made)


def answer(operator, inputs, number):
    match operator:
        case "ScEnsemble":
            return {"response": inputs["solutions"][0]}
        case "Review":
            return {"review_result": False, "feedback": "no"}
        case "Revise":
            return {"solution": f"revised {number}"}
    return {"response": f"A{number}"}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("vanilla", {"Custom": 1}),
        ("cot", {"Custom": 1}),
        ("self-refine", {"CustomCodeGenerate": 1, "Review": 4, "Revise": 4}),
        ("llm-debate", {"CustomCodeGenerate": 9, "ScEnsemble": 1}),
        ("llm-blender", {"CustomCodeGenerate": 6, "Custom": 10}),
        ("aflow-seed", {"CustomCodeGenerate": 1}),
    ],
)
async def test_calls_are_those_of_the_settings(name, expected):
    _, made = await calls(name, answer)
    assert made == expected


async def test_feedback_that_finds_nothing_ends_the_refining():
    def content(operator, inputs, number):
        return {"review_result": True, "feedback": ""} if operator == "Review" else answer(operator, inputs, number)

    said, made = await calls("self-refine", content)
    assert (said, made) == ("A1", {"CustomCodeGenerate": 1, "Review": 1})


async def test_the_three_that_win_most_comparisons_are_fused():
    seen = {}

    def judge(operator, inputs, number):
        if operator == "Custom":  # the larger number is the better candidate
            first, second = inputs["input"].split("A:\n")[1].split("\n\nB:\n")
            return {"response": "b." if second > first else "A"}
        seen["context"] = inputs.get("context", "")
        return {"response": f"A{number}"}

    await calls("llm-blender", judge)
    assert seen["context"] == "A5\n\nA4\n\nA3"


async def test_agents_see_their_own_answer_and_those_of_the_others():
    seen = []

    def agents(operator, inputs, number):
        seen.append(inputs.get("context", ""))
        return answer(operator, inputs, number)

    await calls("llm-debate", agents)
    assert seen[3] == (
        "Your last solution:\nA1\n\nThe solution of another agent:\nA2\n\nThe solution of another agent:\nA3"
    )
