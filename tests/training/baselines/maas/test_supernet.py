"""Every architecture of the supernet is a valid workflow, and does what its operators say."""

from dataclasses import astuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowreasoner import Budget
from flowreasoner.baselines.words import GENERAL, MINIATURE
from flowreasoner.budget import Meter
from flowreasoner.engine import run_workflow
from flowreasoner.workflow import check
from flowreasoner_training.baselines.maas.controller import mend_first_layer
from flowreasoner_training.baselines.maas.supernet import OPERATORS, workflow_of
from flowreasoner_training.nano.lessons import PLANNING, WRITING

ALL = (OPERATORS,) * 4

layers = st.permutations(OPERATORS).flatmap(lambda order: st.integers(1, 7).map(lambda many: tuple(order[:many])))
architectures = st.lists(layers, min_size=1, max_size=4).map(
    lambda made: (mend_first_layer(made[0]), *(tuple(layer) for layer in made[1:]))
)


@settings(deadline=None)
@given(architectures, st.booleans(), st.sampled_from([GENERAL, MINIATURE]))
def test_every_architecture_compiles_and_passes_the_checker(architecture, tested, words):
    report = check(*workflow_of(architecture, words, tested))
    assert report.ok
    assert report.diagnostics == ()
    assert ("Test" in {site.operator for site in report.workflow.program.sites}) == tested


async def executed(architecture, *, passes, tested=True, accepts=False):
    made = []

    async def perform(operator, inputs, _):
        made.append((operator.name, inputs))
        number = len(made)
        match operator.name:
            case "ScEnsemble":
                return {"response": inputs["solutions"][0]}
            case "Test":
                return {"result": passes, "solution": inputs["solution"] + "t"}
            case "Review":
                return {"review_result": accepts, "feedback": "better"}
            case "Revise":
                return {"solution": f"R{number}"}
        return {"response": f"A{number}"}

    workflow = check(*workflow_of(architecture, GENERAL, tested)).workflow
    meter = Meter(Budget())
    result = await run_workflow(workflow, {"problem": "P", "entry_point": "f"}, perform, meter=meter)
    assert result.error is None
    return result.answer, made


async def test_operators_work_one_after_the_other_on_the_last_program():
    architecture = (("GenerateCoT", "Generate"), ("ScEnsemble", "SelfRefine"), ("Test", "EarlyStop"))
    answer, made = await executed(architecture, passes=True)
    assert [name for name, _ in made] == [
        "Custom",
        "CustomCodeGenerate",
        "CustomCodeGenerate",
        "ScEnsemble",
        "Review",
        "Revise",
        "Test",
        "Test",
    ]
    inputs = [given for _, given in made]
    assert (inputs[0]["instruction"], inputs[1]["instruction"], inputs[2]["instruction"]) == astuple(GENERAL)[:3]
    assert inputs[1]["context"] == "A1"
    assert inputs[3]["solutions"] == ["A2", "A3"]
    assert (inputs[4]["solution"], inputs[5]["feedback"], inputs[6]["solution"]) == ("A2", "better", "R6")
    assert answer == "R6tt"


async def test_programs_are_kept_for_the_ensemble():
    _, made = await executed((("MultiGenerateCoT",), ("SelfRefine", "ScEnsemble"), ("ScEnsemble",)), passes=True)
    asked = [inputs["solutions"] for name, inputs in made if name == "ScEnsemble"]
    assert asked == [["A2", "A4", "A6", "R8"], ["A2"]]
    assert [inputs["solution"] for name, inputs in made if name == "Review"] == ["A6"]


async def test_a_review_that_accepts_revises_nothing():
    answer, made = await executed((("Generate", "SelfRefine"),), passes=True, accepts=True)
    assert (answer, len(made)) == ("A1t", 3)


async def test_a_program_that_fails_in_the_end_is_written_anew():
    answer, made = await executed((("Generate",),), passes=False)
    assert [name for name, _ in made] == ["CustomCodeGenerate", "Test", "CustomCodeGenerate"]
    assert (answer, made[2][1]["instruction"]) == ("A3", GENERAL.improve)


async def test_without_tests_nothing_is_tested():
    answer, made = await executed((("Generate", "Test"),), passes=False, tested=False)
    assert (answer, len(made)) == ("A1", 1)


@pytest.mark.parametrize("tested", [True, False])
async def test_the_largest_architecture_stays_within_the_calls_of_a_run(tested):
    _, made = await executed((mend_first_layer(("Generate", *OPERATORS[1:6])), *ALL[1:]), passes=False, tested=tested)
    assert len(made) == (4 * 13 + 2 if tested else 4 * 12)


def test_the_miniature_s_words_are_those_that_its_worker_was_taught():
    assert MINIATURE.plan in PLANNING
    assert {MINIATURE.follow, MINIATURE.write, MINIATURE.improve} <= set(WRITING)
