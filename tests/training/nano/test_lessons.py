"""What the worker is taught: right answers to the prompts that workflows will ask it."""

import re

import pytest

from flowreasoner.miniature import queries
from flowreasoner.operators import BUILTIN, extract_code
from flowreasoner.sandbox import best_sandbox
from flowreasoner_training.nano.lessons import lessons

TAUGHT = list(lessons(3, 400))


def kind(lesson):
    if "said:\n" in lesson.prompt:
        return "revise"
    if "<solution_letter>" in lesson.prompt:
        return "vote"
    if "<review_result>" in lesson.prompt:
        return "review"
    if "What happened:" in lesson.prompt:
        return "reflect"
    return "code" if "code block" in lesson.prompt else "plan"


def test_all_kinds_of_prompts_are_taught():
    assert {kind(lesson) for lesson in TAUGHT} == {"code", "plan", "reflect", "review", "revise", "vote"}


def test_the_same_seed_teaches_the_same():
    assert list(lessons(3, 20)) == TAUGHT[:20]
    assert list(lessons(4, 20)) != TAUGHT[:20]


def test_prompts_are_those_of_the_operators():
    [query] = queries("train", 1)
    asked = BUILTIN["CustomCodeGenerate"].render(
        {"problem": query.problem, "entry_point": query.entry_point, "instruction": "Write the function."}
    )
    ending = asked[asked.index("Write complete") :].replace(query.entry_point, "NAME")
    taught = [re.sub(r"defines `\w+`", "defines `NAME`", lesson.prompt) for lesson in TAUGHT if kind(lesson) == "code"]
    assert all(ending in prompt for prompt in taught)


async def test_programs_that_are_taught_pass_the_tests_that_their_prompt_shows():
    sandbox = best_sandbox()
    from flowreasoner.sandbox import Suite

    for lesson in [lesson for lesson in TAUGHT if kind(lesson) == "reflect"][:20]:
        name = re.search(r"must define `(\w+)`", lesson.prompt)[1]
        tests = re.findall(r"^- \w+: (assert .*)$", lesson.prompt, re.M)
        assert tests  # a reflection always follows a failure
        assert (await sandbox.grade(extract_code(lesson.answer, name), Suite.asserts(tests, name))).passed
        shown = lesson.prompt.split("was run against tests:\n")[1].split("\n\nWhat happened")[0]
        assert not (await sandbox.grade(shown, Suite.asserts(tests, name))).passed
    await sandbox.aclose()


def test_a_vote_names_a_candidate_of_which_no_other_is_more_common():
    for lesson in [lesson for lesson in TAUGHT if kind(lesson) == "vote"]:
        letter = re.search(r"<solution_letter>(\w)</solution_letter>", lesson.answer)[1]
        parts = re.split(r"^([A-E]):\n", lesson.prompt.split("Find the solution")[0], flags=re.M)[1:]
        candidates = {name: body.strip() for name, body in zip(parts[::2], parts[1::2], strict=True)}
        assert letter in candidates
        counts = [list(candidates.values()).count(body) for body in candidates.values()]
        assert list(candidates.values()).count(candidates[letter]) >= max(counts) - 1


@pytest.mark.parametrize("seed", range(3))
def test_no_lesson_shows_a_composition_of_the_test_split(seed):
    problems = {query.problem.split(")` ", 1)[1] for query in queries("test", 200, seed)}
    assert not [lesson for lesson in TAUGHT if any(problem in lesson.prompt for problem in problems)]
