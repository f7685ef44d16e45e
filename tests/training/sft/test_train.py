import json
import math
import shutil

import pytest
import torch
from recipes import make_recipe
from transformers import AutoModelForCausalLM, AutoTokenizer

from flowreasoner.errors import TrainingError
from flowreasoner.models.embedded import PAIR
from flowreasoner_training.rendering import use_training_template
from flowreasoner_training.sft import train_sft
from flowreasoner_training.sft.data import load_data
from flowreasoner_training.sft.trainer import make_trainer
from flowreasoner_training.trajectory import read_trajectories


def steps(out):
    return [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]


@pytest.fixture
def trainer(data, tiny, tmp_path):
    tokenizer = AutoTokenizer.from_pretrained(tiny)
    use_training_template(tokenizer)
    recipe = make_recipe(sft={"batch_size": 4})
    return make_trainer(recipe, str(tiny), tokenizer, load_data(data, tokenizer, 100_000), tmp_path / "out"), tokenizer


@pytest.mark.filterwarnings("ignore:.*gradient_checkpointing:FutureWarning")
def test_feedback_gets_no_label_from_the_real_trainer_s_collator(trainer, data):
    trainer, tokenizer = trainer
    (batch,) = trainer.get_train_dataloader()
    texts = {item.id: item for item in read_trajectories(data)}
    learned = [tokenizer.decode(row[row != -100]) for row in batch["labels"]]
    ignored = [tokenizer.decode(ids[row == -100]) for ids, row in zip(batch["input_ids"], batch["labels"], strict=True)]
    expected = ["".join(f"{item.text}<|im_end|>" for item in made.rounds) for made in texts.values()]
    assert sorted(learned) == sorted(expected)
    for made in texts.values():
        feedback = [item.feedback for item in made.rounds[:-1]]
        assert any(all(text in rest for text in (made.instruction, made.task, *feedback)) for rest in ignored)
    assert not any("Feedback on round" in text for text in learned)
    assert (batch["labels"][batch["attention_mask"] == 0] == -100).all()


@pytest.mark.filterwarnings("ignore:.*gradient_checkpointing:FutureWarning")
def test_the_loss_is_the_mean_over_the_assistant_s_tokens(trainer):
    trainer, _ = trainer
    (batch,) = trainer.get_train_dataloader()
    with torch.no_grad():
        loss = trainer.compute_loss(trainer.model, dict(batch)).item()
        logits = trainer.model(batch["input_ids"], attention_mask=batch["attention_mask"]).logits
    shifted = batch["labels"][:, 1:]
    expected = torch.nn.functional.cross_entropy(logits[:, :-1][shifted != -100], shifted[shifted != -100]).item()
    assert loss == pytest.approx(expected, rel=1e-4)


def test_training_lowers_the_loss_and_leaves_a_model_that_loads(data, tiny, tmp_path):
    seen = []
    recipe = make_recipe(sft={"epochs": 4.0})
    result = train_sft(recipe, data, tmp_path / "out", model=tiny, report=seen.append)
    log = steps(tmp_path / "out")
    assert [line["step"] for line in log] == list(range(1, 9)) == [item.step for item in seen]
    assert log[-1]["loss"] < log[0]["loss"] - 0.3
    assert (result.steps, result.trajectories, result.loss) == (8, 4, log[-1]["loss"])
    model = AutoModelForCausalLM.from_pretrained(result.model)
    assert model.dtype == torch.float32
    assert "generation" in AutoTokenizer.from_pretrained(result.model).chat_template
    names = {path.name for path in result.model.iterdir()}
    assert names >= {"config.json", "model.safetensors", "tokenizer.json", "chat_template.jinja"}
    assert "training_args.bin" not in names
    assert train_sft(recipe, data, tmp_path / "out", model=tiny, resume=True) == result


@pytest.mark.slow
def test_an_adapter_is_trained_alone_and_merged_into_the_model(data, tiny, tmp_path):
    recipe = make_recipe(model={"lora": {"rank": 2, "alpha": 4}})
    result = train_sft(recipe, data, tmp_path / "out", model=tiny)
    assert (tmp_path / "out" / "adapter" / "adapter_model.safetensors").exists()
    before, after = (AutoModelForCausalLM.from_pretrained(path).state_dict() for path in (tiny, result.model))
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed
    assert all("proj" in name for name in changed)


def test_a_loss_that_is_no_number_ends_the_training_and_saves_nothing_of_it(data, tiny, tmp_path):
    recipe = make_recipe(sft={"learning_rate": 1e30, "save_steps": 1})
    with pytest.raises(TrainingError, match=r"step \d: the (loss|grad_norm) is (nan|inf); the last good checkpoint is"):
        train_sft(recipe, data, tmp_path / "out", model=tiny)
    log = steps(tmp_path / "out")
    assert all(math.isfinite(line["loss"]) for line in log)
    checkpoints = sorted(path.name for path in (tmp_path / "out" / "checkpoints").glob("checkpoint-*"))
    assert checkpoints[-1] == f"checkpoint-{log[-1]['step']}"


@pytest.mark.slow
def test_a_half_written_checkpoint_is_passed_over(data, tiny, tmp_path):
    whole = train_sft(make_recipe(), data, tmp_path / "whole", model=tiny)
    cut = tmp_path / "cut"
    train_sft(make_recipe(), data, cut, model=tiny)
    (cut / "result.json").unlink()
    (cut / "checkpoints" / "checkpoint-4" / "complete").unlink()
    (cut / "checkpoints" / "checkpoint-4" / "optimizer.pt").write_bytes(b"cut")
    with (cut / "log.jsonl").open("a") as file:
        file.write('{"step": 5, "lo')
    again = train_sft(make_recipe(), data, cut, model=tiny, resume=True)
    assert steps(cut) == steps(tmp_path / "whole")
    assert (again.model / "model.safetensors").read_bytes() == (whole.model / "model.safetensors").read_bytes()


@pytest.mark.slow
def test_a_training_that_was_cut_after_its_last_step_is_only_finished(data, tiny, tmp_path):
    out = tmp_path / "out"
    whole = train_sft(make_recipe(), data, out, model=tiny)
    weights = (whole.model / "model.safetensors").read_bytes()
    (out / "result.json").unlink()
    shutil.rmtree(out / "model")
    (out / "model.part").mkdir()
    seen = []
    assert train_sft(make_recipe(), data, out, model=tiny, resume=True, report=seen.append) == whole
    assert (whole.model / "model.safetensors").read_bytes() == weights
    assert seen == []


@pytest.mark.slow
def test_a_full_disk_is_named_and_what_was_saved_stays(data, tiny, tmp_path, monkeypatch):
    import transformers

    real = transformers.Trainer._save_optimizer_and_scheduler
    calls = []

    def full(self, output_dir):
        calls.append(output_dir)
        if len(calls) > 1:
            raise RuntimeError("PytorchStreamWriter failed writing file: No space left on device")
        return real(self, output_dir)

    monkeypatch.setattr(transformers.Trainer, "_save_optimizer_and_scheduler", full)
    kept = r"after step 4: cannot write to .*: the disk is full .*; all until then is kept in .*checkpoint-2'"
    with pytest.raises(TrainingError, match=kept):
        train_sft(make_recipe(), data, tmp_path / "out", model=tiny)
    monkeypatch.undo()
    assert train_sft(make_recipe(), data, tmp_path / "out", model=tiny, resume=True).steps == 4


@pytest.mark.parametrize(
    ("changes", "settings", "message"),
    [
        ({}, {"model": "/no/such/model"}, "cannot load the model '/no/such/model': there is no such folder"),
        ({}, {"model": PAIR / "meta_agent_sft"}, "holds a model of the embedded runtime, .* restore it"),
        ({"hardware": {"device": "a100-80gb", "gpus": 1}}, {}, "torch sees no GPU here; run it where there is one"),
    ],
)
def test_what_cannot_be_trained_is_named_before_anything_starts(data, tiny, tmp_path, changes, settings, message):
    if torch.cuda.is_available() and "hardware" in changes:
        pytest.skip("there is a GPU")
    with pytest.raises(TrainingError, match=message):
        train_sft(make_recipe(**changes), data, tmp_path / "out", **{"model": tiny, **settings})
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_a_folder_with_another_training_is_left_alone(data, tiny, tmp_path):
    out = tmp_path / "out"
    train_sft(make_recipe(), data, out, model=tiny)
    before = (out / "log.jsonl").read_bytes()
    with pytest.raises(TrainingError, match="holds a training already: pass --resume to go on, or another folder"):
        train_sft(make_recipe(), data, out, model=tiny)
    with pytest.raises(TrainingError, match=r"was begun with learning_rate 0\.01, not 0\.02; give the same"):
        train_sft(make_recipe(sft={"learning_rate": 2e-2}), data, out, model=tiny, resume=True)
    data.write_text(data.read_text() * 2)
    with pytest.raises(TrainingError, match="was begun with data "):
        train_sft(make_recipe(), data, out, model=tiny, resume=True)
    assert (out / "log.jsonl").read_bytes() == before


def test_missing_data_is_named_with_what_makes_it(tiny, tmp_path):
    with pytest.raises(TrainingError, match=r"cannot read trajectories from .*none.jsonl': No such file"):
        train_sft(make_recipe(), tmp_path / "none.jsonl", tmp_path / "out", model=tiny)
    assert not (tmp_path / "out").exists()
