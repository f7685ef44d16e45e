import pytest
from agents import ADD, RIGHT
from fittings import bench

from flowreasoner.baselines.adas import SEEDS
from flowreasoner.models import ScriptedModel


def worker(review="true", role="Software Tester"):
    """Answers all operators; each program differs from the others, so that a vote has something to choose."""
    count = 0

    def answer(request):
        nonlocal count
        count += 1
        match request.purpose:
            case "Review":
                return f"<review_result>{review}</review_result><feedback>Look again.</feedback>"
            case "Custom" if "step by step" not in request.messages[-1].content:
                return role
            case "ScEnsemble":
                return "<solution_letter>B</solution_letter>"
        return f"```python\n{RIGHT}  # {count}\n```"

    return answer


async def run(name, **settings):
    at = bench(ScriptedModel([]), worker(**settings))
    at.sandbox.passes = lambda code: code.startswith(RIGHT)
    feedback = await at.evaluate(SEEDS[name], ADD, 1, 1)
    assert feedback.score == 1.0
    return feedback.evaluations[0], at.worker.history


@pytest.mark.parametrize(
    ("name", "operators"),
    [
        ("Chain-of-Thought", ["Custom"]),
        ("Self-Consistency with Chain-of-Thought", [*["CustomCodeGenerate"] * 5, "ScEnsemble"]),
        ("Self-Refine (Reflexion)", ["CustomCodeGenerate", "Review"]),
        ("LLM Debate", ["CustomCodeGenerate"] * 7),
        ("Step-back Abstraction", ["Custom", "CustomCodeGenerate"]),
        ("Quality-Diversity", ["CustomCodeGenerate"] * 5),
        ("Dynamic Assignment of Roles", ["Custom", "CustomCodeGenerate"]),
    ],
)
async def test_each_seed_does_what_was_published(name, operators):
    _, asked = await run(name)
    assert [request.purpose for request in asked] == operators


def test_there_are_the_published_seven_without_a_fault():
    assert len(SEEDS) == 7
    assert not any(workflow.diagnostics or workflow.repairs for workflow in SEEDS.values())


async def test_reflexion_makes_five_further_attempts_and_shows_each_all_that_came_before():
    _, asked = await run("Self-Refine (Reflexion)", review="false")
    assert [request.purpose for request in asked] == [*["CustomCodeGenerate", "Review"] * 5, "CustomCodeGenerate"]
    last = asked[-1].messages[-1].content
    assert last.count("Attempt:\n") == last.count("Feedback:\nLook again.") == 5


async def test_self_consistency_answers_what_the_vote_chose():
    evaluation, _ = await run("Self-Consistency with Chain-of-Thought")
    assert evaluation.answer == f"{RIGHT}  # 2"


async def test_debaters_have_roles_and_see_one_another():
    _, asked = await run("LLM Debate")
    texts = [request.messages[-1].content for request in asked]
    assert [text.count("You are a") for text in texts] == [1] * 6 + [0]
    assert [text.count("def add(a, b):") for text in texts] == [0] * 3 + [3] * 4


@pytest.mark.parametrize(
    ("said", "role"),
    [
        ("Software Engineer", "software engineer"),
        ("a computer scientist!", "computer scientist"),
        ("Software Tester", "software tester"),
        ("nobody", "helpful assistant"),
    ],
)
async def test_the_chosen_role_solves_the_problem(said, role):
    _, asked = await run("Dynamic Assignment of Roles", role=said)
    assert f"You are a {role}" in asked[-1].messages[-1].content
