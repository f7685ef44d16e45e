import json

import pytest
import yaml
from recipes import make_recipe
from trajectories import make_trajectory

from flowreasoner.errors import TrainingError
from flowreasoner_training.distill.export import export_llamafactory, llamafactory_settings, write_parquet
from flowreasoner_training.recipes import load_recipe
from flowreasoner_training.trajectory import Trajectory

# What LLaMA-Factory's data/README.md documents for a dataset description, and its parser for the tags of sharegpt.
DESCRIPTION = {"file_name", "formatting", "ranking", "subset", "split", "folder", "num_samples", "columns", "tags"}
COLUMNS = {"prompt", "query", "response", "history", "messages", "system", "tools", "images", "videos", "audios"}
TAGS = {"role_tag", "content_tag", "user_tag", "assistant_tag", "observation_tag", "function_tag", "system_tag"}


def as_llamafactory_reads(folder):
    """Reads a dataset as its SharegptDatasetConverter does: system first, then user and assistant in turns."""
    ((name, info),) = json.loads((folder / "dataset_info.json").read_text()).items()
    assert info.keys() <= DESCRIPTION
    assert info["columns"].keys() <= COLUMNS
    assert info["tags"].keys() <= TAGS
    assert info["formatting"] == "sharegpt"
    tags, found = info["tags"], []
    for row in json.loads((folder / info["file_name"]).read_text()):
        messages = row[info["columns"]["messages"]]
        system = ""
        if messages[0][tags["role_tag"]] == tags["system_tag"]:
            system, messages = messages[0][tags["content_tag"]], messages[1:]
        roles = [message[tags["role_tag"]] for message in messages]
        assert len(roles) % 2 == 0
        assert roles == [tags["user_tag"], tags["assistant_tag"]] * (len(roles) // 2)
        found.append((system, [message[tags["content_tag"]] for message in messages]))
    return name, found


async def test_llamafactory_loads_the_dataset_as_it_is(tmp_path):
    made = await make_trajectory()
    export_llamafactory([made, made], tmp_path / "llamafactory", make_recipe())
    name, found = as_llamafactory_reads(tmp_path / "llamafactory")
    system, *turns = (message["content"] for message in made.messages())
    assert found == [(system, turns)] * 2
    settings = yaml.safe_load((tmp_path / "llamafactory" / "sft.yaml").read_text())
    assert (settings["dataset_dir"], settings["dataset"]) == (".", name)


def test_the_settings_are_the_paper_s():
    settings = llamafactory_settings(load_recipe("flowreasoner-7b"))
    expected = {
        "stage": "sft",
        "per_device_train_batch_size": 1,
        "gradient_accumulation_steps": 2,
        "learning_rate": 1e-5,
        "num_train_epochs": 3.0,
        "template": "deepseekr1",
        "mask_history": False,
        "bf16": True,
    }
    assert {name: settings[name] for name in expected} == expected
    assert "DeepSeek-R1-Distill-Qwen-7B" in settings["model_name_or_path"]


def test_numbers_stay_numbers_in_the_file(tmp_path):
    export_llamafactory([], tmp_path, make_recipe(sft={"learning_rate": 1e-5}))
    assert yaml.safe_load((tmp_path / "sft.yaml").read_text())["learning_rate"] == 1e-5


def test_adapters_are_named_as_llamafactory_does():
    lora = {"rank": 8, "alpha": 16, "targets": ("q_proj", "v_proj"), "four_bit": True}
    settings = llamafactory_settings(make_recipe(model={"lora": lora}))
    assert settings["finetuning_type"] == "lora"
    assert (settings["lora_rank"], settings["lora_alpha"], settings["lora_target"]) == (8, 16, "q_proj,v_proj")
    assert settings["quantization_bit"] == 4
    assert llamafactory_settings(make_recipe(model={"lora": {}}))["lora_target"] == "all"


async def test_parquet_holds_the_conversation_and_the_whole_record(tmp_path):
    import datasets

    made = await make_trajectory()
    write_parquet([made], tmp_path / "a.parquet")
    (row,) = datasets.Dataset.from_parquet(str(tmp_path / "a.parquet"), cache_dir=str(tmp_path / "cache"))
    assert row["messages"] == made.messages()
    assert row["rewards"] == [item.reward for item in made.rounds]
    assert Trajectory.from_json(json.loads(row["record"])) == made


def test_no_trajectories_are_a_file_with_the_same_columns(tmp_path):
    from pyarrow import parquet

    write_parquet([], tmp_path / "a.parquet")
    assert parquet.read_table(tmp_path / "a.parquet").column_names[:3] == ["id", "query", "benchmark"]


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(TrainingError, match="cannot write"):
        export_llamafactory([], tmp_path / "file" / "below", make_recipe())
