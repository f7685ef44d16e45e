"""Contenders, queries and an arena that need no model and no sandbox."""

from dataclasses import replace

from agents import ADD, RIGHT
from fake_sandbox import FakeSandbox

from flowreasoner import Workflow
from flowreasoner.comparison import Arena
from flowreasoner.models import ScriptedModel

__all__ = ["NO_ANSWER", "ONE", "QUERIES", "agent", "arena"]

ONE = Workflow.parse("""class Workflow:
    async def __call__(self, problem, entry_point):
        s = await self.custom_code_generate(problem=problem, entry_point=entry_point, instruction='Write it.')
        return s['response']
""")
NO_ANSWER = Workflow.parse("""class Workflow:
    async def __call__(self, problem):
        x = {}
        return x[problem]
""")
QUERIES = [replace(ADD, id=f"add-{number}", metadata={"depth": number}) for number in (1, 2, 3)]


def arena(worker, passes=lambda code: code == RIGHT):
    return Arena(lambda query, seed: worker, FakeSandbox(passes))


def agent(*replies):
    model = ScriptedModel(list(replies))
    return lambda query, seed: model
