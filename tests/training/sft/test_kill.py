import json
import os
import subprocess
import sys
from pathlib import Path

import fine_tuning
import pytest
from processes import kill_when, start_script


def steps(out):
    log = out / "log.jsonl"
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize("at", [2, 8])
def test_after_kill_9_resuming_makes_the_same_losses_and_weights(tmp_path, data, tiny, at):
    """Killed before the first checkpoint, and between two."""
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    expected = fine_tuning.fine_tune(data, tiny, whole)
    process = start_script("fine_tuning.py", data, tiny, cut)
    kill_when(process, lambda: len(steps(cut)) >= at)
    result = fine_tuning.fine_tune(data, tiny, cut, resume=True)
    assert steps(cut) == steps(whole)
    assert [item["step"] for item in steps(cut)] == list(range(1, 13))
    for name in ("model/model.safetensors", "adapter/adapter_model.safetensors"):
        assert (cut / name).read_bytes() == (whole / name).read_bytes()
    assert {**result.to_json(), "model": ""} == {**expected.to_json(), "model": ""}


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_two_processes_train_one_model_together(tmp_path, data, tiny):
    launch = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--standalone"]
    done = subprocess.run(
        [*launch, fine_tuning.__file__, str(data), str(tiny), str(tmp_path / "out")],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        cwd=Path(__file__).parent,
    )
    assert done.returncode == 0, done.stderr
    assert [item["step"] for item in steps(tmp_path / "out")] == list(range(1, 7))
    assert (tmp_path / "out" / "model" / "model.safetensors").exists()
