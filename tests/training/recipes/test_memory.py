"""Memory per GPU, against numbers worked out by hand."""

import pytest

from flowreasoner_training.recipes import load_recipe
from flowreasoner_training.recipes.architecture import Architecture, architecture_of
from flowreasoner_training.recipes.memory import server_memory, training_memory
from flowreasoner_training.recipes.sizes import GIB, MemoryItem, MemoryPlan

# One block: 4*8*8 + 3*8*16 = 640 weights; embedding and output layer 2*100*8 = 1,600; 2*640 + 1,600 = 2,880 in all.
SMALL = Architecture(layers=2, hidden=8, intermediate=16, heads=2, kv_heads=2, head_dim=4, vocabulary=100)


def sizes(plan):
    return {item.name: item.size for item in plan.items}


def training(recipe, stage="grpo", shape=SMALL):
    return sizes(training_memory(recipe, stage, float(shape.parameters), shape))


def test_the_small_shape_is_as_worked_out():
    assert (SMALL.block_parameters, SMALL.outer_parameters, SMALL.parameters) == (640, 1_600, 2_880)


def test_zero3_divides_all_that_adamw_keeps():
    """16 bytes a weight over all GPUs: bfloat16 weights and gradients, float32 copy, two moments."""
    found = training(load_recipe("flowreasoner-7b+8gpu"))
    assert found["weights"] == found["gradients"] == 2_880 * 2 / 8
    assert found["AdamW"] == 2_880 * 12 / 8
    assert found["reference model"] == 2_880 * 2 / 8
    assert found["gathered weights"] == 2_880 * 2
    assert training(load_recipe("flowreasoner-7b+4nodes"))["AdamW"] == 2_880 * 12 / 32


def test_fsdp2_keeps_trained_weights_in_float32():
    found = training(load_recipe("flowreasoner-7b+fsdp2"))
    assert found["weights"] == found["gradients"] == 2_880 * 4 / 8
    assert found["AdamW"] == 2_880 * 8 / 8
    assert found["reference model"] == 2_880 * 2 / 8
    assert found["gathered weights"] == (1_600 + 2 * 640) * 2


def test_offloading_moves_the_optimizer_to_the_host():
    recipe = load_recipe("flowreasoner-7b+1gpu+offload")
    plan = training_memory(recipe, "sft", 2_880.0, SMALL)
    assert sizes(plan)["weights"] == 2_880 * 2
    assert sizes(plan)["gradients, optimizer"] == 0
    assert plan.host == 2_880 * 12


def test_adapters_leave_the_weights_frozen():
    """Rank 64: 2 blocks * 64 * (4 * (8+8) + 3 * (8+16)) = 17,408 weights, in float32."""
    found = training(load_recipe("flowreasoner-7b+lora"))
    assert found["frozen weights"] == 2_880 * 2
    assert found["adapters"] == found["gradients"] == 17_408 * 4
    assert found["AdamW"] == 17_408 * 8
    assert not [name for name in found if "reference" in name]  # it is the model without the adapters
    assert training(load_recipe("flowreasoner-7b+lora+zero3"))["adapters"] == 17_408 * 2 / 8
    assert training(load_recipe("flowreasoner-7b+lora+zero3"))["frozen weights"] == 2_880 * 2 / 8


def test_four_bits_hold_the_blocks_only():
    found = training(load_recipe("flowreasoner-7b+qlora"))
    assert found["frozen weights"] == 2 * 640 * 4.5 / 8 + 1_600 * 2


def test_without_sharding_in_float32(changed):
    found = training(changed("flowreasoner-7b", model={"dtype": "float32"}, hardware={"sharding": "none"}))
    assert found["weights"] == found["gradients"] == found["reference model"] == 2_880 * 4
    assert found["AdamW"] == 2_880 * 8
    assert "gathered weights" not in found


def test_activations_of_the_longest_trajectory(changed):
    """A block keeps, per token, (6*8 + 2*2*4 + 4*16) * 2 bytes and 8*8 of norms: 320; a checkpoint 8 * 2."""
    tokens = {"grpo": {"max_tokens": 5_000, "rounds": 5, "round_tokens": 1_000, "micro_batch": 1}}
    found = training(changed("flowreasoner-7b", **tokens))
    assert found["checkpoints"] == 2 * 5_000 * 8 * 2
    assert found["activations"] == 5_000 * 320
    assert found["output layer"] == 4_096 * 100 * 2 + 5_000 * 8 * 4 + 100 * 8 * 4
    found = training(changed("flowreasoner-7b", model={"gradient_checkpointing": False}, **tokens))
    assert "checkpoints" not in found
    assert found["activations"] == 2 * 5_000 * 320
    sft = training(changed("flowreasoner-7b", sft={"batch_size": 2, "max_tokens": 40_000}), "sft")
    assert sft["activations"] == 2 * 40_000 * 320
    assert "reference model" not in sft


def test_no_reference_without_a_kl_term(changed):
    assert "reference model" not in training(changed("flowreasoner-7b", grpo={"beta": 0.0}))


def test_vllm_holds_weights_and_whole_trajectories():
    """7B beside the training: 0.3 * 79 GiB, less 2 bytes a weight and 2 GiB; 57,344 bytes of cache per token."""
    recipe = load_recipe("flowreasoner-7b")
    shape = architecture_of(recipe)
    plan = training_memory(recipe, "grpo", 7.62e9, shape)
    assert sizes(plan)["vLLM"] == pytest.approx(0.3 * 79 * GIB)
    room = 0.3 * 79 * GIB - 2 * 7.62e9 - 2 * GIB
    assert shape.cache_values * 2 == 57_344
    how = next(item.how for item in plan.items if item.name == "vLLM")
    assert f"{room / (57_344 * 32_768):.1f} trajectories" in how
    assert plan.fits is True
    assert "vLLM" not in sizes(training_memory(recipe, "sft", 7.62e9, shape))


def test_a_cache_without_room_for_one_trajectory_is_no_fit(changed):
    recipe = changed("flowreasoner-14b", hardware={"tensor_parallel": 1})
    plan = training_memory(recipe, "grpo", 14.77e9, architecture_of(recipe))
    assert plan.peak < plan.usable
    assert plan.fits is False
    assert plan.remedy.startswith("vLLM's cache has no room for one trajectory of 24,576 tokens")


def test_a_server_has_gpus_of_its_own():
    recipe = load_recipe("flowreasoner-7b+4gpu+vllm-server")
    shape = architecture_of(recipe)
    assert "vLLM" not in sizes(training_memory(recipe, "grpo", 7.62e9, shape))
    served = server_memory(recipe, 7.62e9, shape)
    assert sizes(served)["vLLM"] == pytest.approx(0.9 * 79 * GIB)
    assert served.fits is True


def test_the_model_itself_samples_with_a_cache_that_is_gone_before_the_update():
    """40 trajectories over 8 GPUs: 5 * 32,768 tokens * 2*2*2*4 numbers * 2 bytes."""
    recipe = load_recipe("flowreasoner-7b+transformers")
    plan = training_memory(recipe, "grpo", 2_880.0, SMALL)
    cache = next(item for item in plan.items if item.name == "key-value cache")
    assert cache.size == 5 * 32_768 * 32 * 2
    assert cache.phase == "rollout"


def test_the_peak_is_what_is_always_there_and_the_fuller_phase():
    items = (
        MemoryItem("a", 10, ""),
        MemoryItem("b", 3, "", "update"),
        MemoryItem("c", 4, "", "update"),
        MemoryItem("d", 9, "", "rollout"),
    )
    assert MemoryPlan(items, 19).peak == 19
    assert MemoryPlan(items, 19).fits is True
    assert MemoryPlan(items, 18).fits is False
    assert MemoryPlan(items, 19, "something else").fits is False
    assert MemoryPlan(items, None).fits is None
    assert MemoryPlan(items, 18).to_json()["problem"].startswith("mostly a: train adapters")


def test_a_cpu_has_no_limit_that_is_known_and_no_cuda():
    plan = training_memory(load_recipe("miniature"), "grpo", 4.5e6, None)
    assert plan.fits is None
    assert sizes(plan).keys() == {"weights", "gradients", "AdamW", "reference model"}


@pytest.mark.parametrize(
    ("name", "fits"),
    [
        ("flowreasoner-7b+8gpu", True),
        ("flowreasoner-7b+4gpu", True),
        ("flowreasoner-7b+lora+1gpu", True),
        ("flowreasoner-7b+1gpu+offload", True),
        ("flowreasoner-14b+8gpu", True),
        ("flowreasoner-14b+4gpu", False),
        ("flowreasoner-14b+lora+1gpu", False),
        ("flowreasoner-14b+qlora+1gpu", True),
        ("flowreasoner-14b+1gpu+offload", False),
    ],
)
def test_which_recipes_are_said_to_fit(name, fits):
    """What docs/training.md says, so that a changed rule is noticed."""
    recipe = load_recipe(name)
    shape = architecture_of(recipe)
    stages = ("sft", "grpo")
    assert all(training_memory(recipe, stage, float(shape.parameters), shape).fits for stage in stages) is fits
