import sqlite3

import pytest
from distilling import distil
from processes import kill_when, start_script


def lines(path):
    return path.read_text().splitlines() if path.exists() else []


def kept(out):
    with sqlite3.connect(out / "store.sqlite") as store:
        return {key for (key,) in store.execute("SELECT key FROM completions")}


def files(out):
    return {path.name: path.read_bytes() for path in out.rglob("*") if path.is_file() and "store" not in path.name}


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize("finished", [0, 3])
def test_after_kill_9_the_same_command_ends_with_the_same_data_and_repeats_no_call(tmp_path, finished):
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    distil(whole, tmp_path / "whole.log", 0.0)
    process = start_script("distilling.py", cut, tmp_path / "first.log", 0.02)
    kill_when(
        process,
        lambda: len(lines(tmp_path / "first.log")) > 4 and len(lines(cut / "trajectories.jsonl")) >= finished,
    )
    answered = kept(cut)
    assert 0 < len(answered) < len(kept(whole))
    distil(cut, tmp_path / "second.log", 0.0)
    assert not answered & set(lines(tmp_path / "second.log"))
    assert files(cut) == files(whole)
    assert len(lines(cut / "trajectories.jsonl")) == 8
