"""What the command line does where no model is named: the embedded pair works; here one of set replies."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from agents import one_call
from cli import invoke
from embedded import parrot_checkpoint

from flowreasoner.miniature import random_query
from flowreasoner.models import embedded
from flowreasoner.query_file import load_query

EXAMPLE = Path(__file__).parents[3] / "examples" / "miniature.yaml"


@pytest.fixture
def pair(monkeypatch, tmp_path):
    """Puts a pair in place that solves the example, and nothing else."""
    monkeypatch.setattr(embedded, "PAIR", tmp_path / "pair")
    code = load_query(EXAMPLE).reference.replace("def extract(", "def solve(") + "\nextract = solve\n"
    parrot_checkpoint(tmp_path / "pair" / "worker", f"```python\n{code}```")
    parrot_checkpoint(tmp_path / "pair" / "meta_agent", one_call())


def solve(*args):
    """Solves with at most one round, and returns the object of --json beside the lines on standard error."""
    result = invoke("solve", *args, "--rounds", 1, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout), result.stderr


def test_with_nothing_named_the_pair_solves_a_query_of_its_family_and_it_is_said(pair):
    result = invoke("solve", EXAMPLE)
    assert result.exit_code == 0, result.output
    assert result.stderr.startswith("models: the embedded pair, two tiny language models that know this family")
    assert "models: the embedded pair, two tiny language models; --meta-agent and --worker name others" in result.stdout
    assert "the answer passes all hidden tests" in result.stdout
    assert "SIMULATED" not in result.stdout
    assert "embedded" not in invoke("solve", EXAMPLE, "--json", "-q").stderr


def test_a_result_says_which_models_it_is_from_and_that_they_are_models(pair):
    value, _ = solve(EXAMPLE)
    assert value["models"]["worker"].startswith("embedded:worker?temperature=1.0&top_p=1.0&max_tokens=512&weights=")
    assert value["models"]["meta_agent"].startswith("embedded:meta-agent?")
    assert (value["simulated"], value["cost_usd"], value["unpriced_calls"]) == (False, 0.0, 0)
    assert value["tokens"] > 0


def test_another_model_beside_one_of_the_pair_is_not_taken_for_it(pair):
    result = invoke("solve", EXAMPLE, "--meta-agent", "sim:")
    assert "embedded pair" not in result.output
    assert "SIMULATED: the meta-agent is no model" in result.stdout


def test_a_budget_in_dollars_holds_for_what_is_free(pair):
    assert invoke("solve", EXAMPLE, "--budget-usd", 1).exit_code == 0


def test_a_random_query_is_fresh_and_can_be_had_again(pair):
    first, second = (solve("--random") for _ in range(2))
    numbers = [int(re.match(r"query (\d+) \(again with --random \1\): Write", said)[1]) for _, said in (first, second)]
    assert numbers[0] != numbers[1]
    again, said = solve("--random", numbers[0])
    assert random_query(numbers[0]).problem in said
    assert again["cached_calls"] == again["calls"] == first[0]["calls"]


def test_a_random_query_has_the_depth_that_is_asked_for_and_is_resumed(pair):
    value, said = solve("--random", 5, "--depth", 4)
    assert f"query 5 (again with --random 5 --depth 4): {random_query(5, 4).problem}" in said
    assert value["query"] == random_query(5, 4).id
    assert json.loads(invoke("solve", "--resume", value["run"], "--json").stdout) == value


def test_the_family_is_a_benchmark(pair):
    assert solve("miniature:7")[0]["query"] == "miniature/7"


def test_doctor_finds_the_pair(pair):
    found = [item for item in json.loads(invoke("doctor", "--json").stdout) if item["area"] == "models"]
    assert [(item["name"], item["state"]) for item in found] == [("meta-agent", "ok"), ("worker", "ok")]
    assert found[1]["detail"].startswith("embedded:worker?")


def test_doctor_says_what_is_missing_and_fails_for_a_named_model_only(monkeypatch, tmp_path):
    monkeypatch.setattr(embedded, "PAIR", tmp_path / "nowhere")
    result = invoke("doctor")
    assert result.exit_code == 0
    assert "note worker: this copy of flowreasoner comes without the embedded models" in result.stdout
    assert invoke("doctor", "--worker", f"embedded:{tmp_path}").exit_code == 1


def test_threads_are_left_to_the_sandbox_unless_the_user_says_otherwise(pair):
    """NumPy reads the setting when it is loaded, so this needs a process of its own."""
    code = (
        "import os, sys; from flowreasoner.models import ModelContext; from flowreasoner_plugins.cli.inputs import *\n"
        "from flowreasoner_plugins.manager import load_plugins\n"
        f"make_model(load_plugins(), 'embedded:{embedded.PAIR}/worker', 'worker', None, 0, need_price=False)\n"
        "print(os.environ['OPENBLAS_NUM_THREADS'])"
    )
    for given, expected in ((None, "1"), ("3", "3")):
        env = {"PYTHONPATH": ":".join(sys.path)} | ({} if given is None else {"OPENBLAS_NUM_THREADS": given})
        ran = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
        assert ran.stdout.strip() == expected


@pytest.mark.skipif(not embedded.PAIR.is_dir(), reason="this copy comes without the embedded models")
def test_the_pair_that_ships_solves_queries_of_its_family():
    solved = 0
    for number in range(4):
        result = invoke("solve", "--random", number, "--depth", 1, "--json")
        solved += result.exit_code == 0 and json.loads(result.stdout)["score"] == 1.0
    assert solved >= 2
    example = invoke("solve", EXAMPLE)
    assert example.exit_code == 0, example.output
    assert "models: the embedded pair, two tiny language models" in example.stdout
    assert "SIMULATED" not in example.stdout
