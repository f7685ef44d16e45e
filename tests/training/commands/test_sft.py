import json

import pytest
from cli import invoke
from trajectories import make_trajectory

from flowreasoner_training.trajectory import write_trajectories

RECIPE = """\
name: small
description: for tests
model: {{name: "{model}", dtype: float32, gradient_checkpointing: false}}
queries: {{benchmark: demo}}
worker: {{model: "sim:"}}
distill: {{teacher: "sim:"}}
sft: {{learning_rate: 0.01, epochs: 1, save_steps: 1, accumulation: 1}}
hardware: {{device: cpu, gpus: 0}}
"""


@pytest.fixture
def recipe(tmp_path, tiny):
    file = tmp_path / "small.yaml"
    file.write_text(RECIPE.format(model=tiny))
    return file


@pytest.fixture
async def data(tmp_path):
    write_trajectories(tmp_path / "data.jsonl", [await make_trajectory(), await make_trajectory()])
    return tmp_path / "data.jsonl"


def run(*args):
    return invoke("sft", *args)


def test_a_model_is_trained_and_a_finished_training_is_only_reported(recipe, data, tmp_path):
    out = tmp_path / "out"
    result = run(recipe, "--data", data, "--out", out)
    assert result.exit_code == 0, result.output
    assert "step 2/2: loss " in result.stderr
    assert (
        f"wrote {out / 'model'}; try it with: flowreasoner solve QUERY --meta-agent hf:{out / 'model'}" in result.stdout
    )
    again = run(recipe, "--data", data, "--out", out, "--resume", "--json", "-q")
    value = json.loads(again.stdout)
    assert (value["steps"], value["trajectories"], value["left_out"]) == (2, 2, 0)
    assert value["model"] == str(out / "model")


def test_mistakes_are_one_line_and_an_exit_code(recipe, data, tmp_path):
    for args, code, message in [
        (("nothing", "--data", data), 2, "nothing"),
        ((recipe, "--data", tmp_path / "none"), 3, "cannot read trajectories from"),
        (
            (recipe, "--data", data, "--model", "/no/model"),
            3,
            "cannot load the model '/no/model': there is no",
        ),
    ]:
        result = run(*args, "--out", tmp_path / "out")
        assert (result.exit_code, result.output.count("\n")) == (code, 1), result.output
        assert message in result.output
