from dataclasses import replace

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


def test_what_cannot_be_written_is_not_finished(tmp_path):
    file = OutcomeFile(tmp_path / "outcomes.jsonl", SETTINGS)
    (tmp_path / "outcomes.jsonl").unlink()
    (tmp_path / "outcomes.jsonl").mkdir()
    with pytest.raises(StoreError, match="cannot write to"):
        file.keep(FIRST)
    assert file.finished() == {}
