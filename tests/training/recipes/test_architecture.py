"""Shapes and parameter counts, against published figures and against transformers itself."""

import json

import pytest

from flowreasoner.errors import RecipeError
from flowreasoner_training.recipes import load_recipe
from flowreasoner_training.recipes.architecture import (
    Architecture,
    architecture_of,
    counted_parameters,
    lora_parameters,
)

CONFIG = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "num_hidden_layers": 2,
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "vocab_size": 512,
    "tie_word_embeddings": True,
}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps(CONFIG))
    return tmp_path


@pytest.mark.parametrize(("size", "published"), [("7b", 7_615_616_512), ("14b", 14_770_033_664)])
def test_the_papers_base_models_have_their_published_size(size, published):
    recipe = load_recipe(f"flowreasoner-{size}")
    shape = architecture_of(recipe.model)
    assert shape.parameters == pytest.approx(published, rel=1e-3)
    assert recipe.model.parameters * 1e9 == pytest.approx(published, rel=1e-3)


def test_adapters_are_counted_by_hand():
    """Rank 64 on 7B: 28 * 64 * ((3584+3584) * 2 + (3584+512) * 2 + (3584+18944) * 3)."""
    model = load_recipe("flowreasoner-7b+lora").model
    shape = architecture_of(model)
    assert lora_parameters(shape, model) == 161_480_704
    attention = model.model_copy(update={"lora": model.lora.model_copy(update={"targets": ("q_proj", "v_proj")})})
    assert lora_parameters(shape, attention) == 28 * 64 * (3584 + 3584 + 3584 + 512)
    assert lora_parameters(shape, load_recipe("flowreasoner-7b").model) == 0
    wrong = model.model_copy(update={"lora": model.lora.model_copy(update={"targets": "q_prj"})})
    with pytest.raises(RecipeError, match="'q_prj' is none of all-linear"):
        lora_parameters(shape, wrong)


def test_a_checkpoints_config_gives_shape_and_count(folder):
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    model = load_recipe("miniature").model.model_copy(update={"name": str(folder)})
    shape = architecture_of(model)
    assert shape == Architecture(2, 64, 96, 4, 2, 16, 512, tied=True)
    assert shape.cache_values == 2 * 2 * 2 * 16
    made = transformers.AutoModelForCausalLM.from_config(transformers.AutoConfig.from_pretrained(folder))
    assert counted_parameters(folder) == sum(p.numel() for p in made.parameters())
    assert counted_parameters(folder) - shape.parameters == (2 * 2 + 1) * 64  # the norms
    assert not torch.empty(0).is_meta


def test_a_shape_that_is_not_known_or_broken(folder):
    model = load_recipe("miniature").model
    assert architecture_of(model) is None
    (folder / "config.json").write_text(json.dumps({**CONFIG, "hidden_size": None, "num_attention_heads": None}))
    broken = model.model_copy(update={"name": str(folder)})
    with pytest.raises(RecipeError, match=r"config\.json' is no decoder's"):
        architecture_of(broken)
    (folder / "config.json").write_text("{")
    with pytest.raises(RecipeError, match=r"config\.json' cannot be read"):
        architecture_of(broken)
