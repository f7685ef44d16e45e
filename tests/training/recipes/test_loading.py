"""Recipes are found, assembled and read; what is wrong with one is named at once, with its place and the remedy."""

from pathlib import Path

import pytest
import yaml

from flowreasoner.errors import RecipeError
from flowreasoner_training.recipes import load_recipe, recipe_names, variant_names
from flowreasoner_training.recipes.loading import describe

SHIPPED = ("flowreasoner-14b", "flowreasoner-7b", "miniature", "smoke")


def problems(name_or_path):
    with pytest.raises(RecipeError) as caught:
        load_recipe(name_or_path)
    return caught.value.problems


def test_the_shipped_recipes_load_and_say_what_they_are_for():
    assert recipe_names() == SHIPPED
    for name in SHIPPED:
        recipe = load_recipe(name)
        assert recipe.name == name
        assert recipe.description == describe(name)


def test_the_papers_values_are_in_its_recipes():
    """Appendix A and §5: what a change would have to justify."""
    for size in ("7b", "14b"):
        recipe = load_recipe(f"flowreasoner-{size}")
        assert recipe.model.name == f"deepseek-ai/DeepSeek-R1-Distill-Qwen-{size.upper()}"
        assert recipe.model.chat_template == "r1-distill"
        sft, grpo = recipe.sft, recipe.grpo
        assert (sft.batch_size, sft.accumulation, sft.learning_rate, sft.epochs) == (1, 2, 1e-5, 3)
        assert (grpo.group_size, grpo.rounds, grpo.discount, grpo.excluded_rounds, grpo.epochs) == (5, 10, 1.1, 3, 5)
        assert (recipe.distill.rounds, recipe.worker.evaluations, recipe.hardware.device) == (10, 3, "a100-80gb")
        assert recipe.queries.count * recipe.distill.trajectories == pytest.approx(1400, rel=0.1)


@pytest.mark.parametrize("size", ["7b", "14b"])
@pytest.mark.parametrize(
    "variants",
    [
        *(f"lora+{gpus}" for gpus in ("1gpu", "4gpu", "8gpu")),
        "qlora+1gpu",
        "1gpu+offload",
        *(f"{gpus}+{sharding}" for gpus in ("4gpu", "8gpu", "2nodes", "4nodes") for sharding in ("zero3", "fsdp2")),
        *(f"4gpu+{generation}" for generation in ("transformers", "vllm-colocate", "vllm-server")),
    ],
)
def test_every_documented_combination_of_variants_loads(size, variants):
    recipe = load_recipe(f"flowreasoner-{size}+{variants}")
    assert recipe.name == f"flowreasoner-{size}+{variants}"
    assert all(describe(variant) in recipe.description for variant in variants.split("+"))


def test_variants_are_laid_over_in_their_order():
    assert set(variant_names()) >= {"lora", "4gpu", "zero3", "vllm-server"}
    recipe = load_recipe("flowreasoner-7b+lora+4gpu+zero3")
    assert (recipe.hardware.gpus, recipe.hardware.sharding) == (4, "zero3")
    assert load_recipe("flowreasoner-7b+zero3+lora").hardware.sharding == "none"
    assert recipe.grpo.learning_rate > load_recipe("flowreasoner-7b").grpo.learning_rate


def test_a_file_extends_a_recipe_key_by_key(recipe_file):
    path = recipe_file(extends="flowreasoner-7b+lora", name="mine", grpo={"beta": 0.1}, model={"lora": {"rank": 8}})
    recipe, base = load_recipe(path), load_recipe("flowreasoner-7b+lora")
    assert recipe.name == "mine"
    assert recipe.grpo == base.grpo.model_copy(update={"beta": 0.1})
    assert (recipe.model.lora.rank, recipe.model.lora.alpha) == (8, 128)
    assert load_recipe(f"{path}+4gpu").hardware.gpus == 4


def test_what_is_shown_is_a_recipe_file_of_the_same_recipe(tmp_path):
    recipe = load_recipe("flowreasoner-14b+qlora")
    path = tmp_path / "again.yaml"
    path.write_text(yaml.safe_dump(recipe.model_dump(mode="json")))
    assert load_recipe(str(path)) == recipe


def test_a_files_paths_are_beside_it_whatever_the_current_folder(recipe_file, tmp_path, monkeypatch):
    path = recipe_file(extends="miniature", name="x", queries={"data": "q.jsonl"}, model={"chat_template": "t.jinja"})
    monkeypatch.chdir("/")
    recipe = load_recipe(path)
    assert recipe.queries.data == tmp_path / "q.jsonl"
    assert recipe.model.chat_template == tmp_path / "t.jinja"
    below = recipe_file("below.yaml", extends="mine.yaml", name="y")
    assert load_recipe(below).queries.data == tmp_path / "q.jsonl"


def test_numbers_are_read_as_people_write_them(tmp_path):
    path = tmp_path / "numbers.yaml"
    path.write_text("extends: miniature\nname: n\nsft: {learning_rate: 2e-4, epochs: 1}\ngrpo: {beta: 1E-2}\n")
    recipe = load_recipe(str(path))
    assert (recipe.sft.learning_rate, recipe.sft.epochs, recipe.grpo.beta) == (2e-4, 1.0, 0.01)


def test_every_problem_is_named_at_once(recipe_file):
    found = problems(
        recipe_file(
            extends="flowreasoner-7b",
            model={"dtype": "fp8", "lora": {"rank": 0, "targets": [1]}},
            grpo={"group_size": "5", "temprature": 1.0, "clip": 0, "lora": {}},
            sft={"warmup": 1.5, "beta": 0.1},
            distill=[],
            worker={"model": 3, "calls": 2.5},
            gpus=4,
        )
    )
    assert set(found) == {
        "model.dtype must be 'bfloat16' or 'float32', not 'fp8'",
        "model.lora.rank must be at least 1, not 0",
        "model.lora.targets must be text, not [1]",
        "model.lora.targets[0] must be text, not 1",
        "grpo.group_size must be a whole number, not '5'",
        "grpo.temprature is no setting, did you mean 'temperature'?",
        "grpo.clip must be above 0, not 0",
        "grpo.lora is no setting; it belongs in model",
        "sft.warmup must be below 1, not 1.5",
        "sft.beta is no setting; it belongs in grpo",
        "distill must be a section of keys, not []",
        "worker.model must be text, not 3",
        "worker.calls must be a whole number, not 2.5",
        "gpus is no setting; it belongs in hardware",
    }


def test_a_missing_setting_says_what_it_means(recipe_file):
    found = problems(recipe_file(name="x", description="d", model={}, queries={"benchmark": "demo"}, distill={}))
    assert "model.name is missing: Hugging Face name or path of the base model" in found
    assert "worker is missing" in found
    assert any(line.startswith("distill.teacher is missing: URI of the teacher") for line in found)


@pytest.mark.parametrize("value", [".nan", ".inf", "-1", "[1]", "null", "yes"])
def test_no_number_is_taken_for_another(tmp_path, value):
    path = tmp_path / "odd.yaml"
    path.write_text(f"extends: miniature\nname: n\ngrpo: {{learning_rate: {value}}}\n")
    (found,) = problems(str(path))
    assert found.startswith("grpo.learning_rate must be ")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("grpo: {beta: 1", "no valid YAML"),
        ("- a\n- b\n", "a recipe is a file of sections"),
        ("", "a recipe is a file of sections"),
        ("name: a\nname: b\n", "'name' stands there twice"),
        ("grpo: {beta: 1, beta: 2}\n", "'beta' stands there twice"),
        ("1: a\n", "the key 1 is no text"),
        ("a: &x [1]\nb: *x\n", "aliases"),
        ("a: !!python/object/apply:os.system [ls]\n", "no valid YAML"),
        ("extends: [a]\n", "extends must be the name of a recipe"),
        ("extends: flowreasoner-7\n", "did you mean 'flowreasoner-7b'?"),
        ("[" * 5000, "no valid YAML"),
        ("\x00", "no valid YAML"),
    ],
)
def test_a_file_that_is_no_recipe(tmp_path, text, complaint):
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    (found,) = problems(str(path))
    assert complaint in found


def test_a_file_that_cannot_be_read(tmp_path):
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\xfa")
    assert "cannot be read" in problems(str(tmp_path / "bytes.yaml"))[0]
    assert "there is no file" in problems(str(tmp_path / "none.yaml"))[0]
    assert "there is no file" in problems("folder/none")[0]


def test_extending_in_a_circle_is_named(recipe_file):
    first = recipe_file("a.yaml", extends="b.yaml")
    recipe_file("b.yaml", extends="a.yaml")
    (found,) = problems(first)
    assert "goes round in a circle" in found


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("flowreasoner-7", "did you mean 'flowreasoner-7b'?; there are flowreasoner-14b"),
        ("nothing-like-it", "there are flowreasoner-14b"),
        ("flowreasoner-7b+lra", "there is no variant 'lra', did you mean 'lora'?"),
        ("flowreasoner-7b+", "there is no variant ''; known are 1gpu"),
        ("flowreasoner-7b+1gpu+lora+4gpu", "+1gpu and +4gpu both set hardware.gpus: leave one out"),
        ("flowreasoner-7b+vllm-server+transformers", "both set hardware.generation"),
        ("", "there is no such recipe"),
        ("lora", "there is no such recipe"),
    ],
)
def test_an_unknown_name(name, complaint):
    assert complaint in problems(name)[0]


def test_the_error_names_recipe_and_all_problems():
    error = RecipeError("mine", ["a is wrong", "b is wrong"])
    assert str(error) == "the recipe 'mine' cannot be used: (1) a is wrong; (2) b is wrong"
    assert str(RecipeError("mine", ["a is wrong"])) == "the recipe 'mine' cannot be used: a is wrong"


def test_the_schema_documents_every_setting():
    from flowreasoner_training.recipes import schema

    for name in schema.__all__:
        for key, field in getattr(schema, name).model_fields.items():
            sections = {"model", "queries", "worker", "rewards", "distill", "sft", "grpo", "hardware"}
            assert field.description or (name == "Recipe" and key in sections), (name, key)


def test_recipes_are_light():
    """Loading one needs no torch: plans are made before anything is installed."""
    import subprocess
    import sys

    code = (
        "import sys; from flowreasoner_training.recipes import load_recipe; load_recipe('flowreasoner-7b'); "
        "assert not {'torch', 'transformers', 'trl', 'numpy'} & set(sys.modules)"
    )
    root = Path(__file__).parents[3]
    path = ":".join(str(root / part) for part in ("core", "training", "."))
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": path})
