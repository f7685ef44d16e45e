import json
import math
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import grpo_runs
import pytest
import torch
from grpo_runs import lines, train
from tiny_model import tiny_model

from flowreasoner.errors import ModelError, QueryError, SandboxError, TrainingError
from flowreasoner.models.embedded import PAIR
from flowreasoner.query import Query
from flowreasoner_training.checkpoints import last_checkpoint
from flowreasoner_training.grpo.log import RoundMade, StepEnded
from flowreasoner_training.grpo.trainer import RoundGRPOTrainer
from flowreasoner_training.threads import threads

SCRIPT = Path(grpo_runs.__file__)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return tiny_model(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def whole(model, tmp_path_factory):
    """A training that nothing happened to, with its events."""
    out, events = tmp_path_factory.mktemp("whole") / "out", []
    result = train(model, out, observers=[events.append])
    return out, result, events


def weights(folder):
    from safetensors.torch import load_file

    return load_file(folder / "model.safetensors")


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def test_a_training_leaves_a_model_a_log_and_checkpoints(whole, model):
    out, result, _ = whole
    assert result.steps == 4
    assert result.model == out
    assert [line["step"] for line in lines(out)] == [1, 2, 3, 4]
    assert not same(weights(out), weights(model))
    assert {"tokenizer.json", "config.json", "chat_template.jinja"} <= {path.name for path in out.iterdir()}
    assert last_checkpoint(out) == out / "checkpoint-4"
    last = lines(out)[-1]
    assert all(math.isfinite(value) for value in last.values())
    assert {"loss", "grad_norm", "kl", "reward", "score", "valid", "round_2/kl", "round_1/vowels"} <= last.keys()
    assert any(line["round_1/kl"] > 0 for line in lines(out))
    assert result.metrics["step"] == 4
    json.dumps(result.to_json())
    assert not (out / "training_args.bin").exists()  # a pickle


def test_observers_hear_of_rounds_and_steps(whole):
    _, _, events = whole
    rounds = [(event.step, event.round, event.rounds) for event in events if isinstance(event, RoundMade)]
    assert rounds == [(step, number, 2) for step in (1, 2, 3, 4) for number in (1, 2)]
    ended = [event for event in events if isinstance(event, StepEnded)]
    assert [(event.step, event.steps) for event in ended] == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert ended[-1].left == 0


def test_a_resumed_training_is_the_same_training(whole, model, tmp_path, capfd):
    out, _, _ = whole
    again = tmp_path / "out"
    shutil.copytree(out, again)
    shutil.rmtree(again / "checkpoint-4")
    (again / "model.safetensors").unlink()
    train(model, again, resume=True)
    assert "missing keys" not in capfd.readouterr().err  # the tied ones are not missing
    assert lines(again) == lines(out)
    assert same(weights(again), weights(out))


@pytest.mark.slow
def test_a_half_written_checkpoint_is_passed_over(whole, model, tmp_path):
    out, _, _ = whole
    again = tmp_path / "out"
    shutil.copytree(out, again)
    (again / "checkpoint-4" / "complete").unlink()
    (again / "checkpoint-4" / "optimizer.pt").write_bytes(b"half")
    with (again / "log.jsonl").open("a") as log:
        log.write('{"step": 5, "lo')
    train(model, again, resume=True)
    assert lines(again) == lines(out)
    assert same(weights(again), weights(out))


def test_a_finished_training_can_be_resumed_to_no_effect(whole, model, tmp_path):
    out, _, _ = whole
    again = tmp_path / "out"
    shutil.copytree(out, again)
    assert train(model, again, resume=True).steps == 4
    assert lines(again) == lines(out)
    assert same(weights(again), weights(out))


def fail_at(monkeypatch, step, error):
    """Has the environment fail in one step, as a dead worker would make it."""
    from flowreasoner_training.grpo.environment import DesignEnvironment

    real = DesignEnvironment.step

    async def failing(self, reply, spent=None):
        if f"/s{step - 1}/" in self.draws:
            raise error
        return await real(self, reply, spent)

    monkeypatch.setattr(DesignEnvironment, "step", failing)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ModelError("http://localhost:1/v1 cannot be reached"), "cannot be reached"),
        (SandboxError("the judge is gone"), "the judge is gone"),
    ],
)
def test_a_worker_or_sandbox_that_dies_costs_no_step(whole, model, tmp_path, monkeypatch, error, said):
    out = tmp_path / "out"
    with monkeypatch.context() as broken:
        fail_at(broken, 4, error)
        with pytest.raises(TrainingError, match=said) as caught:
            train(model, out)
    assert "step 4 was not made" in str(caught.value)
    assert str(out / "checkpoint-3") in str(caught.value)
    assert "--resume" in str(caught.value)
    train(model, out, resume=True)
    assert lines(out) == lines(whole[0])
    assert same(weights(out), weights(whole[0]))


@pytest.mark.slow
def test_an_interruption_costs_no_step(whole, model, tmp_path):
    out = tmp_path / "out"

    def interrupt(event):
        if isinstance(event, RoundMade) and event.step == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(model, out, observers=[interrupt])
    assert last_checkpoint(out) == out / "checkpoint-1"
    train(model, out, resume=True)
    assert lines(out) == lines(whole[0])


@pytest.mark.slow
def test_a_loss_that_is_no_number_names_step_checkpoint_and_remedy(model, tmp_path, monkeypatch):
    out, real = tmp_path / "out", RoundGRPOTrainer._generate_and_score_completions

    def spoiled(self, inputs):
        made = real(self, inputs)
        if self.state.global_step == 2:
            made["advantages"] = made["advantages"] * math.nan
        return made

    monkeypatch.setattr(RoundGRPOTrainer, "_generate_and_score_completions", spoiled)
    with pytest.raises(TrainingError, match="step 3: the loss is no finite number") as caught:
        train(model, out)
    assert f"--model {out / 'checkpoint-2'}" in str(caught.value)
    assert "grpo.learning_rate than 0.001" in str(caught.value)
    assert all(value.isfinite().all() for value in weights(out / "checkpoint-2").values())
    assert [line["step"] for line in lines(out)] == [1, 2]


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("name", ["trainer_state.json", "complete.part"])
def test_a_full_disk_keeps_the_checkpoint_before(whole, model, tmp_path, name):
    out = tmp_path / "out"
    (out / "checkpoint-4").mkdir(parents=True)
    (out / "checkpoint-4" / name).symlink_to("/dev/full")
    with pytest.raises(TrainingError, match=r"after step 4: cannot write to .*No space left") as caught:
        train(model, out, resume=True)
    assert str(out / "checkpoint-2") in str(caught.value)
    shutil.rmtree(out / "checkpoint-4")
    train(model, out, resume=True)
    assert lines(out) == lines(whole[0])
    assert same(weights(out), weights(whole[0]))


@pytest.mark.slow
def test_a_checkpoint_is_not_begun_without_room_for_it(model, tmp_path, monkeypatch):
    def usage(_):
        return SimpleNamespace(free=2**20 + 1000)

    monkeypatch.setattr(shutil, "disk_usage", usage)
    with pytest.raises(TrainingError, match=r"after step 2: cannot write to .* a checkpoint takes"):
        train(model, tmp_path / "out")
    assert not (tmp_path / "out" / "checkpoint-2").exists()


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_log_that_cannot_be_written_is_named(model, tmp_path):
    out = tmp_path / "out"

    def fill(event):
        if isinstance(event, RoundMade) and (event.step, event.round) == (2, 1):
            (out / "log.jsonl").unlink()
            (out / "log.jsonl").symlink_to("/dev/full")

    with pytest.raises(TrainingError, match=r"after step 2: .*No space left on device"):
        train(model, out, observers=[fill])


def test_a_policy_that_writes_no_workflow_is_told(model, tmp_path, caplog):
    train(model, tmp_path, max_steps=3)
    assert "step 3: no workflow was valid in 3 steps" in caplog.text


def test_a_training_takes_the_recipes_threads_and_gives_them_back(model, tmp_path):
    seen = []
    with threads(3):
        train(model, tmp_path, max_steps=1, observers=[lambda _: seen.append(torch.get_num_threads())])
        assert set(seen) == {1}
        assert torch.get_num_threads() == 3


def test_a_missing_model_is_named(tmp_path):
    with pytest.raises(TrainingError, match=r"there is no model in .*nowhere"):
        train(tmp_path / "nowhere", tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_a_model_of_the_embedded_runtime_is_refused_with_the_remedy(tmp_path):
    with pytest.raises(TrainingError, match=r"meta_agent_sft' holds a model of the embedded runtime.*restore_embedded"):
        train(PAIR / "meta_agent_sft", tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_a_training_is_not_overwritten(whole, model):
    with pytest.raises(TrainingError, match="holds a training already; go on with --resume"):
        train(model, whole[0])


def test_nothing_to_resume_is_said(model, tmp_path):
    with pytest.raises(TrainingError, match="there is no training in"):
        train(model, tmp_path / "out", resume=True)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"learning_rate": 2e-3}, r"was begun with grpo\.learning_rate 0\.001, not 0\.002; give the same"),
        ({"evaluations": 2}, r"was begun with grpo\.evaluations 1, not 2"),
        ({"seed": 5}, r"was begun with seed \d, not 5"),
    ],
)
def test_another_training_does_not_go_on_in_the_folder(whole, model, settings, said):
    with pytest.raises(TrainingError, match=said):
        train(model, whole[0], resume=True, **settings)


def test_another_model_does_not_go_on_in_the_folder(whole, model, tmp_path):
    shutil.copytree(model, tmp_path / "other")
    with pytest.raises(TrainingError, match="was begun with model "):
        train(tmp_path / "other", whole[0], resume=True)


@pytest.mark.slow
def test_a_training_may_go_on_to_more_steps(whole, model, tmp_path):
    out = tmp_path / "out"
    shutil.copytree(whole[0], out)
    assert train(model, out, resume=True, max_steps=5).steps == 5
    assert [line["step"] for line in lines(out)] == [1, 2, 3, 4, 5]


@pytest.mark.slow
def test_a_falling_learning_rate_belongs_to_its_number_of_steps(model, tmp_path):
    out, settings = tmp_path / "out", {"schedule": "linear", "warmup_steps": 1}
    train(model, out, **settings)
    assert [line["learning_rate"] for line in lines(out)] == pytest.approx([0, 1e-3, 2e-3 / 3, 1e-3 / 3])
    with pytest.raises(TrainingError, match=r"was begun with grpo\.max_steps 4, not 6"):
        train(model, out, resume=True, max_steps=6, **settings)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"queries_per_step": 5}, "there are 4 queries, and a step takes 5"),
        ({"max_tokens": 500}, "leaves no room for a round of 8 within 500; raise grpo.max_tokens"),
        ({"micro_batch": 4}, "2 x 3 = 6 trajectories, which cannot be divided into batches of 4"),
    ],
)
def test_impossible_sizes_are_named_before_anything_starts(model, tmp_path, settings, said):
    with pytest.raises(TrainingError, match=said):
        train(model, tmp_path / "out", **settings)


def test_a_query_without_tests_cannot_be_rewarded(model, tmp_path, monkeypatch):
    monkeypatch.setattr(grpo_runs, "queries", lambda: [Query("Write a poem.")] * 2)
    with pytest.raises(QueryError, match="neither feedback tests nor a metric"):
        train(model, tmp_path / "out")


@pytest.mark.slow
def test_several_steps_per_batch_are_clipped_and_resumed_alike(model, tmp_path):
    out = tmp_path / "out"
    train(model, out, iterations=2, learning_rate=3e-2)
    assert lines(out)[0]["clip_ratio/region_mean"] == 0
    assert lines(out)[1]["clip_ratio/region_mean"] > 0
    again = tmp_path / "again"
    shutil.copytree(out, again)
    shutil.rmtree(again / "checkpoint-4")
    train(model, again, resume=True, iterations=2, learning_rate=3e-2)
    assert lines(again) == lines(out)


@pytest.mark.slow
def test_adapters_leave_the_model_as_it_is_and_measure_from_it(model, tmp_path):
    out = tmp_path / "out"
    train(model, out, lora=4)
    assert (out / "adapter_config.json").is_file()
    assert lines(out)[0]["kl"] == 0
    assert lines(out)[-1]["kl"] > 0
    again = tmp_path / "again"
    shutil.copytree(out, again)
    shutil.rmtree(again / "checkpoint-4")
    train(model, again, lora=4, resume=True)
    assert lines(again) == lines(out)


@pytest.mark.slow
def test_training_goes_on_from_adapters(model, tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    train(model, first, lora=4)
    train(first, second, seed=1)
    assert lines(second)[0]["kl"] == 0
    assert lines(second)[-1]["kl"] > 0
    assert (second / "adapter_config.json").is_file()


@pytest.mark.slow
def test_a_reward_that_can_be_learned_is_learned(model, tmp_path):
    train(model, tmp_path / "out", max_steps=30, epochs=60.0, learning_rate=1e-2, beta=0.0, save_steps=100)
    rewards = [line["reward"] for line in lines(tmp_path / "out")]
    assert sum(rewards[-5:]) / 5 > sum(rewards[:5]) / 5 + 0.06


@pytest.mark.slow
def test_kill_9_and_resume_give_the_same_training(whole, model, tmp_path):
    out = tmp_path / "out"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(SCRIPT.parent), *sys.path])}
    process = subprocess.Popen([sys.executable, SCRIPT, model, out], env=environment, stderr=subprocess.DEVNULL)
    until(lambda: (out / "checkpoint-2" / "complete").exists() and len(lines_so_far(out)) >= 3, process)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (out / "model.safetensors").exists()
    subprocess.run([sys.executable, SCRIPT, model, out, "--resume"], env=environment, check=True, capture_output=True)
    assert lines(out) == lines(whole[0])
    assert same(weights(out), weights(whole[0]))


def lines_so_far(out):
    log = out / "log.jsonl"
    return log.read_text().splitlines() if log.exists() else []


def until(condition, process):
    while not condition():
        assert process.poll() is None
        time.sleep(0.02)
