import json

import pytest
from cli import invoke

RECIPE = """\
name: small
description: for tests
model: {{name: "{model}", dtype: float32, gradient_checkpointing: false}}
queries: {{benchmark: demo}}
worker: {{model: "sim:", evaluations: 1}}
distill: {{teacher: "sim:"}}
grpo: {{group_size: 2, queries_per_step: 1, rounds: 2, excluded_rounds: 1, max_steps: 2, round_tokens: 6,
  max_tokens: 4000, micro_batch: 2, save_steps: 1}}
hardware: {{device: cpu, gpus: 0}}
"""


@pytest.fixture
def recipe(tmp_path, tiny):
    file = tmp_path / "small.yaml"
    file.write_text(RECIPE.format(model=tiny))
    return file


def test_a_model_is_trained_step_by_step(recipe, tiny, tmp_path):
    out = tmp_path / "out"
    result = invoke("grpo", recipe, "--model", tiny, "--out", out)
    assert result.exit_code == 0, result.output
    assert "step 2/2: mean reward 0.000, pass rate by round 0% 0%, 0% valid, " in result.stderr
    assert f"wrote {out}; try it with: flowreasoner solve QUERY --meta-agent hf:{out}" in result.stdout
    again = invoke("grpo", recipe, "--model", tiny, "--out", out, "--resume", "--json", "-q")
    value = json.loads(again.stdout)
    assert (value["steps"], value["model"], value["metrics"]["step"]) == (2, str(out), 2)
    assert "step 2/2" not in again.stderr
    refused = invoke("grpo", recipe, "--model", tiny, "--out", out)
    assert (refused.exit_code, "go on with --resume" in refused.output) == (3, True)


def test_mistakes_are_one_line_and_an_exit_code(recipe, tiny, tmp_path):
    for args, code, message in [
        (("nothing", "--model", tiny), 2, "nothing"),
        ((recipe, "--model", tmp_path / "none"), 3, "there is no model in"),
        ((recipe, "--model", tiny, "--worker", "what:"), 3, "there is no model scheme 'what'"),
    ]:
        result = invoke("grpo", *args, "--out", tmp_path / "out")
        assert (result.exit_code, result.output.count("\n")) == (code, 1), result.output
        assert message in result.output
