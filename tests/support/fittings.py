"""A small task for searches: four queries, and a worker that solves as many of them as its prompt's level says."""

import re
from dataclasses import replace

from agents import ADD, RIGHT, WRONG, one_call
from fake_sandbox import FakeSandbox

from flowreasoner import Workflow
from flowreasoner.budget import Budget, Meter
from flowreasoner.designers import Workbench
from flowreasoner.designers.reply import read_proposal
from flowreasoner.errors import ModelRefused
from flowreasoner.models import Completion, FunctionModel

__all__ = ["QUERIES", "bench", "dying", "level", "level_worker", "workflow_of"]

QUERIES = [replace(ADD, id=f"add-{number}", problem=f"{ADD.problem} Query {number}.") for number in (1, 2, 3, 4)]


def level(number: int, remark: str = "") -> str:
    """Returns a meta-agent's reply whose workflow solves the first `number` of the queries."""
    return one_call(f"Level {number}{remark}.")


def workflow_of(reply: str) -> Workflow:
    """Returns the workflow of a reply."""
    proposed = read_proposal(Completion(reply))
    return Workflow.parse(proposed.graph, proposed.prompt)


def level_worker(request, usd=0.0):
    """Solves a query if the level that its prompt names is as high as the query's number; without a level none."""
    prompt = request.messages[-1].content
    if request.purpose == "Review":
        return "<review_result>true</review_result>"
    reached = re.search(r"Level (\d)", prompt)
    query = re.search(r"Query (\d)", prompt)
    right = reached is not None and query is not None and int(reached[1]) >= int(query[1])
    return Completion(f"```python\n{RIGHT if right else WRONG}\n```", input_tokens=10, output_tokens=5, usd=usd)


def bench(meta_agent, worker=level_worker, usd=None, **settings):
    """Returns a bench without a real model or sandbox.

    Args:
        meta_agent: A model, or a function of the request.
        worker: Likewise.
        usd: What the fitting may cost.
        settings: Further fields of the bench.
    """
    models = [item if hasattr(item, "complete") else FunctionModel(item) for item in (meta_agent, worker)]
    sandbox = FakeSandbox(lambda code: code == RIGHT)
    return Workbench(*models, sandbox, meter=Meter(Budget.unlimited(usd=usd)), **settings)


def dying(number, *functions):
    """Returns the functions as models' that answer `number` requests altogether, and then none."""
    asked = 0

    def with_death(function):
        def answer(request):
            nonlocal asked
            asked += 1
            return ModelRefused("gone") if asked > number else function(request)

        return answer

    return [with_death(function) for function in functions]
