"""What a planner of AutoAgents drafts, and a worker that acts as its experts."""

import json

from agents import RIGHT
from fake_sandbox import FakeSandbox

from flowreasoner.designers import Workbench
from flowreasoner.models import FunctionModel

__all__ = ["NONE", "STEPS", "TEAM", "bench", "reply", "worker"]

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
