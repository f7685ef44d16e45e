"""Fits MaAS on a few queries with a worker that is a function; as a script, for tests that kill it.

maas_runs.py FOLDER SECONDS_PER_CALL
"""

import asyncio
import json
import sys
from dataclasses import replace
from pathlib import Path

from agents import ADD, RIGHT, WRONG
from fake_sandbox import FakeSandbox
from safetensors import safe_open

from flowreasoner import Budget
from flowreasoner.budget import Meter
from flowreasoner.designers import Workbench
from flowreasoner.models import Completion, FunctionModel
from flowreasoner_training.baselines.maas import MaAS

QUERIES = [
    replace(ADD, id=f"add-{number}", problem=f"{ADD.problem} {words}")
    for number, words in enumerate(["Be quick.", "Think of negative numbers.", "They are integers."])
]
FILE = "controller.safetensors"
SETTINGS = {"samples": 2, "batch": 2, "cost": "calls"}


def worker(seconds=0.0, usd=0.001):
    """Returns a worker whose programs are right for most draws, and always for the same ones."""

    async def answer(request):
        await asyncio.sleep(seconds)
        right = sum(request.draw.encode()) % 3 > 0
        if request.purpose == "Review":
            text = f"<review_result>{str(right).lower()}</review_result><feedback>Look again.</feedback>"
        elif request.purpose == "ScEnsemble":
            text = "<thought>All agree.</thought><solution_letter>A</solution_letter>"
        else:
            text = f"```python\n{RIGHT if right else WRONG}\n```"
        return Completion(text, input_tokens=10, output_tokens=10, usd=usd)

    return FunctionModel(answer, "function:worker")


def bench(model=None, usd=None, **more):
    """Returns a bench with a sandbox that runs nothing, and a budget in dollars for all of it."""
    model = worker() if model is None else model
    return Workbench(
        model, model, FakeSandbox(lambda code: code == RIGHT), meter=Meter(Budget.unlimited(usd=usd)), **more
    )


def state(folder):
    """All tensors of a fitting, as bytes, and what its batches came to."""
    with safe_open(folder / FILE, "pt") as file:
        tensors = {name: file.get_tensor(name).numpy().tobytes() for name in file.keys()}  # noqa: SIM118
        return tensors, json.loads(file.metadata()["progress"])


async def fitted(folder, given=None, asked=QUERIES, **more):
    """Fits in a folder, on a bench of this module unless one is given; `more` are settings of the method."""
    return await MaAS(**{**SETTINGS, **more}).fit(asked, bench() if given is None else given, folder)


if __name__ == "__main__":
    folder, seconds = Path(sys.argv[1]), float(sys.argv[2])
    asyncio.run(MaAS(**SETTINGS).fit(QUERIES, bench(worker(seconds)), folder))
