"""Workflows in the words of small workers, with the worker that knows them."""

import pytest

from flowreasoner.baselines.adas.seeds import SEEDS
from flowreasoner.baselines.small import SMALL_MANUAL, SMALL_SEEDS, SMALL_START, in_words
from flowreasoner.baselines.words import GENERAL, MINIATURE
from flowreasoner.designers import FixedWorkflow, Workbench
from flowreasoner.designers.manual import MANUAL
from flowreasoner.miniature import queries
from flowreasoner.models import ModelContext, model_from_uri
from flowreasoner.sandbox import best_sandbox


@pytest.mark.parametrize("name", ["self-refine", "llm-debate", "llm-blender", "aflow-seed"])
def test_the_graph_is_the_published_one(name):
    assert SMALL_MANUAL[name].source == MANUAL[name].workflow.source


def test_the_words_are_those_of_the_worker_and_roles_are_left_out():
    told = in_words(SEEDS["LLM Debate"], MINIATURE).prompts
    assert told == dict.fromkeys(("THINK", "DEBATE", "DECIDE"), MINIATURE.improve) | dict.fromkeys(
        ("ENGINEER", "SCIENTIST", "TESTER"), ""
    )
    step_back = in_words(SEEDS["Step-back Abstraction"], GENERAL).prompts
    assert step_back == {"PRINCIPLES": GENERAL.plan, "SOLVE": GENERAL.follow}


def test_all_but_one_have_a_counterpart():
    assert SMALL_MANUAL.keys() == MANUAL.keys()
    assert SEEDS.keys() - SMALL_SEEDS.keys() == {"Dynamic Assignment of Roles"}
    assert SMALL_MANUAL["vanilla"] == SMALL_START


async def test_the_embedded_worker_solves_with_them_what_it_does_not_with_the_published_words():
    pytest.importorskip("tokenizers")
    models = [model_from_uri("embedded:", ModelContext(role)) for role in ("meta_agent", "worker")]
    asked = queries("test", 4)
    sandbox = best_sandbox()
    try:
        solved = {}
        for kind, workflow in [("small", SMALL_MANUAL["cot"]), ("published", MANUAL["cot"].workflow)]:
            designs = [await FixedWorkflow(workflow).design(query, Workbench(*models, sandbox)) for query in asked]
            solved[kind] = sum(design.hidden_score for design in designs)
    finally:
        await sandbox.aclose()
    assert solved["small"] > solved["published"] == 0
