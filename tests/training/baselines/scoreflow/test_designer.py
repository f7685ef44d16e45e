import pytest
from agents import ADD, one_call
from scoreflow_runs import REPLIES, bench

from flowreasoner.designers import Designer
from flowreasoner.errors import BudgetExceeded, ModelError, NoAnswer
from flowreasoner.events import DesignStarted, WorkflowProposed
from flowreasoner.models import ScriptedModel
from flowreasoner_training.baselines.scoreflow import GeneratorDesigner

GOOD, REFUSED = one_call("good"), REPLIES["c2"]


def generator(*replies):
    return ScriptedModel(replies, "scripted:generator")


async def test_the_generator_designs_in_one_round():
    designer: Designer = GeneratorDesigner(generator(GOOD))
    here, events = bench(), []
    here.observers = (events.append,)
    design = await designer.design(ADD, here)
    assert (design.score, design.answer.splitlines()[0], len(design.rounds)) == (1.0, "def add(a, b):", 1)
    assert (design.meta_agent, design.worker, design.stopped) == ("scripted:generator", "function:worker", "perfect")
    assert designer.name == "scoreflow"
    assert here.meta_agent.history == []  # the bench's own is not asked
    assert next(event for event in events if isinstance(event, DesignStarted)).meta_agent == "scripted:generator"
    assert len(here.worker.history) == 1


async def test_a_refused_workflow_is_written_anew():
    model, here = generator(REFUSED, "<graph>\nclass", GOOD), bench()
    events = []
    here.observers = (events.append,)
    design = await GeneratorDesigner(model).design(ADD, here)
    assert design.score == 1.0
    assert [request.draw for request in model.history] == [f"0/r1/m{number}" for number in range(3)]
    assert len({request.messages for request in model.history}) == 1  # anew, not corrected
    assert len([event for event in events if isinstance(event, WorkflowProposed)]) == 3
    assert design.best.spent.model_calls == 3
    assert design.cost == here.meter.spent


async def test_tries_are_bounded():
    model = generator(*[REFUSED] * 9)
    with pytest.raises(NoAnswer, match="no workflow"):
        await GeneratorDesigner(model, tries=3).design(ADD, bench())
    assert len(model.history) == 3


async def test_a_used_up_budget_ends_the_tries():
    model = generator(*[REFUSED] * 501)
    with pytest.raises(BudgetExceeded):
        await GeneratorDesigner(model).design(ADD, bench(tokens=4_000))
    assert len(model.history) < 20


async def test_models_that_fail_are_errors():
    with pytest.raises(ModelError, match="no weights"):
        await GeneratorDesigner(generator(ModelError("no weights"))).design(ADD, bench())
    with pytest.raises(ModelError, match="no network"):
        await GeneratorDesigner(generator(GOOD)).design(ADD, bench(lambda _: ModelError("no network")))


async def test_evaluations_are_a_setting():
    here = bench()
    design = await GeneratorDesigner(generator(one_call("half")), evaluations=2).design(ADD, here)
    assert [item.score for item in design.best.feedback.evaluations] == [1.0, 0.0]
