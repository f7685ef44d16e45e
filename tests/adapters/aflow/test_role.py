"""A MetaGPT role that answers with a designed workflow, in a team."""

import pytest
from chat_server import ChatServer

pytest.importorskip("metagpt")

from aflow_runs import llm_config

from flowreasoner import Query, Suite
from flowreasoner_adapters.aflow import FlowReasonerRole, load_metagpt
from flowreasoner_adapters.aflow.llm import make_llm

GRAPH = """<modification>one call</modification>
<graph>
class Workflow:
    async def __call__(self, problem, entry_point):
        s = await self.custom_code_generate(problem=problem, entry_point=entry_point, instruction='')
        return s['response']
</graph>"""


def _answer(body):
    designs = any("<graph>" in message["content"] for message in body["messages"] if message["role"] == "user")
    return GRAPH if designs else "```python\ndef add(a, b):\n    return a + b\n```"


def _query(text):
    return Query(text, entry_point="add", feedback=Suite.asserts(["assert add(1, 2) == 3"], "add"))


def _role(server, **settings):
    return FlowReasonerRole(
        llm=make_llm(llm_config(server.url)), query=_query, settings={"rounds": 2, "evaluations": 1, **settings}
    )


async def test_a_team_gets_an_answer_and_counts_its_cost():
    metagpt = load_metagpt()
    with ChatServer(_answer) as server:
        team = metagpt.Team(use_mgx=False) if "use_mgx" in metagpt.Team.model_fields else metagpt.Team()
        role = _role(server)
        team.hire([role])
        team.invest(3.0)
        history = await team.run(n_round=2, idea="Write add(a, b), which adds.")
    assert "def add(a, b):" in str(history)
    assert role.design.best.score == 1.0
    assert role.design.workflow.source.startswith("class Workflow")
    assert team.cost_manager.total_cost == pytest.approx(role.design.cost.usd)
    assert team.cost_manager.total_cost > 0
    assert team.cost_manager.total_prompt_tokens == 100 * len(server.requests)


async def test_a_role_answers_alone_with_models_of_its_own():
    from flowreasoner.models import FunctionModel

    meta = FunctionModel(lambda request: GRAPH)
    worker = FunctionModel(lambda request: "```python\ndef add(a, b):\n    return a + b\n```")
    role = FlowReasonerRole(meta_agent=meta, worker=worker, query=_query, settings={"rounds": 1, "evaluations": 1})
    message = await role.run("Write add(a, b).")
    assert message.content.startswith("def add(a, b):")
    assert message.role == "FlowReasoner"
    assert len(meta.history) == 1


async def test_the_workers_own_tests_steer_where_none_are_given():
    tests = "```python\nassert add(1, 2) == 3\nassert add(0, 0) == 0\n```"

    def answer(body):
        return tests if "assert statements" in body["messages"][-1]["content"] else _answer(body)

    with ChatServer(answer) as server:
        role = FlowReasonerRole(llm=make_llm(llm_config(server.url)), settings={"rounds": 1, "evaluations": 1})
        message = await role.run("Write the function add(a, b), which adds.")
    assert "def add(a, b):" in message.content
    assert role.design.query.policy == "written"
