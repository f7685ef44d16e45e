import json
import logging
import math
from types import SimpleNamespace

from flowreasoner_training.grpo.hazards import HazardWatch
from flowreasoner_training.grpo.log import StepLog
from flowreasoner_training.recipes.schema import GrpoSettings


def logged(path, metrics, **settings):
    events = []
    log = StepLog(path, HazardWatch(GrpoSettings(**settings)), [events.append], epochs=3.0)
    log.on_train_begin(None, SimpleNamespace(global_step=0), None)
    for step, logs in enumerate(metrics, 1):
        state = SimpleNamespace(global_step=step, max_steps=len(metrics), is_world_process_zero=True)
        log.on_log(None, state, None, logs=logs)
    return events


def test_a_line_holds_what_is_a_number_and_json_can_hold(tmp_path):
    path = tmp_path / "log.jsonl"
    events = logged(path, [{"loss": 0.5, "kl": math.nan, "round_1/usd": 0.25}, {"train_runtime": 3.0}])
    (line,) = (json.loads(line, parse_constant=exit) for line in path.read_text().splitlines())
    assert line == {"step": 1, "seconds": line["seconds"], "loss": 0.5, "round_1/usd": 0.25, "epoch": 1.5}
    assert [(event.step, event.steps, event.metrics) for event in events] == [(1, 2, line)]


def test_hazards_are_told_while_training_goes_on(tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        logged(tmp_path / "log.jsonl", [{"loss": 0.0, "advantage_mean": 3.0, "advantage_std": 1.0}] * 12)
    assert [record.getMessage().partition(":")[0] for record in caplog.records] == ["step 10"]
