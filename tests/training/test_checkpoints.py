import pytest

from flowreasoner_training.checkpoints import keep_lines, kept, last_checkpoint, mark_whole, remove_broken, step_of


@pytest.fixture
def folder(tmp_path):
    for step in (2, 9, 10, 11):
        (tmp_path / f"checkpoint-{step}").mkdir()
    for step in (2, 9, 10):
        mark_whole(tmp_path, step)
    return tmp_path


def test_the_last_whole_checkpoint_counts(folder):
    assert last_checkpoint(folder) == folder / "checkpoint-10"
    assert step_of(last_checkpoint(folder)) == 10
    assert str(folder / "checkpoint-10") in kept(folder)
    remove_broken(folder)
    assert sorted(step_of(path) for path in folder.iterdir()) == [2, 9, 10]


def test_without_any_training_begins_anew(tmp_path):
    assert last_checkpoint(tmp_path) is None
    assert step_of(None) == 0
    assert kept(tmp_path) == "no checkpoint was written yet"


def test_a_log_is_cut_after_the_checkpoint(tmp_path):
    log = tmp_path / "log.jsonl"
    keep_lines(log, 3)
    assert not log.exists()
    log.write_text('{"step": 2}\nrubbish\n{"step": 3}\n{"step": 4}\n[]\n{"step": 1')
    keep_lines(log, 3)
    assert log.read_text() == '{"step": 2}\n{"step": 3}\n'
