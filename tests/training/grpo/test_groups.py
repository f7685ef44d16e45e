import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import grpo_groups
import pytest

SCRIPT = Path(grpo_groups.__file__)


def start(model, out, **variables):
    environment = {**os.environ, **variables, "PYTHONPATH": os.pathsep.join([str(SCRIPT.parent), *sys.path])}
    command = [sys.executable, SCRIPT, model, out]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def printed(process):
    output, errors = process.communicate()
    assert process.returncode == 0, errors
    return json.loads(output.splitlines()[-1])


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return str(taken.getsockname()[1])


@pytest.mark.slow
def test_a_group_split_over_two_processes_gets_the_same_advantages(tiny, tmp_path):
    alone = printed(start(tiny, tmp_path / "alone"))
    shared = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": free_port(), "ACCELERATE_USE_CPU": "true"}
    both = [
        start(tiny, tmp_path / rank, RANK=rank, LOCAL_RANK=rank, LOCAL_WORLD_SIZE="2", **shared) for rank in ("0", "1")
    ]
    halves = [printed(process) for process in both]
    assert [len(half) for half in halves] == [3, 3]
    assert halves[0] + halves[1] == alone
    assert len({line[0] for line in alone}) > 3
