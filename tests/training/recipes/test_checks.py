"""What cannot work together is named before anything starts, with the remedy."""

import pytest

from flowreasoner.errors import RecipeError
from flowreasoner_plugins.manager import load_plugins
from flowreasoner_training.recipes import load_recipe

CPU = {"device": "cpu", "gpus": 0, "sharding": "none", "generation": "transformers"}
FOUR_BIT = {"lora": {"four_bit": True}}


@pytest.mark.parametrize(
    ("base", "keys", "complaint"),
    [
        ("miniature", {"hardware": {"gpus": 1}}, "hardware.gpus is 1, but hardware.device is 'cpu'"),
        ("miniature", {"hardware": {"nodes": 2}}, "only GPUs train over several nodes"),
        ("miniature", {"hardware": {"sharding": "fsdp2"}}, "set it to 'none' on a cpu"),
        ("miniature", {"hardware": {"generation": "vllm-colocate"}}, "set it to 'transformers' on a cpu"),
        ("miniature", {"hardware": {"generation": "vllm-server"}}, "set it to 'transformers' on a cpu"),
        ("miniature", {"model": {"lora": {"rank": 4}}}, "hardware.generation is 'embedded', which knows no adapters"),
        ("flowreasoner-7b", {"hardware": {"generation": "embedded"}}, "'embedded', which computes on CPUs"),
        ("miniature", {"model": {"dtype": "bfloat16"}}, "set it to 'float32'"),
        (
            "miniature",
            {"model": FOUR_BIT, "hardware": {"generation": "transformers"}},
            "model.lora.four_bit needs a GPU",
        ),
        ("flowreasoner-7b", {"hardware": {"gpus": 0}}, "set gpus to 1 or more, or device to cpu"),
        ("flowreasoner-7b+1gpu", {}, "there is one GPU to divide over: train adapters (model.lora)"),
        ("flowreasoner-7b", {"hardware": {"sharding": "none"}}, "small steps are lost in rounding"),
        (
            "flowreasoner-7b+fsdp2",
            {"hardware": {"offload": True}},
            "offload goes with hardware.sharding 'zero3'",
        ),
        ("flowreasoner-7b+qlora+zero3", {}, "model.lora.four_bit does not go with hardware.sharding 'zero3'"),
        ("flowreasoner-7b+qlora+fsdp2", {}, "model.lora.four_bit does not go with hardware.sharding 'fsdp2'"),
        ("flowreasoner-7b+qlora", {"model": {"dtype": "float32"}}, "model.lora.four_bit computes in bfloat16"),
        ("flowreasoner-7b", {"hardware": {"tensor_parallel": 3}}, "does not divide hardware.gpus (8)"),
        (
            "flowreasoner-7b+vllm-server",
            {"hardware": {"tensor_parallel": 3}},
            "divide hardware.server_gpus (4)",
        ),
        ("flowreasoner-7b+vllm-server", {"hardware": {"server": "localhost:8000"}}, "must be an address such as"),
        ("flowreasoner-7b", {"grpo": {"queries_per_step": 4}}, "set queries_per_step to a multiple of 8"),
        ("flowreasoner-7b", {"grpo": {"micro_batch": 2}}, "set queries_per_step to a multiple of 16"),
        (
            "flowreasoner-7b",
            {"grpo": {"excluded_rounds": 10}},
            "set excluded_rounds below 10",
        ),
        ("flowreasoner-7b", {"grpo": {"round_tokens": 4096}}, "= 40960 tokens, without any feedback, are more than"),
        ("flowreasoner-7b", {"distill": {"max_tokens": 40000}}, "set both to the same"),
        ("flowreasoner-7b", {"model": {"chat_template": "own"}}, "deletes the thoughts of earlier rounds"),
        ("flowreasoner-7b", {"model": {"name": "Qwen/Qwen3-8B"}}, "is no such model: set it to 'own'"),
        (
            "flowreasoner-7b",
            {"rewards": {"weights": {"performance": 0.0, "simplicity": 0.0, "diversity": 0.0}}},
            "rewards.weights are all 0",
        ),
    ],
)
def test_an_impossible_combination_is_named_with_its_remedy(changed, base, keys, complaint):
    with pytest.raises(RecipeError) as caught:
        changed(base, **keys)
    assert len(caught.value.problems) == 1, caught.value.problems
    assert complaint in caught.value.problems[0]


@pytest.mark.parametrize(
    ("base", "keys"),
    [
        ("flowreasoner-7b", {"hardware": CPU, "model": {"dtype": "float32"}}),
        ("flowreasoner-7b", {"hardware": {"sharding": "none"}, "model": {"dtype": "float32"}}),
        ("flowreasoner-7b", {"grpo": {"excluded_rounds": 10, "advantage": "outcome"}}),
        ("flowreasoner-7b", {"grpo": {"excluded_rounds": 9}}),
        ("flowreasoner-7b", {"grpo": {"queries_per_step": 16, "micro_batch": 2}}),
        ("flowreasoner-7b", {"grpo": {"group_size": 8, "queries_per_step": 3}}),
    ],
)
def test_what_looks_odd_and_works_is_let_through(changed, base, keys):
    assert changed(base, **keys)


def test_problems_of_several_kinds_are_named_together(changed):
    with pytest.raises(RecipeError) as caught:
        changed("miniature", hardware={"gpus": 2, "nodes": 2}, grpo={"excluded_rounds": 9})
    assert len(caught.value.problems) >= 3


@pytest.mark.filterwarnings("ignore:`gradient_checkpointing` is deprecated:FutureWarning")  # TRL's own default
@pytest.mark.parametrize("micro_batch", [1, 2, 3, 5, 8])
@pytest.mark.parametrize("queries", [1, 2, 3, 8])
@pytest.mark.parametrize("gpus", [1, 3, 4])
def test_the_rule_of_batches_is_trls_own(changed, monkeypatch, micro_batch, queries, gpus):
    """What is let through, `GRPOConfig` takes with a whole accumulation; what it cannot take is refused."""
    trl = pytest.importorskip("trl")
    try:
        changed(
            "flowreasoner-7b+lora",
            hardware={"gpus": gpus, "generation": "transformers"},
            grpo={"micro_batch": micro_batch, "queries_per_step": queries},
        )
        allowed = True
    except RecipeError:
        allowed = False
    monkeypatch.setattr(trl.GRPOConfig, "world_size", gpus)
    per_pass = micro_batch * gpus
    accumulation = queries * 5 // per_pass
    assert allowed == (accumulation * per_pass == queries * 5)
    if allowed:
        config = trl.GRPOConfig(
            use_cpu=True,
            bf16=False,
            report_to="none",
            per_device_train_batch_size=micro_batch,
            gradient_accumulation_steps=accumulation,
            num_generations=5,
        )
        assert config.generation_batch_size == queries * 5


@pytest.fixture(scope="module")
def plugins():
    return load_plugins(entry_points=False)


def unknown(path, plugins):
    with pytest.raises(RecipeError) as caught:
        load_recipe(path, plugins)
    return caught.value.problems


def test_names_that_nothing_provides_are_named_together(recipe_file, plugins):
    path = recipe_file(
        extends="flowreasoner-7b",
        name="x",
        queries={"benchmark": "mbp"},
        rewards={"weights": {"performence": 1.0}},
        worker={"model": "openia:gpt-4o-mini", "sandbox": "jial"},
        distill={"teacher": "no uri"},
        model={"chat_template": "none.jinja"},
    )
    found = unknown(path, plugins)
    assert len(found) == 6
    text = "\n".join(found)
    for part in (
        "rewards.weights.performence: there is no such term, did you mean 'performance'?",
        "worker.model: there is no model scheme 'openia'",
        "distill.teacher: 'no uri' is no model URI",
        "worker.sandbox: there is no tier 'jial'",
        "queries.benchmark: there is no 'mbp', did you mean 'mbpp'?",
        "there is no file",
    ):
        assert part in text
    assert load_recipe(path)  # without plugins, nothing is looked up


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (None, "or get its file (mbpp.jsonl or mbpp.jsonl.gz) and set queries.data to its path"),
        ("missing.jsonl", "queries.data: there is no file"),
        ("broken.jsonl", "queries.data: cannot read benchmark data"),
    ],
)
def test_a_benchmarks_file_is_looked_at(recipe_file, tmp_path, plugins, data, complaint):
    (tmp_path / "broken.jsonl").write_text("{")
    (found,) = unknown(recipe_file(extends="flowreasoner-7b", name="x", queries={"data": data}), plugins)
    assert complaint in found


def test_queries_that_fill_no_batch_are_enough_to_distil_and_not_to_train(recipe_file, plugins):
    path = recipe_file(extends="flowreasoner-7b", name="x", queries={"benchmark": "demo", "count": 7})
    assert load_recipe(path)
    (found,) = unknown(path, plugins)
    assert found.startswith("queries.count 7 is below grpo.queries_per_step 8")


def test_a_whole_recipe_passes(recipe_file, plugins):
    path = recipe_file(extends="flowreasoner-7b", name="x", queries={"benchmark": "demo", "count": 12})
    assert load_recipe(path, plugins).queries.benchmark == "demo"
