import json
import re

import pytest

from flowreasoner.budget import Budget, Meter, Spending
from flowreasoner.errors import StoreError
from flowreasoner_training.baselines.scoreflow.journal import Candidate, SampleJournal

MADE = [Candidate("a reply", 0.5, True), Candidate("another", 0.0, False)]


def kept(path):
    meter, journal = Meter(Budget.unlimited()), SampleJournal(path, {"seed": 0})
    journal.follow(meter)
    for query, spending in enumerate([Spending(usd=1.0), Spending(calls=2)]):
        meter.charge(spending)
        journal.keep(1, query, MADE)
    return journal, meter


def test_candidates_spending_and_time_are_read_back(tmp_path):
    journal, meter = kept(tmp_path / "new" / "journal.jsonl")
    meter.charge(Spending(model_calls=1))
    journal.keep_rest()
    again = SampleJournal(tmp_path / "new" / "journal.jsonl", {"seed": 0})
    assert again.sampled(1) == journal.sampled(1) == {0: tuple(MADE), 1: tuple(MADE)}
    assert again.sampled(2) == {}
    assert again.spent == journal.spent == Spending(usd=1.0, calls=2, model_calls=1)
    assert again.seconds == journal.seconds > 0


def test_what_was_charged_before_it_follows_is_not_its_own(tmp_path):
    meter, journal = Meter(Budget.unlimited()), SampleJournal(tmp_path / "journal.jsonl", {})
    meter.charge(Spending(usd=5.0))
    journal.follow(meter)
    journal.keep_rest()
    assert journal.spent == Spending()


def test_a_torn_line_is_dropped(tmp_path):
    path = tmp_path / "journal.jsonl"
    kept(path)
    whole = path.read_bytes()
    path.write_bytes(whole[:-9])
    assert list(SampleJournal(path, {"seed": 0}).sampled(1)) == [0]
    assert whole.startswith(path.read_bytes())
    path.write_bytes(whole[:5])  # killed while the settings were written
    assert SampleJournal(path, {"seed": 0}).sampled(1) == {}
    assert json.loads(path.read_text()) == {"seed": 0}


def test_another_fitting_is_refused_and_left_as_it_is(tmp_path):
    path = tmp_path / "journal.jsonl"
    kept(path)
    before = path.read_bytes()
    with pytest.raises(StoreError, match=re.escape("was begun with seed 0, not 1; repeat with the same to go on")):
        SampleJournal(path, {"seed": 1})
    assert path.read_bytes() == before


@pytest.mark.parametrize("text", ["[1]\n", "no JSON\n", '{"seed": 0}\n{"spent": 1}\n', '{"seed": 0}\n7\n', "torn"])
def test_a_file_that_is_no_journal_is_refused(tmp_path, text):
    path = tmp_path / "journal.jsonl"
    path.write_text(text)
    with pytest.raises(StoreError, match="is no journal of ScoreFlow"):
        SampleJournal(path, {"seed": 0})
    assert path.read_text() == text


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"cannot use .* for a fitting"):
        SampleJournal(tmp_path / "file" / "journal.jsonl", {})
