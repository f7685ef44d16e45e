"""Steps, rollouts, tokens, calls and dollars, worked out by hand."""

import json

import pytest

from flowreasoner.errors import RecipeError
from flowreasoner_plugins.manager import load_plugins
from flowreasoner_training.recipes import load_recipe
from flowreasoner_training.recipes.launch import launch_commands
from flowreasoner_training.recipes.plan import make_plan
from flowreasoner_training.recipes.shown import shown_plan
from flowreasoner_training.recipes.stages import Assumptions


def stage(recipe, name, **assumed):
    (planned,) = make_plan(recipe, stages=(name,), assumptions=Assumptions(**assumed)).stages
    return planned


def test_grpo_counts(changed):
    """20 queries, 8 a step: 2 full batches an epoch, 3 epochs; 5 candidates, 4 rounds, 2 evaluations, 3 calls."""
    recipe = changed(
        "flowreasoner-7b",
        queries={"count": 20},
        worker={"model": "openai:gpt-4o-mini?price=2,10", "evaluations": 2, "calls": 9},
        grpo={"epochs": 3, "rounds": 4, "round_tokens": 1_000},
    )
    planned = stage(recipe, "grpo", calls_per_run=3, call_input=100, call_output=10, reply=1_500)
    assert planned.counts == {
        "optimizer steps": 6,
        "rollouts": 240,
        "rollouts per step": 40,
        "rounds": 960,
        "tokens sampled": 960_000,
        "tokens sampled, at most": 960_000,
        "runs of workflows": 1_920,
        "worker calls": 5_760,
        "worker calls, at most": 17_280,
        "worker tokens read": 576_000,
        "worker tokens written": 57_600,
    }
    assert planned.usd == {"openai:gpt-4o-mini?price=2,10": pytest.approx((2 * 576_000 + 10 * 57_600) / 1e6)}


def test_grpo_may_run_each_workflow_more_often_than_distillation(changed):
    recipe = changed(
        "flowreasoner-7b", queries={"count": 8}, worker={"evaluations": 2}, grpo={"max_steps": 1, "evaluations": 6}
    )
    counts = {name: stage(recipe, name).counts for name in ("distill", "grpo")}
    assert counts["distill"]["runs of workflows"] == 2 * counts["distill"]["rounds, at most"]
    assert counts["grpo"]["runs of workflows"] == 6 * counts["grpo"]["rounds"]


def test_grpo_steps_at_most_and_several_per_batch(changed):
    recipe = changed("flowreasoner-7b", queries={"count": 20}, grpo={"epochs": 3, "iterations": 2})
    assert stage(recipe, "grpo").counts["optimizer steps"] == 12
    assert stage(recipe, "grpo").counts["rollouts"] == 240
    recipe = changed("flowreasoner-7b", queries={"count": 20}, grpo={"epochs": 3, "iterations": 2, "max_steps": 5})
    assert stage(recipe, "grpo").counts["optimizer steps"] == 5
    assert stage(recipe, "grpo").counts["rollouts"] == 3 * 40


@pytest.mark.filterwarnings("ignore:`gradient_checkpointing` is deprecated:FutureWarning")
def test_an_epoch_has_the_batches_that_trls_sampler_makes():
    utils = pytest.importorskip("trl.trainer.utils")
    sampler = utils.RepeatSampler(list(range(20)), mini_repeat_count=5, batch_size=8, repeat_count=1)
    assert len(list(sampler)) == 2 * 8 * 5


def test_sft_counts(changed):
    """20 queries * 3 runs over 8 GPUs * 1 * 2 a step: 4 steps an epoch, the last one not full."""
    recipe = changed("flowreasoner-7b", queries={"count": 20}, distill={"trajectories": 3}, sft={"epochs": 2})
    planned = stage(recipe, "sft")
    assert planned.counts == {"trajectories, at most": 60, "trajectories per step": 16, "optimizer steps": 8}
    assert planned.usd == {}


def test_distillation_counts(changed):
    """4 queries * 2 runs * 3 rounds; round j reads the prompt and j - 1 earlier replies and feedbacks."""
    recipe = changed(
        "flowreasoner-7b",
        queries={"count": 4},
        distill={"trajectories": 2, "rounds": 3, "teacher": "deepseek:x?price=1,3"},
        worker={"model": "ollama:qwen", "evaluations": 1},
        grpo={"queries_per_step": 1, "micro_batch": 1},
        hardware={"gpus": 1, "offload": True},
    )
    planned = stage(recipe, "distill", prompt=100, reply=10, feedback=5, calls_per_run=2)
    assert planned.counts["design runs"] == 8
    assert planned.counts["rounds, at most"] == 24
    assert planned.counts["teacher tokens read"] == 8 * (100 + 115 + 130)
    assert planned.counts["teacher tokens written"] == 240
    assert planned.counts["worker calls"] == 48
    assert planned.usd["deepseek:x?price=1,3"] == pytest.approx((2_760 + 3 * 240) / 1e6)
    assert planned.usd["ollama:qwen"] == 0.0
    assert planned.memory is None


def test_prices_come_from_the_table_or_are_said_to_be_unknown(changed):
    assert stage(load_recipe("flowreasoner-7b"), "grpo").usd["openai:gpt-4o-mini"] > 0
    for uri in ("openai:gpt-of-mine", "openai:gpt-4o-mini?base_url=http://here", "mine:model"):
        assert stage(changed("flowreasoner-7b", worker={"model": uri}), "grpo").usd == {uri: None}


def test_queries_are_counted_where_the_recipe_does_not_say(changed):
    recipe = changed("flowreasoner-7b", queries={"benchmark": "demo", "count": None})
    plugins = load_plugins(entry_points=False)
    assert make_plan(recipe, plugins).stages[0].counts["design runs"] == 12 * 4
    with pytest.raises(RecipeError, match=r"queries\.count is not given"):
        make_plan(recipe)


def test_a_checkpoint_at_hand_is_counted(changed, tmp_path):
    pytest.importorskip("transformers")
    config = {
        "model_type": "llama",
        "num_hidden_layers": 2,
        "hidden_size": 64,
        "intermediate_size": 96,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "vocab_size": 512,
        "tie_word_embeddings": True,
    }
    (tmp_path / "config.json").write_text(json.dumps(config))
    recipe = changed("flowreasoner-7b+lora", model={"name": str(tmp_path), "chat_template": "own", "parameters": 9.0})
    plan = make_plan(recipe)
    assert plan.parameters == 2 * (64 * 64 * 2 + 64 * 32 * 2 + 3 * 64 * 96) + 512 * 64 + 5 * 64
    assert "activations" in {item.name for item in plan.stages[1].memory.items}


def test_a_plan_as_text_and_as_json_says_the_same(changed):
    recipe = changed("flowreasoner-14b+lora+1gpu", name="big")
    plan = make_plan(recipe)
    text = shown_plan(plan, launch_commands("big.yaml", recipe, ("sft", "grpo")))
    value = json.loads(json.dumps(plan.to_json()))
    assert value["fits"] is False
    assert "DOES NOT FIT" in text
    assert value["stages"][2]["memory"]["problem"] in text
    for planned in value["stages"]:
        for name, count in planned["counts"].items():
            assert f"{name:<26}{count:>16,}" in text
    assert "flowreasoner grpo big.yaml" in text
    assert value["assumptions"]["calls_per_run"] == 5


def test_what_is_not_known_is_said(changed):
    unknown = {"name": "some/model", "parameters": None, "chat_template": "own"}
    recipe = changed("flowreasoner-7b", model=unknown)
    plan = make_plan(recipe)
    text = shown_plan(plan, [])
    assert "parameters not known" in text
    assert "shape is not known" in text
    assert plan.fits
    assert all(planned.memory is None for planned in plan.stages)


def test_what_the_miniature_makes_from_nothing_is_planned_before_its_first_use():
    plan = make_plan(load_recipe("miniature"))
    assert [planned.name for planned in plan.stages] == ["worker", "distill", "start", "sft", "grpo"]
    nano = plan.recipe.nano
    assert plan.stages[0].counts["lessons"] == nano.lessons
    assert plan.stages[2].counts["readings"] == nano.readings
    assert plan.parameters == plan.shape.parameters > 1e5
    assert [planned.name for planned in make_plan(plan.recipe, stages=("grpo",)).stages] == ["grpo"]
