"""The script that evaluates the miniature, on the demo's queries with simulated models."""

import json
import runpy
import subprocess
import sys
import time
from pathlib import Path

import pytest

from flowreasoner_training.nano.page import render_page

SCRIPT = Path(__file__).parents[3] / "benchmarks" / "miniature.py"
main = runpy.run_path(str(SCRIPT))["main"]
COMMON = (
    "--world demo --worker sim:?skill=0.5 --validation 2 --seeds 1 --rounds 2 --evaluations 1 --sandbox none".split()
)
SFT, GRPO = ("--contender", "sft=sim:"), ("--contender", "grpo=sim:?seed=1", "--contender", "grpo=sim:?seed=2")


@pytest.mark.slow
def test_one_command_writes_results_and_page_and_goes_on_where_it_was_stopped(tmp_path, capsys):
    out, page = tmp_path / "m.json", tmp_path / "m.md"
    command = [*COMMON, *SFT, *GRPO, "--queries", "3", "--out", str(out), "--page", str(page)]
    with subprocess.Popen([sys.executable, str(SCRIPT), *command], stderr=subprocess.DEVNULL) as process:
        while (
            not (tmp_path / "m.test.jsonl").exists() or len((tmp_path / "m.test.jsonl").read_bytes().splitlines()) < 5
        ):
            assert process.poll() is None
            time.sleep(0.05)
        process.kill()
    kept = (tmp_path / "m.test.jsonl").read_bytes().splitlines(keepends=True)[:5]
    main(command)
    results = json.loads(out.read_text())
    lines = (tmp_path / "m.test.jsonl").read_bytes().splitlines(keepends=True)
    assert lines[:5] == kept
    assert len(lines) == 1 + 3 * 7
    assert {name: len(own["checkpoints"]) for name, own in results["summary"]["contenders"].items()} == {
        "worker": 1, "fixed": 1, "worker-repeated": 1, "fixed-repeated": 1, "sft": 1, "grpo": 2,
    }  # fmt: skip
    assert page.read_text() == render_page(results)
    assert "(d) FlowReasoner" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="begun with rounds 2, not 3"):
        main([*command, "--rounds", "3"])


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--contender", "sft"], "--contender must look like NAME=VALUE, not 'sft'"),
        ([*SFT, *SFT], "two checkpoints of 'sft' are the same"),
        (["--log", "=x"], "--log must look like"),
        (["--plot", "pictures", "--log", "grpo=nowhere.jsonl"], "cannot read the log 'nowhere.jsonl'"),
    ],
)
def test_wrong_options_are_named(tmp_path, more, message):
    with pytest.raises(SystemExit, match=message):
        main([*COMMON, "--queries", "1", "--out", str(tmp_path / "m.json"), *more])
