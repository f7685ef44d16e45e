import json

import pytest
from cli import invoke

RECIPE = """\
name: small
description: for tests
model: {name: no-model, dtype: float32}
queries: {benchmark: demo, count: 3}
worker: {model: "sim:?skill=0.9", evaluations: 1}
distill: {teacher: "sim:", rounds: 2, min_score: 0.0}
grpo: {rounds: 4, queries_per_step: 1}
hardware: {device: cpu, gpus: 0}
"""


@pytest.fixture
def recipe(tmp_path):
    file = tmp_path / "small.yaml"
    file.write_text(RECIPE)
    return file


def run(*args):
    return invoke("distill", *args)


def test_a_recipe_becomes_data_and_the_same_command_goes_on(recipe, tmp_path):
    out = tmp_path / "out"
    result = run(recipe, "--out", out, "--count", 2, "--parquet")
    assert result.exit_code == 0, result.output
    assert "2 trajectories kept of 2 design runs" in result.stdout
    assert "2/2 " in result.stderr
    assert (out / "trajectories.parquet").exists()
    more = run(recipe, "--out", out, "--count", 3, "--json", "-q")
    assert (more.exit_code, more.stderr) == (0, "")
    value = json.loads(more.stdout)
    assert (value["made"], value["total"], value["stopped"]) == (3, 3, "done")


def test_what_was_given_takes_the_place_of_the_recipe_s(recipe, tmp_path):
    result = run(recipe, "--out", tmp_path / "out", "--count", 1, "--worker", "sim:?skill=0", "--json", "-q")
    assert json.loads(result.stdout)["card"]["models"] == {"teacher": "sim:", "worker": "sim:?skill=0"}


def test_nothing_kept_is_exit_code_1(recipe, tmp_path):
    recipe.write_text(RECIPE.replace("min_score: 0.0", "min_score: 1.0"))
    result = run(recipe, "--out", tmp_path / "out", "--worker", "sim:?skill=0&repair=0", "-q")
    assert result.exit_code == 1
    assert "0 trajectories kept of 3 design runs (rejected: 3 low score)" in result.stdout


@pytest.mark.parametrize(
    ("change", "args", "code", "message"),
    [
        (("count: 3", "count: x"), (), 2, "queries.count"),
        (("benchmark: demo", "benchmark: humaneval"), (), 2, "humaneval cannot be loaded from the hub"),
        (("", ""), ("--teacher", "nothing:x"), 3, "there is no model scheme 'nothing'"),
        (("", ""), ("--budget-usd", "-1"), 2, "--budget-usd must be above 0"),
    ],
)
def test_mistakes_are_one_line_and_an_exit_code(recipe, tmp_path, change, args, code, message):
    recipe.write_text(RECIPE.replace(*change))
    result = run(recipe, "--out", tmp_path / "out", *args)
    assert (result.exit_code, result.output.count("\n")) == (code, 1)
    assert message in result.output


def test_another_teacher_is_another_folder(recipe, tmp_path):
    run(recipe, "--out", tmp_path / "out", "--count", 1, "-q")
    result = run(recipe, "--out", tmp_path / "out", "--count", 1, "--teacher", "sim:?errors=0.1")
    assert result.exit_code == 3
    assert "was begun with teacher" in result.output
