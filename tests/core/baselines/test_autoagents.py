"""AutoAgents: drafts, observers, the compiled team, bad planners, failing workers, and the fixed team of operators."""

import contextlib
import json

import pytest
from agents import ADD, RIGHT
from fake_sandbox import FakeSandbox
from hypothesis import given, settings
from hypothesis import strategies as st

from flowreasoner import Budget, Query
from flowreasoner.baselines.autoagents import AutoAgents
from flowreasoner.baselines.autoagents.draft import FALLBACK, Draft, DraftUnreadable, Expert, Step, read_draft
from flowreasoner.baselines.autoagents.team import team_graph, team_prompts, turns_within
from flowreasoner.budget import Meter
from flowreasoner.designers import Workbench
from flowreasoner.engine import run_workflow
from flowreasoner.errors import BudgetExceeded, ModelError, NoAnswer, QueryError
from flowreasoner.miniature import queries
from flowreasoner.models import Completion, FunctionModel, ModelContext, ScriptedModel, model_from_uri
from flowreasoner.sandbox import Pool
from flowreasoner.workflow import check

TEAM = [
    {"name": "Expert", "prompt": "You are an expert in sums.", "suggestions": "Be brief."},
    {"name": "Test Expert", "prompt": "You test."},
    {"name": "Language Expert", "prompt": "You put results together."},
]
STEPS = "1. Expert: analyse\n2. Test Expert, Expert: solve\n   together\n3. Language Expert: answer"
NONE = "No Suggestions"


def reply(team=TEAM, steps=STEPS):
    text = team if isinstance(team, str) else json.dumps(team)
    return f"Thoughts.\n<experts>\n{text}\n</experts>\n<plan>\n{steps}\n</plan>"


def worker(*, finish=True, code=RIGHT):
    def answer(request):
        if request.purpose == "CustomCodeGenerate":
            return f"```python\n{code}\n```"
        return "**FINAL OUTPUT:** worked" if finish else "working"

    return FunctionModel(answer)


def bench(meta_agent, worker, **more):
    return Workbench(meta_agent, worker, FakeSandbox(lambda code: code == RIGHT), **more)


# --- reading drafts ---


def test_a_draft_is_read_with_its_experts_and_who_works_on_each_step():
    draft = read_draft(reply())
    assert [item.name for item in draft.experts] == ["Expert", "Test Expert", "Language Expert"]
    assert draft.steps == (Step((0,), "analyse"), Step((1, 0), "solve together"), Step((2,), "answer"))


def test_a_draft_is_read_out_of_fences_and_after_thoughts():
    fenced = reply(f"```json\n{json.dumps(TEAM)}\n```", "```\n1) **Expert**: all of it\n```")
    assert read_draft(f"<think>{reply(steps='1. Nobody: x')}</think>{fenced}").steps == (Step((0,), "all of it"),)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no <experts>"),
        ("<experts>[]</experts>", "1 to 10 experts, not 0"),
        (reply("not JSON"), "must be a JSON list"),
        (reply("[" * 5_000), "must be a JSON list"),
        (reply([{"name": "Expert"}]), r"0\.prompt: Field required"),
        (reply([{"name": "A:\nB", "prompt": "p"}]), r"0\.name"),
        (reply([*TEAM, {"name": "expert", "prompt": "p"}]), "the same name"),
        (reply([{"name": f"E{n}", "prompt": "p"} for n in range(11)]), "not 11"),
        (reply().replace("<plan>", ""), "no <plan>"),
        (reply(steps="Expert: analyse"), "has 0"),
        (reply(steps="\n".join(f"{n}. Expert: x" for n in range(1, 14))), "has 13"),
        (reply(steps="1. Expert: x\n2. Nobody: y"), "step 2 must be"),
        (reply(steps="1. Expert does it"), "step 1 must be"),
    ],
)
def test_a_draft_that_cannot_be_used_says_why(text, reason):
    with pytest.raises(DraftUnreadable, match=reason):
        read_draft(text)


@given(st.text(alphabet='<>/experts plan[]{}":,1.\nA', max_size=120))
def test_any_reply_is_read_or_refused(text):
    with contextlib.suppress(DraftUnreadable):
        assert read_draft(text).steps


# --- the compiled team ---

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


# --- the design ---


async def test_a_team_is_drafted_and_its_answer_designed_in_one_round():
    agent, solver = ScriptedModel([reply(), NONE, NONE]), worker()
    design = await AutoAgents().design(ADD, bench(agent, solver))
    assert (design.answer, design.score, design.stopped, len(design.rounds)) == (RIGHT, 1.0, "perfect", 1)
    assert design.rounds[0].modification == "A team of Expert, Test Expert, Language Expert, and a plan of 3 steps."
    assert design.rounds[0].reasoning == ""
    assert ADD.problem in agent.history[0].messages[0].content
    assert [item.purpose for item in agent.history] == ["meta-agent"] * 3
    assert design.rounds[0].spent.model_calls == 3
    assert design.cost.model_calls == 3 + 5
    assert not any("add(2, 2)" in message.content for asked in agent.history for message in asked.messages)


async def test_observers_are_heard_and_drafts_are_bounded():
    agent = FunctionModel(
        lambda asked: "Add a poet." if "You are an observer" in asked.messages[0].content else reply()
    )
    await AutoAgents().design(ADD, bench(agent, worker()))
    drafts = [item for item in agent.history if "You are a planner" in item.messages[0].content]
    assert (len(drafts), len(agent.history)) == (3, 3 + 2 * 2)
    assert "Add a poet." not in drafts[0].messages[0].content
    assert "Add a poet." in drafts[1].messages[0].content
    assert json.dumps(TEAM) in drafts[1].messages[0].content
    observed = [item for item in agent.history if item not in drafts]
    assert "Suggestions so far\n\nNone." in observed[0].messages[0].content
    assert "Suggestions so far\n\nAdd a poet." in observed[2].messages[0].content
    assert len({item.draw for item in agent.history}) == 7


async def test_a_bad_draft_is_asked_for_once_more_with_the_reason():
    agent = ScriptedModel([reply(steps="1. Nobody: x"), reply(), NONE, NONE])
    design = await AutoAgents().design(ADD, bench(agent, worker()))
    assert design.score == 1.0
    assert "step 1 must be" in agent.history[1].messages[-1].content
    assert "Draft 1 could not be used: step 1 must be" in design.rounds[0].reasoning


async def test_a_planner_that_never_drafts_is_replaced_by_the_fallback_team_and_the_round_says_so():
    agent, solver = ScriptedModel(["I cannot."] * 2), worker()
    design = await AutoAgents().design(ADD, bench(agent, solver))
    assert design.score == 1.0
    assert "a fallback team takes its place" in design.rounds[0].reasoning
    assert FALLBACK.experts[0].prompt in solver.history[0].messages[0].content


async def test_a_later_bad_draft_leaves_the_one_before():
    agent = ScriptedModel([reply(), "Add a poet.", NONE, "bad", "bad"])
    design = await AutoAgents().design(ADD, bench(agent, worker()))
    assert design.rounds[0].modification.startswith("A team of Expert, Test Expert")
    assert "fallback" not in design.rounds[0].reasoning


async def test_a_plan_over_the_budget_of_a_run_is_asked_for_again():
    agent = ScriptedModel([reply(), reply(steps="1. Expert: all"), NONE, NONE])
    design = await AutoAgents().design(ADD, bench(agent, worker(), budget=Budget(calls=4)))
    assert "at most 4 calls may be made" in agent.history[0].messages[0].content
    assert "more than the 4 calls" in agent.history[1].messages[-1].content
    assert design.score == 1.0


async def test_a_run_that_may_not_even_pay_the_fallback_team_gives_no_answer():
    with pytest.raises(NoAnswer, match="calls 3 is over the limit of 2"):
        await AutoAgents().design(ADD, bench(ScriptedModel(["bad"] * 2), worker(), budget=Budget(calls=2)))


async def test_experts_who_never_finish_stay_within_the_calls_of_a_run():
    design = await AutoAgents().design(
        ADD, bench(ScriptedModel([reply(), NONE, NONE]), worker(finish=False), budget=Budget(calls=10))
    )
    assert (design.score, design.cost.calls) == (1.0, 4 * 2 + 1)


async def test_a_failing_model_is_an_error():
    with pytest.raises(ModelError, match="no meta"):
        await AutoAgents().design(ADD, bench(ScriptedModel([ModelError("no meta")]), worker()))
    failing = FunctionModel(lambda _: ModelError("no worker"))
    with pytest.raises(ModelError, match="no worker"):
        await AutoAgents().design(ADD, bench(ScriptedModel([reply(), NONE, NONE]), failing))


async def test_a_spent_budget_ends_the_drafting():
    agent = FunctionModel(lambda _: Completion("More.", usd=1.0))
    with pytest.raises(BudgetExceeded):
        await AutoAgents().design(ADD, bench(agent, worker(), meter=Meter(Budget.unlimited(usd=0.5))))
    assert len(agent.history) == 1


async def test_without_a_function_to_define_the_last_step_is_the_answer():
    query = Query("Name a colour.", metric=lambda query, answer: float(answer == "worked"))
    agent, solver = ScriptedModel([reply(), NONE, NONE]), worker()
    design = await AutoAgents().design(query, bench(agent, solver))
    assert (design.answer, design.score, len(solver.history)) == ("worked", 1.0, 4)


@pytest.mark.parametrize("setting", ["drafts", "turns", "evaluations"])
def test_settings_below_one_are_refused(setting):
    with pytest.raises(QueryError, match=f"{setting} must be at least 1"):
        AutoAgents(**{setting: 0})


# --- the fixed team ---


async def test_the_fixed_team_asks_no_meta_agent():
    replies = {
        "Custom": "1. add",
        "CustomCodeGenerate": "```python\nx = 1\n```",
        "Review": "<review_result>false</review_result>\n<feedback>Add.</feedback>",
        "Revise": "y = 2",
        "TestReflection": f"```python\n{RIGHT}\n```",
    }
    agent, solver = ScriptedModel([]), FunctionModel(lambda asked: replies[asked.purpose])
    design = await AutoAgents(wording="operators").design(ADD, bench(agent, solver))
    assert (design.answer, design.score) == (RIGHT, 1.0)
    assert [item.purpose for item in solver.history] == list(replies)
    assert "1. add" in solver.history[1].messages[0].content
    assert design.rounds[0].workflow.diagnostics == ()


async def test_the_fixed_team_does_without_tests_where_a_metric_judges():
    query = Query("Write f.", entry_point="f", metric=lambda query, answer: 1.0)
    solver = FunctionModel(
        lambda asked: "<review_result>true</review_result>" if asked.purpose == "Review" else "```python\nf = 1\n```"
    )
    design = await AutoAgents(wording="operators").design(query, bench(ScriptedModel([]), solver))
    assert (design.answer, len(solver.history)) == ("f = 1", 3)


async def test_the_fixed_team_works_with_the_embedded_worker():
    model = model_from_uri("embedded:", ModelContext("worker"))
    asked = queries("train", 2, seed=5)
    async with Pool("process", workers=1) as sandbox:
        designer = AutoAgents(wording="operators")
        designs = [await designer.design(query, Workbench(model, model, sandbox)) for query in asked]
    assert all(f"def {query.entry_point}(" in design.answer for query, design in zip(asked, designs, strict=True))
    assert max(design.score for design in designs) == 1.0
    assert not any(design.simulated_models for design in designs)
