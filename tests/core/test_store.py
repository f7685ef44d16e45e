import json
import multiprocessing
import sqlite3
import time

import pytest

from flowreasoner.budget import Spending
from flowreasoner.errors import StoreError
from flowreasoner.models import CachedModel, ChatRequest, Completion, FunctionModel
from flowreasoner.store import Store, default_store_path

COMPLETION = Completion("text", "thoughts", 10, 20, 0.5, estimated=True)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "deep" / "store.sqlite"


def test_completions_come_back_as_they_were(path):
    with Store(path) as store:
        assert store.completion("k") is None
        store.keep_completion("k", "m", COMPLETION)
        store.keep_completion("k", "m", Completion("a later one"))
    with Store(path) as store:
        assert store.completion("k") == COMPLETION


def test_what_was_paid_counts_each_completion_once(path):
    with Store(path) as store:
        assert store.paid() == Spending()
        store.keep_completion("a", "m", COMPLETION)
        store.keep_completion("a", "m", Completion("again", usd=9.0))
        store.keep_completion("b", "m", Completion("unpriced"))
        assert store.paid() == Spending(model_calls=2, input_tokens=10, output_tokens=20, usd=0.5, unpriced_calls=1)


def test_runs_and_rounds_come_back_in_order(path):
    with Store(path) as store:
        first = store.start_run("first", {"seed": 1})
        second = store.start_run("second", {"seed": 2})
        store.keep_round(second, 2, {"number": 2})
        store.keep_round(second, 1, {"number": 1})
        store.end_run(second, "finished", {"score": 1.0})
        assert [record.id for record in store.runs()][-1] == first
        record = store.run(second)
        assert (record.status, record.title, record.rounds) == ("finished", "second", 2)
        assert (record.settings, record.result) == ({"seed": 2}, {"score": 1.0})
        assert store.rounds(second) == [{"number": 1}, {"number": 2}]
        assert store.run(first).status == "running"


def test_runs_that_begin_within_a_second_have_ids_of_their_own(path, monkeypatch):
    drawn = iter(["aaaa", "aaaa", "aaaa", "bbbb"])
    monkeypatch.setattr("flowreasoner.store.secrets.token_hex", lambda _: next(drawn))
    monkeypatch.setattr("flowreasoner.store.time.strftime", lambda *_: "20260101-000000-")
    with Store(path) as store:
        assert [store.start_run(title, {}) for title in "ab"] == ["20260101-000000-aaaa", "20260101-000000-bbbb"]
        assert [record.title for record in store.runs()] == ["b", "a"]


def test_a_run_is_found_by_the_start_of_its_id_or_as_last(path):
    with Store(path) as store:
        with pytest.raises(StoreError, match="no run matches 'last'"):
            store.run("last")
        run = store.start_run("t", {})
        assert store.run(run[:10]).id == store.run("last").id == run
        with pytest.raises(StoreError, match="no run matches '%'"):
            store.run("%")
        store.start_run("t", {})
        with pytest.raises(StoreError, match="more than one run matches '2'"):
            store.run("2")


def test_a_damaged_file_is_refused_and_left_as_it_is(path):
    path.parent.mkdir()
    path.write_bytes(b"this is no database" * 100)
    with pytest.raises(StoreError, match=r"the file is damaged or no store; move it away, or pass --store"):
        Store(path)
    assert path.read_bytes() == b"this is no database" * 100


def test_a_store_that_is_damaged_inside_is_refused(path):
    with Store(path) as store:
        for number in range(200):
            store.keep_completion(f"k{number}", "m", Completion("x" * 200))
        store._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    data = bytearray(path.read_bytes())
    data[8192:16384] = b"\xff" * 8192
    path.write_bytes(data)
    with pytest.raises(StoreError, match="the file is damaged or no store"):
        Store(path)
    assert path.read_bytes() == bytes(data)


def test_a_newer_store_is_refused_and_left_as_it_is(path):
    Store(path).close()
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    before = path.read_bytes()
    with pytest.raises(
        StoreError, match=r"written by a newer version \(format 99, this one reads 1\); update flowreasoner"
    ):
        Store(path)
    assert path.read_bytes() == before


def test_another_programs_database_is_refused(path):
    path.parent.mkdir()
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE precious (x)")
    db.close()
    with pytest.raises(StoreError, match="is a database of another program"):
        Store(path)


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"cannot open the run store .*file/store.sqlite"):
        Store(tmp_path / "file" / "store.sqlite")


def test_a_full_disk_is_reported_and_loses_nothing(path):
    with Store(path) as store:
        store.keep_completion("before", "m", COMPLETION)
        pages = store._db.execute("PRAGMA page_count").fetchone()[0]
        store._db.execute(f"PRAGMA max_page_count = {pages + 1}")
        with pytest.raises(StoreError, match="disk is full; free some space and resume; everything finished so far"):
            store.keep_completion("too large", "m", Completion("x" * 50_000))
    with Store(path) as store:
        assert store.completion("before") == COMPLETION


@pytest.mark.parametrize(
    ("statement", "read"),
    [
        ("UPDATE completions SET completion = '{\"text\": 1'", lambda store: store.completion("k")),
        ("UPDATE completions SET completion = '{\"nonsense\": 1}'", lambda store: store.completion("k")),
        ("UPDATE completions SET completion = x'ff00'", lambda store: store.completion("k")),
        ("UPDATE rounds SET record = '[]'", lambda store: store.rounds(store.run("last").id)),
        ("UPDATE runs SET settings = 'null'", lambda store: store.runs()),
        ("UPDATE runs SET created = 'yesterday'", lambda store: store.run("last")),
        ("UPDATE runs SET result = '{'", lambda store: store.run("2")),
    ],
)
def test_a_damaged_row_is_a_store_error(path, statement, read):
    with Store(path) as store:
        store.keep_completion("k", "m", COMPLETION)
        store.keep_round(store.start_run("t", {}), 1, {"number": 1})
        store._db.execute(statement)
        with pytest.raises(StoreError, match=r"holds a damaged row \(.*\); move the file away"):
            read(store)


def test_a_store_that_is_only_looked_at_is_left_as_it_is(path):
    with pytest.raises(StoreError, match="there is no run store at"):
        Store(path, readonly=True)
    assert not path.parent.exists()
    with Store(path) as store:
        run = store.start_run("t", {})
        with Store(path, readonly=True) as looking:  # somebody else has it open
            assert looking.run("last").id == run
    before = {file.name: file.read_bytes() for file in path.parent.iterdir()}
    with Store(path, readonly=True) as store:
        assert store.run("last").id == run
        with pytest.raises(StoreError, match="readonly"):
            store.start_run("t", {})
    assert {file.name: file.read_bytes() for file in path.parent.iterdir()} == before


def _open(path, rounds):
    for number in range(rounds):
        Store(path.with_name(f"store-{number}.sqlite")).close()


def test_several_processes_may_make_the_same_store_at_once(path):
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_open, args=(path, 40)) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0


def _write(path, start, count):
    with Store(path) as store:
        for number in range(start, start + count):
            store.keep_completion(f"k{number}", "m", Completion(str(number)))


def test_two_processes_share_one_store(path):
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_write, args=(path, start, 200)) for start in (0, 100, 200)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0
    with Store(path) as store:
        assert [store.completion(f"k{number}").text for number in range(400)] == [str(n) for n in range(400)]


def test_the_default_path_follows_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("FLOWREASONER_STORE", str(tmp_path / "x.sqlite"))
    assert default_store_path() == tmp_path / "x.sqlite"
    monkeypatch.delenv("FLOWREASONER_STORE")
    assert default_store_path() == tmp_path / "data" / "flowreasoner" / "runs.sqlite"


async def test_a_cached_model_asks_once_per_draw(path):
    inner = FunctionModel(lambda request: f"reply {request.draw}")
    with Store(path) as store:
        model = CachedModel(inner, store)
        first = await model.complete(ChatRequest.ask("q", draw="1"))
        again = await model.complete(ChatRequest.ask("q", draw="1"))
        other = await model.complete(ChatRequest.ask("q", draw="2"))
    assert (first.text, first.cached) == ("reply 1", False)
    assert (again.text, again.cached) == ("reply 1", True)
    assert other.text == "reply 2"
    assert len(inner.history) == 2


def test_what_is_stored_is_json(path):
    with Store(path) as store:
        store.keep_completion("k", "m", COMPLETION)
        (text,) = store._db.execute("SELECT completion FROM completions").fetchone()
    assert json.loads(text)["text"] == "text"


def _claim(path, run, taken):
    with Store(path) as store:
        try:
            with store.claim(run):
                taken.put("claimed")
                time.sleep(60)
        except StoreError as error:
            taken.put(str(error))


def test_a_run_is_worked_on_by_one_process_which_gives_it_up_when_killed(path):
    context = multiprocessing.get_context("spawn")
    taken = context.Queue()
    with Store(path) as store:
        run = store.start_run("t", {})
        other = context.Process(target=_claim, args=(path, run, taken))
        other.start()
        assert taken.get(timeout=60) == "claimed"
        with pytest.raises(StoreError, match=f"run {run} is in progress in another process"), store.claim(run):
            pass
        with store.claim(store.start_run("u", {})):
            pass  # another run is nobody's
        other.kill()
        other.join(60)
        with store.claim(run):
            pass
