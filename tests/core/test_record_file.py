import json
from pathlib import Path

import pytest

from flowreasoner.errors import QueryError, StoreError
from flowreasoner.record_file import RecordFile

SETTINGS = {"rounds": 4, "worker": "sim:"}
RECORDS = [{"seed": 0}, {"seed": 1, "error": "none"}]


def opened(path, settings=SETTINGS):
    return RecordFile(path, settings, "file of things")


@pytest.fixture
def path(tmp_path):
    file = opened(tmp_path / "new" / "things.jsonl")
    for record in RECORDS:
        file.append(record)
    return file.path


def test_what_was_written_is_there_again(path):
    assert opened(path).found == RECORDS


@pytest.mark.parametrize("cut", [1, 10, 25])
def test_a_torn_last_line_is_dropped_and_written_anew(path, cut):
    whole = path.read_bytes()
    path.write_bytes(whole[:-cut])
    file = opened(path)
    assert file.found == RECORDS[:1]
    file.append(RECORDS[1])
    assert path.read_bytes() == whole


def test_a_torn_first_line_is_an_empty_file(path):
    path.write_bytes(path.read_bytes()[:5])
    assert opened(path).found == []
    assert json.loads(path.read_text()) == SETTINGS


@pytest.mark.parametrize(
    "settings", [{"rounds": 5, "worker": "sim:"}, {"worker": "sim:"}, {**SETTINGS, "rounds": None}]
)
def test_other_settings_are_refused_by_name(path, settings):
    with pytest.raises(QueryError, match="was begun with rounds 4, not"):
        opened(path, settings)


@pytest.mark.parametrize("text", ["hello\n", "a line without an end", "[]\n", "\xff\n"])
def test_another_kind_of_file_is_refused_and_left_alone(tmp_path, text):
    path = tmp_path / "other"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(QueryError, match="is no file of things; name another, or remove it"):
        opened(path)
    assert path.read_text(encoding="latin-1") == text


def test_a_folder_that_cannot_be_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"cannot use .*things\.jsonl' as a file of things"):
        opened(tmp_path / "file" / "things.jsonl")


def test_a_full_disk_is_an_error_that_says_how_to_go_on(tmp_path):
    file = opened(tmp_path / "things.jsonl")
    file.path = Path("/dev/full")
    with pytest.raises(StoreError, match=r"No space left.*what is finished is kept"):
        file.append(RECORDS[0])
