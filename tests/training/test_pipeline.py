"""A whole recipe in one command: every stage once, whatever interrupts it."""

import json

import pytest

pytest.importorskip("trl")

from cli import invoke

from flowreasoner.errors import TrainingError
from flowreasoner_plugins import load_plugins
from flowreasoner_training.pipeline import Pipeline, stages_of
from flowreasoner_training.recipes import load_recipe

STAGES = ("worker", "distill", "start", "sft", "grpo", "pair")


def pipeline(folder, name="smoke", tell=lambda *_: None):
    return Pipeline(load_recipe(name), folder, load_plugins(), tell)


def test_stages_depend_on_where_the_models_come_from():
    assert stages_of(load_recipe("smoke")) == STAGES
    assert stages_of(load_recipe("flowreasoner-7b+lora")) == ("distill", "sft", "grpo")


def test_a_folder_with_another_training_is_refused(tmp_path):
    pipeline(tmp_path)
    pipeline(tmp_path)
    with pytest.raises(TrainingError, match=r"another recipe, or of other settings .*choose another --out"):
        pipeline(tmp_path, "miniature")


def test_finished_stages_are_not_run_again(tmp_path, monkeypatch):
    ran = []
    for name in STAGES:
        monkeypatch.setattr(Pipeline, f"_{name}", lambda self, name=name: ran.append(name) or {"n": 1})
    pipeline(tmp_path).run("sft")
    assert ran == ["worker", "distill", "start", "sft"]
    done = pipeline(tmp_path).run()
    assert ran == list(STAGES)
    assert [stage.name for stage in done] == list(STAGES)
    assert done[0].facts == {"n": 1}


def test_an_unknown_stage_and_an_unknown_recipe_are_named(tmp_path):
    result = invoke("train", "smoke", "--out", str(tmp_path / "a"), "--until", "dinner")
    assert result.exit_code == 2
    assert "there is no stage 'dinner'; the stages are worker, distill" in result.stderr
    result = invoke("train", "minature", "--out", str(tmp_path / "b"))
    assert result.exit_code == 2
    assert "did you mean 'miniature'" in result.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_smoke_recipe_goes_from_nothing_to_a_pair_that_can_be_used(tmp_path):
    """Every stage of the paper, in miniature: trained here, with real models, tests, and rewards."""
    result = invoke("train", "smoke", "--out", str(tmp_path / "run"), "--json")
    assert result.exit_code == 0, result.stderr
    assert [stage["name"] for stage in json.loads(result.stdout)] == list(STAGES)
    log = [json.loads(line) for line in (tmp_path / "run" / "grpo" / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in log] == [1, 2]
    assert all("round_1/valid" in line for line in log)
    card = (tmp_path / "run" / "pair" / "card.md").read_text()
    assert "### 4. GRPO with a reward per round" in card
    assert "Data: `trajectories.jsonl`" in card
    again = invoke("train", "smoke", "--out", str(tmp_path / "run"))
    assert again.exit_code == 0
    assert "grpo: step" not in again.stderr
    pair = tmp_path / "run" / "pair"
    assert {folder.name for folder in pair.iterdir()} == {"worker", "meta_agent", "meta_agent_sft", "card.md"}
    asked = ["--worker", f"embedded:{pair / 'worker'}", "--meta-agent", f"embedded:{pair / 'meta_agent'}"]
    solved = invoke("solve", "--random", "3", "--rounds", "1", *asked)
    assert solved.exit_code in {0, 1}, solved.stderr  # it has learned too little to answer always
