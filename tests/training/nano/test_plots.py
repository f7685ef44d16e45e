import json
import struct

import pytest
from outcomes import an_outcome, some_results

from flowreasoner.errors import QueryError
from flowreasoner_training.nano.logs import read_log
from flowreasoner_training.nano.summary import summarise

plots = pytest.importorskip("flowreasoner_training.nano.plots", reason="needs matplotlib")


def write_log(path, steps=12, **values):
    path.write_text("".join(json.dumps({"step": n, "reward": n / 10} | values) + "\n" for n in range(steps)))
    return path


def test_all_pictures_are_drawn_at_the_width_of_a_page(tmp_path):
    logs = {name: [write_log(tmp_path / f"{name}{seed}", 10 + seed) for seed in (0, 1)] for name in ("grpo", "outcome")}
    drawn = plots.draw_all(some_results(), logs, tmp_path / "pictures")
    assert list(drawn) == ["contenders", "depth", "learning"]
    for file in drawn.values():
        data = (tmp_path / "pictures" / file).read_bytes()
        assert data.startswith(b"\x89PNG")
        width, height = struct.unpack(">II", data[16:24])
        assert width == 1350
        assert 300 < height < 1200
        assert len(data) < 300_000


def test_the_same_results_give_the_same_files(tmp_path):
    results = some_results()
    first, second = (plots.draw_all(results, {}, tmp_path / name) for name in "ab")
    assert list(first) == ["contenders", "depth"]
    for file in first.values():
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()
    assert first == second


def test_what_is_not_there_is_not_drawn(tmp_path):
    plain = some_results(summary=summarise([an_outcome(query=f"q{number}", depth=None) for number in range(3)]))
    assert list(plots.draw_all(plain, {"grpo": []}, tmp_path)) == ["contenders"]


def test_a_curve_is_a_running_mean_without_gaps(tmp_path):
    log = [
        {"step": 1.0, "reward": 1.0},
        {"step": 2.0},
        {"step": 3.0, "reward": float("nan")},
        {"step": 4.0, "reward": 3.0},
    ]
    assert plots._curve(log, "reward") == ([1, 4], [1, 2])
    assert plots._curve(log, "valid") is None


def test_a_log_is_read_with_torn_and_repeated_lines(tmp_path):
    path = tmp_path / "log.jsonl"
    lines = [
        '{"step": 1, "reward": 0.1, "note": "x"}',
        '{"step": 2, "rew',
        "[]",
        '{"step": 2, "a": 1}',
        '{"step": 1, "b": 2}',
    ]
    path.write_text("\n".join(lines))
    assert read_log(path) == [{"step": 1, "b": 2}, {"step": 2, "a": 1}]


@pytest.mark.parametrize("text", ["", '{"loss": 1}\n', "hello"])
def test_a_file_that_is_no_log_is_named(tmp_path, text):
    path = tmp_path / "log.jsonl"
    path.write_text(text)
    with pytest.raises(QueryError, match=r"log\.jsonl' has no line with a step"):
        read_log(path)
    with pytest.raises(QueryError, match="cannot read the log"):
        read_log(tmp_path / "absent")
