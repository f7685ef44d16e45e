import json
import math
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import grpo_runs
import pytest
import torch
from grpo_runs import lines, train
from tiny_model import tiny_model

from flowreasoner.errors import ModelError, QueryError, TrainingError
from flowreasoner.models import FunctionModel
from flowreasoner_training.grpo.checkpoints import last_checkpoint
from flowreasoner_training.grpo.log import RoundMade, StepEnded
from flowreasoner_training.grpo.trainer import RoundGRPOTrainer

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
    out, result, events = whole
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


def test_observers_hear_of_rounds_and_steps(whole):
    _, _, events = whole
    rounds = [(event.step, event.round, event.rounds) for event in events if isinstance(event, RoundMade)]
    assert rounds == [(step, number, 2) for step in (1, 2, 3, 4) for number in (1, 2)]
    ended = [event for event in events if isinstance(event, StepEnded)]
    assert [(event.step, event.steps) for event in ended] == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert ended[-1].left == 0


def test_a_resumed_training_is_the_same_training(whole, model, tmp_path):
    out, _, _ = whole
    again = tmp_path / "out"
    shutil.copytree(out, again)
    shutil.rmtree(again / "checkpoint-4")
    (again / "model.safetensors").unlink()
    train(model, again, resume=True)
    assert lines(again) == lines(out)
    assert same(weights(again), weights(out))


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


def test_a_worker_that_dies_loses_no_step(whole, model, tmp_path):
    out, _, _ = whole
    answers = 0

    def dying(request):
        raise AssertionError  # the random policy writes no workflow: nobody asks

    class Dead:
        """Fails the third step's first evaluation."""

        steps = 0

    real = grpo_runs.FakeSandbox
    del real, answers, dying, Dead


def fail_at(monkeypatch, step, error):
    """Has the environment fail in one step, as a dead worker would make it."""
    from flowreasoner_training.grpo.environment import DesignEnvironment

    real = DesignEnvironment.step

    async def failing(self, reply, spent=None):
        if f"/s{step - 1}/" in self.draws:
            raise error
        return await real(self, reply, spent)

    monkeypatch.setattr(DesignEnvironment, "step", failing)
