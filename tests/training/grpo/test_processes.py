"""Groups that are divided over processes get the advantages that they get in one."""

import json
import os
import subprocess
import sys

import grpo_group
import grpo_reference as reference
import pytest
from tiny_model import tiny_model


def launch(model, out):
    """Runs the script as two processes that talk through gloo, and returns what each of them made."""
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--standalone"]
    done = subprocess.run(
        [*command, grpo_group.__file__, str(model), str(out)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.returncode == 0, done.stderr
    return [json.loads((out / f"rank-{rank}.json").read_text()) for rank in (0, 1)]


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_groups_divided_over_two_processes_get_the_same_advantages(tmp_path):
    model = tiny_model(tmp_path / "model")
    alone = grpo_group.score(model, tmp_path / "alone")
    (tmp_path / "out").mkdir()
    parts = launch(model, tmp_path / "out")
    assert [len(part["made"]) for part in parts] == [6, 6]  # the second group is half here, half there
    divided = parts[0]["made"] + parts[1]["made"]
    assert divided == alone["made"]
    for part in parts:
        assert part["noted"] == pytest.approx(alone["noted"], nan_ok=True)
    for first in range(0, 12, grpo_group.GROUP):
        group = divided[first : first + grpo_group.GROUP]
        rewards, valid = ([row[name] for row in group] for name in ("rewards", "valid"))
        for row, expected in zip(group, reference.advantages(rewards, valid, 1.1, 1), strict=True):
            assert row["advantages"] == pytest.approx(expected, abs=1e-4)
        assert len({reward for row in rewards for reward in row}) > 3
