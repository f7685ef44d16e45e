import json
from dataclasses import replace
from pathlib import Path

import pytest
from outcomes import an_outcome

from flowreasoner.comparison import OutcomeFile
from flowreasoner.errors import QueryError, StoreError

SETTINGS = {"rounds": 4, "worker": "sim:"}
FIRST, SECOND = an_outcome(seed=0), replace(an_outcome(seed=1), run_calls=None, complexity=None, error="none")


@pytest.fixture
def path(tmp_path):
    file = OutcomeFile(tmp_path / "new" / "outcomes.jsonl", SETTINGS)
    for outcome in (FIRST, SECOND):
        file.keep(outcome)
    return file.path


def test_what_was_kept_is_there_again(path):
    assert OutcomeFile(path, SETTINGS).finished() == {FIRST.key: FIRST, SECOND.key: SECOND}


@pytest.mark.parametrize("cut", [1, 20, 100])
def test_a_torn_last_line_is_dropped_and_written_anew(path, cut):
    whole = path.read_bytes()
    path.write_bytes(whole[:-cut])
    file = OutcomeFile(path, SETTINGS)
    assert list(file.finished().values()) == [FIRST]
    file.keep(SECOND)
    assert path.read_bytes() == whole


def test_a_torn_first_line_is_an_empty_file(path):
    path.write_bytes(path.read_bytes()[:5])
    assert OutcomeFile(path, SETTINGS).finished() == {}
    assert json.loads(path.read_text()) == SETTINGS


@pytest.mark.parametrize(
    "settings", [{"rounds": 5, "worker": "sim:"}, {"worker": "sim:"}, {**SETTINGS, "rounds": None}]
)
def test_other_settings_are_refused_by_name(path, settings):
    with pytest.raises(QueryError, match="made with rounds 4, not"):
        OutcomeFile(path, settings)


@pytest.mark.parametrize(
    "text",
    ["hello\n", "a line without an end", '{"rounds": 4, "worker": "sim:"}\n{"contender": "a"}\n', "[]\n", "\xff\n"],
)
def test_another_kind_of_file_is_refused_and_left_alone(tmp_path, text):
    path = tmp_path / "other"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(QueryError, match="is no file of outcomes"):
        OutcomeFile(path, SETTINGS)
    assert path.read_text(encoding="latin-1") == text


def test_a_folder_that_cannot_be_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"cannot use .*outcomes"):
        OutcomeFile(tmp_path / "file" / "outcomes.jsonl", SETTINGS)


def test_a_full_disk_is_an_error_that_says_how_to_go_on(tmp_path):
    file = OutcomeFile(tmp_path / "outcomes.jsonl", SETTINGS)
    file.path = Path("/dev/full")
    with pytest.raises(StoreError, match=r"No space left.*what is finished is kept"):
        file.keep(FIRST)
    assert file.finished() == {}
