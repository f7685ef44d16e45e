"""Live graphs: interpreted by the engine, on a MetaGPT LLM."""

import asyncio
from dataclasses import replace

import pytest
from chat_server import ChatServer

from flowreasoner.budget import Budget
from flowreasoner.errors import BudgetExceeded, ModelRefused, OperatorError, WorkflowInvalid
from flowreasoner.models import FunctionModel
from flowreasoner.operators import BUILTIN
from flowreasoner.sandbox import Suite
from flowreasoner.workflow import Workflow, check
from flowreasoner_adapters.aflow import AFlowBackend, AFlowGraph

SAMPLES = Workflow.parse("""class Workflow:
    async def __call__(self, problem, entry_point):
        solutions = []
        for _ in range(5):
            s = await self.custom(input=problem, instruction='Solve: ')
            solutions.append(s['response'])
        best = await self.sc_ensemble(solutions=solutions, problem=problem)
        return best['response'], self.llm.cost_manager.total_cost
""")
TESTED = Workflow.parse("""class Workflow:
    async def __call__(self, problem, entry_point):
        s = await self.custom_code_generate(problem=problem, entry_point=entry_point, instruction='')
        t = await self.test(problem=problem, solution=s['response'], entry_point=entry_point)
        return f"{t['result']} {t['solution']}"
""")


def _answer(body):
    return "<solution_letter>C</solution_letter>" if "letter" in body["messages"][-1]["content"] else "an answer"


def _fields(server):
    return {"api_type": "openai", "base_url": server.url, "api_key": "sk-test", "model": "gpt-4o-mini"}


async def test_a_graph_is_called_as_in_aflow_and_runs_its_samples_at_once():
    pytest.importorskip("metagpt")
    with ChatServer(_answer, latency=0.05) as server:
        graph = AFlowBackend(_fields(server)).emit(SAMPLES)
        answer, cost = await graph("1 + 1", "f")
        assert answer == "an answer"
        assert cost == pytest.approx(graph.llm.cost_manager.total_cost)
        assert cost > 0
        assert server.most_at_once == 5


async def test_each_call_costs_its_own_also_at_the_same_time():
    pytest.importorskip("metagpt")
    with ChatServer(_answer, latency=0.01) as server:
        graph = AFlowGraph(SAMPLES, _fields(server))
        costs = [cost for _, cost in await asyncio.gather(*(graph("same", "f") for _ in range(4)))]
        assert costs == pytest.approx([costs[0]] * 4)
        assert graph.llm.cost_manager.total_cost == pytest.approx(sum(costs))


async def test_code_is_tested_in_the_sandbox():
    wrong, right = "def f(x):\n    return x", "def f(x):\n    return x + 1"
    replies = iter([wrong, right] * 2)
    model = FunctionModel(lambda request: f"```python\n{next(replies)}\n```")
    suite = Suite.asserts(["assert f(1) == 2"], "f")
    assert await AFlowGraph(TESTED, model, tests={"f": suite})("p", "f") == (f"True {right}", 0.0)
    assert (await AFlowGraph(TESTED, model)("p", "f", ["assert f(1) == 2"]))[0] == f"True {right}"
    replies = iter([right])
    with pytest.raises(OperatorError, match="without tests"):
        await AFlowGraph(TESTED, model)("p", "f")


async def test_a_limit_ends_a_call():
    model = FunctionModel(lambda request: "x")
    with pytest.raises(BudgetExceeded, match="calls"):
        await AFlowGraph(SAMPLES, model, budget=Budget(calls=3))("p")


async def test_no_model_is_an_error_that_says_what_to_give(monkeypatch):
    pytest.importorskip("metagpt")
    with pytest.raises(ModelRefused, match="llm=LLMConfig"):
        await AFlowGraph(SAMPLES)("p")
    with pytest.raises(ModelRefused, match=r"llm must be.*not list"):
        AFlowBackend([]).emit(SAMPLES)


def test_an_operator_that_is_not_there_is_named_with_its_line():
    mine = replace(BUILTIN["Custom"], name="Mine", attribute="mine")
    source = (
        "class Workflow:\n    async def __call__(self, problem):\n"
        "        a = await self.mine(input=problem, instruction='')\n        return a['response']\n"
    )
    workflow = check(source, {}, {**BUILTIN, "Mine": mine}).workflow
    with pytest.raises(WorkflowInvalid, match="line 3: there is no operator 'Mine'"):
        AFlowGraph(workflow)
    with pytest.raises(WorkflowInvalid, match="line 3: AFlow has no operator 'Mine'"):
        AFlowBackend().source(workflow)
    AFlowGraph(workflow, operators={**BUILTIN, "Mine": mine})


async def test_closing_a_graph_closes_what_it_opened_and_nothing_else():
    pytest.importorskip("metagpt")
    closed = []

    class Model(FunctionModel):
        async def aclose(self):
            closed.append(self)

    async with AFlowGraph(SAMPLES, Model(lambda request: "x")) as graph:
        assert (await graph("p"))[0] == "x"
    assert closed == []
    with ChatServer(_answer) as server:
        async with AFlowGraph(SAMPLES, _fields(server)) as graph:
            await graph("p")
        assert graph.llm.aclient.is_closed()
