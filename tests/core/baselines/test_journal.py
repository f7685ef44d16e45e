import json

import pytest
from fittings import QUERIES, bench, level, workflow_of

from flowreasoner.baselines.aflow import AFlow
from flowreasoner.baselines.journal import FittingJournal, fitting_settings
from flowreasoner.budget import Budget, Spending
from flowreasoner.errors import BudgetExceeded, QueryError, StoreError
from flowreasoner.models import ScriptedModel

ONE_CALL = Spending(calls=1, model_calls=1, usd=0.25)


def open_journal(folder, settings=None, at=None):
    return FittingJournal(folder, settings or {"seed": 0}, at or bench(ScriptedModel([])))


async def work(value, at, spent=ONE_CALL):
    at.meter.charge(spent)
    return value


async def test_finished_work_is_not_done_again(tmp_path):
    at = bench(ScriptedModel([]))
    with open_journal(tmp_path, at=at) as journal:
        assert await journal.once("a", lambda: work([1, 2], at)) == [1, 2]
        assert await journal.once("a", lambda: work("other", at)) == [1, 2]
    again = bench(ScriptedModel([]))
    with open_journal(tmp_path, at=again) as journal:
        assert await journal.once("a", lambda: work("other", again)) == [1, 2]
        assert journal.spent == ONE_CALL
        await journal.once("b", lambda: work(None, again))
    assert journal.spent == ONE_CALL + ONE_CALL
    assert again.meter.spent == ONE_CALL + ONE_CALL, "the budget knows what earlier sessions spent"


async def test_work_that_fails_is_not_kept_but_what_it_cost_is(tmp_path):
    at = bench(ScriptedModel([]))

    async def fail():
        at.meter.charge(ONE_CALL)
        raise KeyError("no")

    with pytest.raises(KeyError), open_journal(tmp_path, at=at) as journal:
        await journal.once("a", fail)
    with open_journal(tmp_path) as journal:
        assert journal.spent == ONE_CALL
        assert await journal.once("a", lambda: work(5, at, Spending())) == 5


async def test_reading_alone_writes_nothing(tmp_path):
    with open_journal(tmp_path) as journal:
        await journal.once("a", lambda: work(1, bench(ScriptedModel([]))))
    before = journal.path.read_bytes()
    with open_journal(tmp_path) as journal:
        await journal.once("a", lambda: work(2, bench(ScriptedModel([]))))
    assert journal.path.read_bytes() == before


@pytest.mark.parametrize("cut", [1, 30, 60])
async def test_a_torn_last_line_is_dropped_and_the_rest_goes_on(tmp_path, cut):
    at = bench(ScriptedModel([]))
    with open_journal(tmp_path, at=at) as journal:
        await journal.once("a", lambda: work("kept", at))
        await journal.once("b", lambda: work("torn", at))
    journal.path.write_bytes(journal.path.read_bytes()[:-cut])
    with open_journal(tmp_path) as journal:
        assert journal.spent == ONE_CALL
        assert await journal.once("a", lambda: work("new", at)) == "kept"
        assert await journal.once("b", lambda: work("new", at)) == "new"
    assert [json.loads(line).get("key") for line in journal.path.read_text().splitlines()] == [None, "a", "b"]


async def test_a_torn_first_line_is_begun_anew(tmp_path):
    (tmp_path / "journal.jsonl").write_text('{"see')
    with open_journal(tmp_path) as journal:
        assert journal.path.read_text() == '{"seed": 0}\n'


@pytest.mark.parametrize(
    "text", ["something else", "something else\n", '{"seed": 0}\n[1]\n', '{"seed": 0}\n{"key": 1}\n']
)
def test_what_is_no_journal_is_refused_and_left_alone(tmp_path, text):
    (tmp_path / "journal.jsonl").write_text(text)
    with pytest.raises(QueryError, match="is no journal of a fitting"):
        open_journal(tmp_path)
    assert (tmp_path / "journal.jsonl").read_text() == text


def test_another_fitting_is_refused(tmp_path):
    open_journal(tmp_path, {"seed": 0, "sample": 4})
    with pytest.raises(QueryError, match=r"begun with sample 4, not 3"):
        open_journal(tmp_path, {"seed": 0, "sample": 3})


def test_a_folder_that_cannot_be_used_is_a_store_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"cannot use .* as a journal of a fitting"):
        open_journal(tmp_path / "file")


async def test_money_that_earlier_sessions_spent_is_spent(tmp_path):
    at = bench(ScriptedModel([]), usd=0.3)
    with open_journal(tmp_path, at=at) as journal:
        await journal.once("a", lambda: work(1, at))
    again = bench(ScriptedModel([]), usd=0.2)
    with open_journal(tmp_path, at=again) as journal:
        assert await journal.once("a", lambda: work(2, again)) == 1, "what is finished can still be read"
        with pytest.raises(BudgetExceeded):
            again.meter.permit()


@pytest.mark.parametrize(
    ("change", "matters"),
    [
        (lambda at: {"method": AFlow(sample=3)}, True),
        (lambda at: {"method": AFlow(start=workflow_of(level(2)))}, True),
        (lambda at: {"method": AFlow(concurrency=1)}, False),
        (lambda at: {"queries": QUERIES[:3]}, True),
        (lambda at: {"bench": bench(ScriptedModel([], name="other:"))}, True),
        (lambda at: {"bench": bench(ScriptedModel([]), seed=1)}, True),
        (lambda at: {"bench": bench(ScriptedModel([]), budget=Budget(calls=3))}, True),
        (lambda at: {"bench": bench(ScriptedModel([]), usd=5.0)}, False),
    ],
)
def test_settings_are_all_that_a_result_depends_on(change, matters):
    at = bench(ScriptedModel([]))
    same = {"method": AFlow(), "queries": QUERIES, "bench": at}
    assert (fitting_settings(**same) != fitting_settings(**{**same, **change(at)})) == matters
    json.dumps(fitting_settings(**same))
