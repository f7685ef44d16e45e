"""The miniature's teacher: valid workflows, reasons that agree with what it saw, stronger designs after failures."""

import re
from collections import Counter

import pytest

from flowreasoner.designers.conversation import conversation, task_message
from flowreasoner.designers.reply import read_proposal
from flowreasoner.errors import ModelRefused
from flowreasoner.miniature import random_query
from flowreasoner.models import ModelContext, model_from_uri
from flowreasoner.models.base import ChatRequest
from flowreasoner.operators import BUILTIN
from flowreasoner.query import Query
from flowreasoner.workflow import check, complexity
from flowreasoner_plugins import load_plugins
from flowreasoner_plugins.model_source import ModelSource
from flowreasoner_training.nano.catalogue import CATALOGUE
from flowreasoner_training.nano.teacher import SearchTeacher


@pytest.mark.parametrize("blueprint", CATALOGUE, ids=lambda item: item.words)
def test_every_workflow_of_the_catalogue_is_valid_without_a_warning(blueprint):
    report = check(blueprint.graph, blueprint.prompts)
    assert report.ok
    assert report.diagnostics == ()


def test_no_two_workflows_are_the_same():
    assert len({(item.graph, item.prompts) for item in CATALOGUE}) == len(CATALOGUE)


TASK = conversation(task_message(random_query(1), BUILTIN.values(), 64), [])
"""The real one, whose example of a workflow was once taken for a design that had been tried."""


async def ask(teacher, *history, draw="0"):
    request = ChatRequest(TASK, draw, "meta-agent")
    for reply, feedback in history:
        request = request.then(reply, feedback, draw)
    return (await teacher.complete(request)).text


async def test_a_reply_has_all_parts_and_its_workflow_is_of_the_catalogue():
    proposed = read_proposal(await SearchTeacher(3).complete(ChatRequest.ask("the task")))
    assert "3 steps" in proposed.reasoning
    assert proposed.modification in {item.words for item in CATALOGUE}
    assert proposed.graph in {item.graph for item in CATALOGUE}


async def test_the_same_conversation_and_draw_get_the_same_reply():
    assert await ask(SearchTeacher(2)) == await ask(SearchTeacher(2))
    assert len({await ask(SearchTeacher(2), draw=str(n)) for n in range(20)}) > 4


async def test_it_reports_the_score_that_it_saw_and_never_repeats_a_workflow():
    first = await ask(SearchTeacher(2))
    for n in range(20):
        second = await ask(SearchTeacher(2), (first, "Score: 0.33."), draw=str(n))
        assert "Round 1 scored 0.33." in second
        graph = re.search(r"<graph>\n(.*)\n</graph>", second, re.S)[1]
        assert graph not in first


async def test_after_a_failure_designs_are_stronger_than_after_a_success():
    first = await ask(SearchTeacher(2))

    async def complexities(score):
        replies = [await ask(SearchTeacher(2), (first, f"Score: {score}."), draw=str(n)) for n in range(60)]
        graphs = [read_proposal_text(reply) for reply in replies]
        return sum(complexity(check(graph).workflow.program).raw for graph in graphs if check(graph).ok)

    assert await complexities("0.00") > await complexities("1.00")


def read_proposal_text(reply):
    return re.sub(r"prompt_custom\.\w+", "'x'", re.search(r"<graph>\n(.*)\n</graph>", reply, re.S)[1])


async def test_simple_designs_come_first():
    words = Counter(
        [re.search(r"<modification>(.*)</m", await ask(SearchTeacher(1), draw=str(n)))[1] for n in range(90)]
    )
    assert words.most_common(1)[0][0] == "write one program"


def test_the_scheme_teaches_on_the_miniature_world_only():
    schemes = load_plugins().chat_models
    context = ModelContext("meta_agent", random_query(1, 4))
    assert model_from_uri("nano:teacher", context, schemes).steps == 4
    with pytest.raises(ModelRefused, match="miniature world only"):
        model_from_uri("nano:teacher", ModelContext("meta_agent", Query("Add.")), schemes)
    with pytest.raises(ModelRefused, match="makes on its way"):
        model_from_uri("nano:worker", context, schemes)


def test_distillation_asks_a_teacher_of_its_own_for_each_query():
    source = ModelSource("nano:teacher", "meta_agent", load_plugins())
    assert [source.of(random_query(1, depth)).steps for depth in (1, 2, 3, 4)] == [1, 2, 3, 4]
