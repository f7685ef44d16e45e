"""The drafted team as a workflow: valid whatever was drafted, and executed as published."""

from drafted import reply
from hypothesis import given, settings
from hypothesis import strategies as st

from flowreasoner.baselines.autoagents.draft import Draft, Expert, Step, read_draft
from flowreasoner.baselines.autoagents.team import team_graph, team_prompts, turns_within
from flowreasoner.engine import run_workflow
from flowreasoner.workflow import check
from flowreasoner.workflow.printer import print_prompts

names = st.text(st.characters(exclude_characters=":\n", codec="utf-8"), min_size=1, max_size=20).filter(str.strip)


@st.composite
def drafts(draw):
    experts = draw(st.lists(st.builds(Expert, name=names, prompt=names, suggestions=st.text(max_size=9)), min_size=1))
    some = st.lists(st.integers(0, len(experts) - 1), min_size=1, max_size=3, unique=True).map(tuple)
    steps = draw(st.lists(st.builds(Step, some, st.text(min_size=1, max_size=20)), min_size=1, max_size=4))
    return Draft(tuple(experts), tuple(steps))


@settings(deadline=None)
@given(drafts(), st.integers(1, 5), st.booleans())
def test_every_draft_compiles_and_passes_the_checker(draft, turns, code):
    report = check(team_graph(draft, turns, code), team_prompts(draft, code))
    assert report.ok
    assert [item for item in report.diagnostics if item.code != "prompt-placeholder"] == []
    assert check(team_graph(draft, turns, code), print_prompts(team_prompts(draft, code))).workflow == report.workflow
    assert len(report.workflow.program.sites) == sum(len(step.experts) for step in draft.steps) + code


async def executed(draft, turns, answers, *, code=True):
    """Runs the compiled team; `answers` are what the experts say in turn. Returns the result and the calls."""
    made, said = [], iter(answers)

    async def perform(operator, inputs, _):
        made.append((operator.name, inputs))
        return {"response": next(said)}

    workflow = check(team_graph(draft, turns, code), team_prompts(draft, code)).workflow
    result = await run_workflow(workflow, {"problem": "P", "entry_point": "f"}, perform)
    assert result.error is None
    return result.answer, made


async def test_steps_are_executed_in_order_with_the_results_of_those_before():
    answers = ["Final output: one", "FINAL OUTPUT two", "FINAL OUTPUT\nthree", "FINAL OUTPUT four", "program"]
    answer, made = await executed(read_draft(reply()), 5, answers)
    assert (answer, [name for name, _ in made]) == ("program", ["Custom"] * 4 + ["CustomCodeGenerate"])
    first, second, third, fourth, last = (inputs for _, inputs in made)
    assert first["role"] == "You are an expert in sums."
    assert "analyse" in first["instruction"]
    assert "Be brief." in first["instruction"]
    assert second["role"] == "You test."
    assert "Step 1:\none\n" in second["input"]
    assert "Test Expert:\ntwo\n" in third["input"]  # the second expert of the step sees the first
    assert "Step 2:\nthree\n" in fourth["input"]
    assert last["context"] == "Step 1:\none\n\nStep 2:\nthree\n\nStep 3:\nfour\n\n"


async def test_a_step_is_refined_until_all_its_experts_are_done_or_the_turns_are_over():
    draft = read_draft(reply(steps="1. Expert, Test Expert: all"))
    answers = ["a", "FINAL OUTPUT b", "FINAL OUTPUT c", "d"]
    answer, made = await executed(draft, 3, answers, code=False)
    assert (answer, len(made)) == ("d", 4)  # both were done once, as published; the last word counts
    answer, made = await executed(draft, 3, list("abcdef"), code=False)
    assert (answer, len(made)) == ("f", 6)
    last = "This is the last turn"
    assert [last in inputs["input"] for _, inputs in made] == [False] * 4 + [True] * 2


def test_turns_are_those_that_a_run_may_pay():
    draft = read_draft(reply())  # four calls a turn
    assert [turns_within(draft, 5, True, calls) for calls in (None, 64, 20, 9, 5, 4, 1)] == [5, 5, 4, 2, 1, 0, 0]
    assert turns_within(draft, 5, False, 4) == 1
