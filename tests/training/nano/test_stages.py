"""The miniature's own stages: what they leave, and what an interruption costs."""

import json

import pytest

pytest.importorskip("transformers")

from flowreasoner_training.nano import stages
from flowreasoner_training.recipes.schema import NanoModel, NanoSettings

SETTINGS = NanoSettings(worker=NanoModel(width=32, layers=1, vocabulary=640), lessons=120)


class Killed(Exception):
    pass


def test_steps_that_an_interruption_cost_are_logged_once(tmp_path, monkeypatch):
    """The state is saved every hundred steps, the log grows every fifty."""

    def pretrain(*_, report, first, last, **__):
        for step in range(first, last + 1):
            report(step, 300, 1.0)
        if last < 300:
            raise Killed

    def run(first, last):
        monkeypatch.setattr(
            stages, "pretrain", lambda *given, **named: pretrain(*given, first=first, last=last, **named)
        )
        return stages.train_worker(SETTINGS, 0, tmp_path, lambda _: None)

    with pytest.raises(Killed):
        run(1, 260)
    facts = run(201, 300)
    steps = [json.loads(line)["step"] for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert steps == [50, 100, 150, 200, 250, 300]
    assert facts["parameters"] > 0
    assert (tmp_path / "embedded" / "weights.npz").exists()
