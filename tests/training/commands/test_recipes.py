"""The command `recipes`, `--dry-run`, and commands that are loaded when they are used."""

import json
import sys
from types import ModuleType

import click
import pytest
import yaml
from cli import invoke

import flowreasoner_training
from flowreasoner_plugins.manager import load_plugins
from flowreasoner_training.commands import COMMANDS, LazyCommand


@pytest.fixture
def plugins():
    return load_plugins(entry_points=False, extra={"training": flowreasoner_training})


@pytest.fixture
def run(plugins):
    return lambda *args: invoke(*args, obj=plugins)


def test_the_plugin_is_whole(plugins):
    assert not plugins.problems
    assert {"distill", "sft", "grpo", "train", "recipes"} <= set(plugins.commands)
    assert "hf" in plugins.chat_models


def test_list(run):
    result = run("recipes", "list")
    assert "flowreasoner-7b" in result.stdout
    assert "+" in result.stdout
    value = json.loads(run("recipes", "list", "--json").stdout)
    assert value["recipes"]["smoke"]
    assert value["variants"]["lora"]


def test_show_is_a_recipe_file(run):
    shown = run("recipes", "show", "flowreasoner-7b+lora")
    assert yaml.safe_load(shown.stdout)["model"]["lora"]["rank"] == 64
    assert json.loads(run("recipes", "show", "miniature", "--json").stdout)["name"] == "miniature"


def test_check_ends_with_0_or_names_all_problems(run, tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("extends: flowreasoner-7b\nname: mine\nqueries: {benchmark: demo, count: 12}\n")
    assert run("recipes", "check", path).stdout == "mine: no problem found\n"
    path.write_text("extends: flowreasoner-7b\nqueries: {benchmark: dem}\nrewards: {weights: {speed: 1.0}}\n")
    result = run("recipes", "check", path)
    assert result.exit_code == 2
    assert "(1) rewards.weights.speed" in result.stderr
    assert "(2) queries.benchmark: there is no 'dem', did you mean 'demo'?" in result.stderr


def test_plan_says_what_it_comes_to_and_whether_it_fits(run):
    result = run("recipes", "plan", "flowreasoner-7b+lora+1gpu", "--stage", "grpo")
    assert result.exit_code == 0
    assert "optimizer steps" in result.stdout
    assert "of 79: fits" in result.stdout
    assert "\ndistill\n" not in result.stdout
    result = run("recipes", "plan", "flowreasoner-14b+lora+1gpu", "--json", "--calls-per-run", "2")
    assert result.exit_code == 1
    value = json.loads(result.stdout)
    assert value["fits"] is False
    assert value["assumptions"]["calls_per_run"] == 2
    assert [stage["name"] for stage in value["stages"]] == ["distill", "sft", "grpo"]


def test_plan_writes_accelerates_configuration(run, tmp_path):
    result = run("recipes", "plan", "flowreasoner-7b", "--write", tmp_path / "run")
    assert result.exit_code == 0, result.output
    assert yaml.safe_load((tmp_path / "run" / "accelerate.yaml").read_text())["distributed_type"] == "DEEPSPEED"
    (tmp_path / "file").write_text("")
    result = run("recipes", "plan", "flowreasoner-7b", "--write", tmp_path / "file")
    assert result.exit_code == 3
    assert "cannot write to" in result.stderr


@pytest.mark.parametrize("command", ["show", "plan", "check"])
def test_a_wrong_recipe_is_a_usage_error(run, command):
    result = run("recipes", command, "flowreasoner-7")
    assert result.exit_code == 2
    assert "did you mean 'flowreasoner-7b'?" in result.stderr


@pytest.fixture
def lazy(monkeypatch):
    """A command of a module that is made up, which needs a package that is not there."""
    module = ModuleType("flowreasoner_training.commands.grpo")
    ran = []

    @click.command("grpo")
    @click.argument("recipe")
    @click.option("--out", required=True)
    @click.option("--max-steps", type=int)
    @click.option("--needs", default="nothing")
    @click.option("--json", "as_json", is_flag=True)
    def command(needs, **given):
        """Train."""
        ran.append(given)
        if needs != "nothing":
            raise ModuleNotFoundError(f"No module named {needs!r}", name=f"{needs}.part")

    module.command = command
    monkeypatch.setitem(sys.modules, module.__name__, module)
    (found,) = (item for item in COMMANDS if item.name == "grpo")
    fresh = LazyCommand("grpo", "short", found._stages)
    plugins = load_plugins(entry_points=False)
    plugins.__dict__["commands"] = {"grpo": fresh}
    return lambda *args: (invoke("grpo", *args, obj=plugins), ran)


def test_a_lazy_command_runs_as_itself(lazy):
    result, ran = lazy("recipe.yaml", "--out", "x")
    assert result.exit_code == 0, result.output
    assert ran == [{"recipe": "recipe.yaml", "out": "x", "max_steps": None, "as_json": False}]
    result, ran = lazy("--help")
    assert "Train." in result.stdout
    assert "--dry-run" in result.stdout
    assert len(ran) == 1
    result, _ = lazy("recipe.yaml")
    assert result.exit_code == 2
    assert "Missing option '--out'" in result.stderr


@pytest.mark.parametrize(
    ("module", "extra"), [("trl", "train"), ("torch", "train"), ("vllm", "vllm"), ("bitsandbytes", "qlora")]
)
def test_a_missing_extra_is_explained(lazy, module, extra):
    result, _ = lazy("r", "--out", "x", "--needs", module)
    assert result.exit_code == 2
    assert result.stderr == (
        f'error: {module} is not installed, which flowreasoner grpo needs: pip install "flowreasoner[{extra}]"\n'
    )


def test_a_fault_of_ours_is_not_taken_for_a_missing_extra(lazy):
    result, _ = lazy("r", "--out", "x", "--needs", "flowreasoner_nowhere")
    assert isinstance(result.exception, ModuleNotFoundError)


def test_a_dry_run_needs_the_recipe_alone_and_starts_nothing(lazy):
    result, ran = lazy("flowreasoner-7b", "--dry-run", "--json", "--max-steps", "3")
    assert result.exit_code == 0, result.output
    value = json.loads(result.stdout)
    assert [stage["name"] for stage in value["stages"]] == ["grpo"]
    assert value["stages"][0]["counts"]["optimizer steps"] == 3
    assert not ran
    result, _ = lazy("flowreasoner-14b+4gpu", "--dry-run")
    assert result.exit_code == 1
    result, ran = lazy("nothing", "--dry-run")
    assert result.exit_code == 2
    assert not ran
