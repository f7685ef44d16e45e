"""Trajectories made by real design runs with scripted models, without any sandbox."""

from __future__ import annotations

from typing import Any

from agents import ADD, RIGHT, WRONG, coder, one_call
from fake_sandbox import FakeSandbox

from flowreasoner import Budget
from flowreasoner.api import design
from flowreasoner.models import ScriptedModel
from flowreasoner.operators import BUILTIN
from flowreasoner.reward import Reward
from flowreasoner_training.trajectory import Trajectory

__all__ = ["make_design", "make_trajectory"]


async def make_design(replies: Any = (), **settings: Any) -> Any:
    """Returns a design run: the first workflow is wrong, the second is right, unless other replies are given."""
    agent = ScriptedModel(list(replies) or [one_call("first"), one_call("second")])
    worker = coder({"first": WRONG, "second": RIGHT, "third": RIGHT})
    sandbox = FakeSandbox(lambda code: code == RIGHT)
    return await design(
        settings.pop("query", ADD), meta_agent=agent, worker=worker, sandbox=sandbox, evaluations=1, **settings
    )


async def make_trajectory(replies: Any = (), **settings: Any) -> Trajectory:
    """Returns the trajectory of such a run."""
    made = await make_design(replies, **settings)
    return Trajectory.from_design(made, Reward(), benchmark="demo", operators=BUILTIN.values(), budget=Budget(calls=9))
