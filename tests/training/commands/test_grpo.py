import json

import pytest
from cli import invoke

from flowreasoner.errors import ModelError
from flowreasoner_training.grpo.environment import DesignEnvironment
from flowreasoner_training.grpo.hazards import HazardWatch

RECIPE = """\
name: small
description: for tests
model: {name: no-model, dtype: float32, gradient_checkpointing: false}
queries: {benchmark: demo, count: 3}
worker: {model: "sim:", evaluations: 1}
distill: {teacher: "sim:"}
grpo:
  group_size: 2
  queries_per_step: 1
  rounds: 2
  excluded_rounds: 0
  max_steps: 3
  round_tokens: 8
  max_tokens: 3500
  micro_batch: 2
  save_steps: 1
hardware: {device: cpu, gpus: 0, threads: 1}
"""


@pytest.fixture
def recipe(tmp_path):
    file = tmp_path / "small.yaml"
    file.write_text(RECIPE)
    return file


def run(*args):
    return invoke("grpo", *args)


@pytest.mark.slow
def test_a_model_is_trained_with_progress_and_warnings(recipe, tiny, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(HazardWatch, "see", lambda self, metrics: ["beware of something"])
    out = tmp_path / "out"
    result = run(recipe, "--model", tiny, "--out", out, "--max-steps", 1)
    assert result.exit_code == 0, result.output
    assert result.stderr.startswith("step 1: round 1 of 2 is designed and run\n")
    assert "\nstep 1/1: mean reward " in result.stderr
    assert "by round: score 0.00 0.00, valid 0% 0%; " in result.stderr
    assert result.stderr.count("\n") == 3
    assert "step 1: beware of something" in caplog.text  # without handlers, logging writes it to standard error
    assert "1 steps; mean reward of the last one: " in result.stdout
    assert f"wrote {out}; try it with: flowreasoner solve QUERY --meta-agent hf:{out}" in result.stdout
    assert (out / "model.safetensors").exists()


@pytest.mark.slow
def test_what_was_given_takes_the_place_of_the_recipe_s(recipe, tiny, tmp_path):
    def rewards(name, *args):
        result = run(recipe, "--model", tiny, "--out", tmp_path / name, "--max-steps", 1, "--json", "-q", *args)
        assert (result.exit_code, result.stderr) == (0, "")
        value = json.loads(result.stdout)
        assert (value["steps"], value["model"]) == (1, str(tmp_path / name))
        return {key: item for key, item in value["metrics"].items() if key not in ("seconds", "step_time")}

    first = rewards("first")
    assert rewards("again") == first
    assert rewards("other", "--seed", 1) != first
    refused = run(recipe, "--model", tiny, "--out", tmp_path / "out", "--worker", "nothing:x")
    assert refused.exit_code == 3
    assert "there is no model scheme 'nothing'" in refused.stderr


@pytest.mark.slow
def test_a_training_that_failed_goes_on(recipe, tiny, tmp_path, monkeypatch):
    given, real = (recipe, "--model", tiny, "--out", tmp_path / "out"), DesignEnvironment.step

    async def failing(self, *args):
        if "/s1/" in self.draws:
            raise ModelError("the worker cannot be reached")
        return await real(self, *args)

    with monkeypatch.context() as broken:
        broken.setattr(DesignEnvironment, "step", failing)
        result = run(*given, "-q")
    assert (result.exit_code, result.stderr.count("\n")) == (3, 1)
    assert "step 2 was not made: the worker cannot be reached" in result.stderr
    assert "go on with --resume" in result.stderr
    refused = run(*given)
    assert refused.exit_code == 3
    assert "holds a training already" in refused.stderr
    result = run(*given, "--resume")
    assert result.exit_code == 0, result.output
    told = [line.split(":")[0] for line in result.stderr.splitlines()]
    assert told == ["step 2", "step 2", "step 2/3", "step 3/3"]  # of the first one, each round


def test_an_interruption_says_how_to_go_on(recipe, tiny, tmp_path, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("flowreasoner_training.grpo.train.make_trainer", interrupted)
    result = run(recipe, "--model", tiny, "--out", tmp_path / "out")
    assert result.exit_code == 130
    assert "interrupted; go on from the last checkpoint with --resume" in result.stderr


@pytest.mark.parametrize(
    ("change", "model", "code", "message"),
    [
        (("count: 3", "count: x"), None, 2, "queries.count"),
        (("benchmark: demo", "benchmark: humaneval"), None, 2, "humaneval cannot be loaded from the hub"),
        (("", ""), "/no/model", 3, "there is no model in '/no/model'"),
        (("queries_per_step: 1", "queries_per_step: 4"), None, 2, "no batch of grpo would ever be full"),
    ],
)
def test_mistakes_are_one_line_and_an_exit_code(recipe, tiny, tmp_path, change, model, code, message):
    recipe.write_text(RECIPE.replace(*change))
    result = run(recipe, "--model", model or tiny, "--out", tmp_path / "out")
    assert (result.exit_code, result.output.count("\n")) == (code, 1), result.output
    assert message in result.output
