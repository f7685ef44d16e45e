"""AutoAgents as a designer: drafting with observers, bad planners, budgets, and the fixed team of operators."""

import json

import pytest
from agents import ADD, RIGHT
from drafted import NONE, TEAM, bench, reply, worker
from fake_sandbox import FakeSandbox

from flowreasoner import Budget, Query, Store, design
from flowreasoner.baselines.autoagents import AutoAgents
from flowreasoner.baselines.autoagents.draft import FALLBACK
from flowreasoner.budget import Meter
from flowreasoner.designers import Workbench
from flowreasoner.errors import BudgetExceeded, ModelError, NoAnswer, QueryError
from flowreasoner.miniature import queries
from flowreasoner.models import Completion, FunctionModel, ModelContext, ScriptedModel, model_from_uri
from flowreasoner.sandbox import Pool


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


async def test_an_interrupted_design_goes_on_with_the_same_replies(tmp_path):
    """What was answered before is answered by the store, so that the end is as if nothing had happened."""
    settings = {"designer": AutoAgents(), "sandbox": FakeSandbox(lambda code: code == RIGHT)}
    steady, asked = worker(), 0

    async def failing(request):
        nonlocal asked
        asked += 1
        return ModelError("gone") if asked > 2 else await steady.complete(request)

    whole = await design(ADD, meta_agent=ScriptedModel([reply(), NONE, NONE]), worker=worker(), **settings)
    with Store(tmp_path / "store.sqlite") as store:
        first = ScriptedModel([reply(), NONE, NONE])
        with pytest.raises(ModelError, match="gone"):
            await design(ADD, meta_agent=first, worker=FunctionModel(failing, steady.name), store=store, **settings)
        unasked = ScriptedModel([])
        again = await design(ADD, meta_agent=unasked, worker=steady, store=store, **settings)
    assert (again.workflow, again.answer, again.rounds[0].turns) == (
        whole.workflow,
        whole.answer,
        whole.rounds[0].turns,
    )
    assert unasked.history == []
    assert again.cost.cached_calls == 3 + 2


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
