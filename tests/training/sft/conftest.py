from dataclasses import replace

import pytest
from agents import one_call
from trajectories import make_trajectory

from flowreasoner_training.trajectory import write_trajectories


@pytest.fixture
async def data(tmp_path):
    """A file with four trajectories of different lengths."""
    made = [
        await make_trajectory(replies)
        for replies in (
            [one_call("second")],
            [one_call("first"), one_call("second")],
            [one_call("first"), one_call("first "), one_call("third")],
            [f"<think>\nHm.\n</think>\n\n{one_call('second')}"],
        )
    ]
    file = tmp_path / "trajectories.jsonl"
    write_trajectories(file, [replace(item, id=f"demo/add/{number}") for number, item in enumerate(made)])
    return file
