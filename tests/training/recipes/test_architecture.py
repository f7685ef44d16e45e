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


class _Vocabulary:
    """As much of a tokenizer as a new model asks for."""

    pad_token_id, eos_token_id = 0, 1

    def __init__(self, size):
        self._size = size

    def __len__(self):
        return self._size


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
    shape = architecture_of(recipe)
    assert shape.parameters == pytest.approx(published, rel=1e-3)
    assert recipe.model.parameters * 1e9 == pytest.approx(published, rel=1e-3)


def test_adapters_are_counted_by_hand():
    """Rank 64 on 7B: 28 * 64 * ((3584+3584) * 2 + (3584+512) * 2 + (3584+18944) * 3)."""
    recipe = load_recipe("flowreasoner-7b+lora")
    shape, model = architecture_of(recipe), recipe.model
    assert lora_parameters(shape, model) == 161_480_704
    attention = model.model_copy(update={"lora": model.lora.model_copy(update={"targets": ("q_proj", "v_proj")})})
    assert lora_parameters(shape, attention) == 28 * 64 * (3584 + 3584 + 3584 + 512)
    assert lora_parameters(shape, load_recipe("flowreasoner-7b").model) == 0
    wrong = model.model_copy(update={"lora": model.lora.model_copy(update={"targets": "q_prj"})})
    with pytest.raises(RecipeError, match="'q_prj' is none of all-linear"):
        lora_parameters(shape, wrong)


@pytest.fixture
def at(changed):
    """Returns a recipe whose model is a folder."""
    return lambda path: changed("flowreasoner-7b+lora", model={"name": str(path), "chat_template": "own"})


def test_a_checkpoints_config_gives_shape_and_count(folder, at):
    transformers = pytest.importorskip("transformers")
    shape = architecture_of(at(folder))
    assert shape == Architecture(2, 64, 96, 4, 2, 16, 512, tied=True)
    assert shape.cache_values == 2 * 2 * 2 * 16
    made = transformers.AutoModelForCausalLM.from_config(transformers.AutoConfig.from_pretrained(folder))
    assert counted_parameters(folder) == sum(p.numel() for p in made.parameters())
    assert counted_parameters(folder) - shape.parameters == (2 * 2 + 1) * 64  # the norms


def test_the_miniatures_shapes_are_those_that_are_made():
    pytest.importorskip("transformers")
    from flowreasoner_training.nano.architecture import new_model

    nano = load_recipe("miniature").nano
    made = new_model(_Vocabulary(nano.worker.vocabulary), nano.worker, 0)
    shape = Architecture.of_nano(nano.worker)
    norms = (2 * shape.layers + 1) * shape.hidden
    assert sum(p.numel() for p in made.parameters()) == shape.parameters + norms


def test_a_shape_that_is_not_known_or_broken(folder, at, tmp_path, changed):
    unknown = changed("flowreasoner-7b", model={"name": "some/model", "chat_template": "own"})
    assert architecture_of(unknown) is None
    broken = at(folder)
    (folder / "config.json").write_text(json.dumps({**CONFIG, "hidden_size": None, "num_attention_heads": None}))
    with pytest.raises(RecipeError, match=r"config\.json' is no decoder's"):
        architecture_of(broken)
    (folder / "config.json").write_text("{")
    with pytest.raises(RecipeError, match=r"config\.json' cannot be read"):
        architecture_of(broken)
