"""Distils with slow scripted models, as a process of its own that can be killed: ``distilling.py OUT LOG DELAY``.

LOG gets the key of every request that a model really answers.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

from agents import RIGHT, one_call
from fake_sandbox import FakeSandbox
from recipes import make_recipe

from flowreasoner import Query, Suite
from flowreasoner.models import FunctionModel
from flowreasoner_plugins import load_plugins
from flowreasoner_training.distill import distill

__all__ = ["distil"]


def distil(out: Path, log: Path, delay: float) -> Any:
    """Distils eight queries of three rounds each; returns what came of it."""

    def model(name: str, answer: Any) -> FunctionModel:
        async def complete(request: Any) -> str:
            await asyncio.sleep(delay)
            with log.open("a") as file:
                file.write(request.key(name) + "\n")
            return answer("\n".join(message.content for message in request.messages))

        return FunctionModel(complete, name)

    def design(said: str) -> str:
        return one_call(f"design {said.count('# Feedback on round') + 1}")

    def work(said: str) -> str:
        return f"```python\n{RIGHT if 'design 3' in said else 'def add(a, b): return 0'}\n```"

    suite = Suite.asserts(["assert add(1, 2) == 3"], "add")
    queries = [Query(f"Write add {number}.", id=f"q{number}", entry_point="add", feedback=suite) for number in range(8)]
    return asyncio.run(
        distill(
            make_recipe(distill={"concurrency": 2}),
            queries,
            out,
            teacher=model("function:teacher", design),
            worker=model("function:worker", work),
            plugins=load_plugins(entry_points=False),
            sandbox=FakeSandbox(lambda code: code == RIGHT),
        )
    )


if __name__ == "__main__":
    distil(Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3]))
