"""The run store: one SQLite file with completions, runs and rounds, written as they happen.

Completions are keyed by a hash of model, messages and draw. A run that was killed is repeated with the same
draws: what was finished is answered from here, so that it ends as if it had never been interrupted. Hidden
tests are never written.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from flowreasoner.budget import Spending
from flowreasoner.errors import RunNotFound, StoreError
from flowreasoner.models.base import Completion

try:
    import fcntl
except ImportError:  # not on Windows
    fcntl = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["RunRecord", "RunStatus", "Store", "default_store_path"]

RunStatus = Literal["running", "finished", "failed", "interrupted"]

_APPLICATION_ID = 0x464C5752  # "FLWR"
_VERSION = 1
_SCHEMA = """
CREATE TABLE completions (
    key TEXT PRIMARY KEY, model TEXT NOT NULL, completion TEXT NOT NULL, created REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE runs (
    id TEXT PRIMARY KEY, created REAL NOT NULL, updated REAL NOT NULL, status TEXT NOT NULL,
    title TEXT NOT NULL, settings TEXT NOT NULL, result TEXT
);
CREATE TABLE rounds (
    run TEXT NOT NULL REFERENCES runs(id), number INTEGER NOT NULL, record TEXT NOT NULL,
    PRIMARY KEY (run, number)
) WITHOUT ROWID;
"""


def default_store_path() -> Path:
    """Returns ``$FLOWREASONER_STORE``, or ``runs.sqlite`` in the user's data folder."""
    given = os.environ.get("FLOWREASONER_STORE")
    if given:
        return Path(given).expanduser()
    import platformdirs

    return Path(platformdirs.user_data_dir("flowreasoner", appauthor=False)) / "runs.sqlite"


@dataclass(frozen=True, slots=True)
class RunRecord:
    """What the store knows of a run.

    Attributes:
        id: Its identifier, which sorts by time.
        created: Seconds since the epoch.
        updated: Seconds since the epoch of the last write.
        status: Where it stands.
        title: First line of the query's problem.
        settings: What it takes to repeat it: query source, models, rounds, seed.
        result: The final result, once there is one.
        rounds: Finished rounds.
    """

    id: str
    created: float
    updated: float
    status: RunStatus
    title: str
    settings: dict[str, Any]
    result: dict[str, Any] | None
    rounds: int


class Store:
    """An open store. Several processes may share one file.

    Args:
        path: The file; made with its folder when absent. ``:memory:`` keeps everything in memory.
        readonly: Only look: the file must be there, and nothing is written, also not beside it.

    Raises:
        StoreError: If the file is no store, is damaged, is from a newer version, or cannot be opened. It is
            left as it is.
    """

    def __init__(self, path: str | Path, *, readonly: bool = False) -> None:
        self.path = str(path)
        with self._guarded("open"):
            if readonly:
                self._db = self._only_look()
                return
            if self.path != ":memory:":
                Path(self.path).parent.mkdir(parents=True, exist_ok=True)
                self._look_before_writing()
            self._db = sqlite3.connect(self.path, timeout=30.0, isolation_level=None)
            try:
                self._write_ahead()
                self._db.execute("PRAGMA synchronous = NORMAL")
                self._prepare()
            except BaseException:
                self._db.close()
                raise

    def _only_look(self) -> sqlite3.Connection:
        file = Path(self.path)
        if not file.is_file():
            raise StoreError(f"there is no run store at {self.path}; `flowreasoner solve` makes one")
        in_use = file.with_name(file.name + "-wal").exists()  # somebody writes now, or was killed
        db = self._looking("mode=ro" if in_use else "immutable=1")
        try:
            self._refuse_foreign(db)
        except BaseException:
            db.close()
            raise
        return db

    def _looking(self, how: str) -> sqlite3.Connection:
        return sqlite3.connect(
            f"{Path(self.path).absolute().as_uri()}?{how}", uri=True, timeout=30.0, isolation_level=None
        )

    def _write_ahead(self) -> None:
        """Switches to the write-ahead log; SQLite does not wait for others here, so this does."""
        deadline = time.monotonic() + 30.0
        while True:
            try:
                self._db.execute("PRAGMA journal_mode = WAL")
                return
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or time.monotonic() > deadline:
                    raise
            time.sleep(0.01)

    def _look_before_writing(self) -> None:
        """Refuses a file that is not ours before anything is written to it."""
        file = Path(self.path)
        if not file.exists() or file.stat().st_size == 0:
            return
        with contextlib.closing(self._looking("mode=ro")) as db:
            self._refuse_foreign(db)

    def _refuse_foreign(self, db: sqlite3.Connection) -> None:
        db.execute("BEGIN")  # one view of it all, though another process may be making the store right now
        try:
            self._look_into(db)
        finally:
            db.execute("ROLLBACK")

    def _look_into(self, db: sqlite3.Connection) -> None:
        application = db.execute("PRAGMA application_id").fetchone()[0]
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if application not in {0, _APPLICATION_ID} or (application == 0 and _has_tables(db)):
            raise StoreError(f"{self.path} is a database of another program; pass --store with another path")
        if version > _VERSION:
            raise StoreError(
                f"{self.path} was written by a newer version (format {version}, this one reads {_VERSION}); "
                "update flowreasoner, or pass --store with another path"
            )
        problem = db.execute("PRAGMA quick_check(1)").fetchone()[0]
        if problem != "ok":
            raise sqlite3.DatabaseError(problem)

    def _prepare(self) -> None:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            if not _has_tables(self._db):
                for statement in filter(str.strip, _SCHEMA.split(";")):
                    self._db.execute(statement)
                self._db.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
                self._db.execute(f"PRAGMA user_version = {_VERSION}")
            self._db.execute("COMMIT")
        except BaseException:
            self._db.execute("ROLLBACK")
            raise

    @contextlib.contextmanager
    def _guarded(self, action: str) -> Iterator[None]:
        """Turns SQLite's errors into one sentence with the remedy."""
        try:
            yield
        except (ValueError, TypeError, KeyError) as error:  # a row that no version of ours wrote
            raise StoreError(
                f"cannot {action} the run store {self.path}: it holds a damaged row ({error}); "
                "move the file away, or pass --store with another path"
            ) from error
        except sqlite3.ProgrammingError as error:
            raise StoreError(f"cannot {action} the run store {self.path}: {error}") from error
        except sqlite3.DatabaseError as error:
            text = str(error)
            if "full" in text:
                remedy = "free some space and resume; everything finished so far is saved"
            elif isinstance(error, sqlite3.OperationalError):
                remedy = "check that the file can be written, or pass --store with another path"
            else:
                remedy = "the file is damaged or no store; move it away, or pass --store with another path"
            raise StoreError(f"cannot {action} the run store {self.path}: {text}; {remedy}") from error
        except OSError as error:
            raise StoreError(
                f"cannot {action} the run store {self.path}: {error}; pass --store with another path"
            ) from error

    def close(self) -> None:
        """Closes the file."""
        self._db.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- completions ---

    def completion(self, key: str) -> Completion | None:
        """Returns a kept completion, or None."""
        with self._guarded("read"):
            row = self._db.execute("SELECT completion FROM completions WHERE key = ?", (key,)).fetchone()
            return None if row is None else Completion(**json.loads(row[0]))

    def keep_completion(self, key: str, model: str, completion: Completion) -> None:
        """Writes a completion down; the first one for a key stays."""
        text = json.dumps(completion.to_json())
        with self._guarded("write"):
            self._db.execute("INSERT OR IGNORE INTO completions VALUES (?, ?, ?, ?)", (key, model, text, time.time()))

    def paid(self) -> Spending:
        """Returns what all kept completions cost, each once."""
        with self._guarded("read"):
            rows = self._db.execute("SELECT completion FROM completions")
            return sum((Completion(**json.loads(row[0])).spending for row in rows), Spending())

    # --- runs ---

    def start_run(self, title: str, settings: dict[str, Any]) -> str:
        """Records a new run and returns its id."""
        now = time.time()
        values = (now, now, title, json.dumps(settings))
        with self._guarded("write"):
            while True:
                run = time.strftime("%Y%m%d-%H%M%S-", time.localtime()) + secrets.token_hex(2)
                with contextlib.suppress(sqlite3.IntegrityError):  # the id is taken, where many begin within a second
                    self._db.execute("INSERT INTO runs VALUES (?, ?, ?, 'running', ?, ?, NULL)", (run, *values))
                    return run

    @contextlib.contextmanager
    def claim(self, run: str) -> Iterator[None]:
        """Keeps other processes from working on a run at the same time; a process that ends gives it up.

        Raises:
            StoreError: If another process works on it.
        """
        if self.path == ":memory:" or fcntl is None:
            yield
            return
        place = int.from_bytes(hashlib.sha256(run.encode()).digest()[:4], "big")
        with self._guarded("open"):
            file = Path(f"{self.path}-lock").open("ab")  # noqa: SIM115 - closed below
        with file:
            try:
                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, place)
            except OSError:
                raise StoreError(f"run {run} is in progress in another process; wait for it, or stop it") from None
            yield

    def end_run(self, run: str, status: RunStatus, result: dict[str, Any] | None = None) -> None:
        """Records how a run ended."""
        text = None if result is None else json.dumps(result)
        with self._guarded("write"):
            self._db.execute(
                "UPDATE runs SET status = ?, result = ?, updated = ? WHERE id = ?", (status, text, time.time(), run)
            )

    def keep_round(self, run: str, number: int, record: dict[str, Any]) -> None:
        """Writes a finished round down."""
        with self._guarded("write"):
            self._db.execute("INSERT OR REPLACE INTO rounds VALUES (?, ?, ?)", (run, number, json.dumps(record)))
            self._db.execute("UPDATE runs SET updated = ? WHERE id = ?", (time.time(), run))

    def rounds(self, run: str) -> list[dict[str, Any]]:
        """Returns the finished rounds of a run, in order."""
        with self._guarded("read"):
            rows = self._db.execute("SELECT record FROM rounds WHERE run = ? ORDER BY number", (run,)).fetchall()
            return [_object(row[0]) for row in rows]

    def runs(self, limit: int = 50) -> list[RunRecord]:
        """Returns the latest runs, newest first."""
        with self._guarded("read"):
            rows = self._db.execute(f"{_SELECT_RUN} ORDER BY created DESC, id DESC LIMIT ?", (limit,)).fetchall()
            return [_record(row) for row in rows]

    def run(self, run: str) -> RunRecord:
        """Returns one run, by its id or the unambiguous start of it, or ``last``.

        Raises:
            RunNotFound: If there is none, or more than one.
        """
        if run == "last":
            found = self.runs(1)
        else:
            with self._guarded("read"):
                pattern = run.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_") + "%"
                rows = self._db.execute(f"{_SELECT_RUN} WHERE id LIKE ? ESCAPE '\\' LIMIT 2", (pattern,)).fetchall()
                found = [_record(row) for row in rows]
        if len(found) == 1:
            return found[0]
        what = "no run" if not found else "more than one run"
        raise RunNotFound(f"{what} matches {run!r} in {self.path}; `flowreasoner runs list` shows them")


_SELECT_RUN = """SELECT id, created, updated, status, title, settings, result,
    (SELECT count(*) FROM rounds WHERE rounds.run = runs.id) FROM runs"""


def _record(row: tuple[Any, ...]) -> RunRecord:
    run, created, updated, status, title, settings, result, rounds = row
    parsed = None if result is None else _object(result)
    return RunRecord(run, float(created), float(updated), status, title, _object(settings), parsed, rounds)


def _object(text: str) -> dict[str, Any]:
    value = json.loads(text)
    if not isinstance(value, dict):
        raise TypeError(f"not an object: {value!r:.40}")
    return value


def _has_tables(db: sqlite3.Connection) -> bool:
    return db.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone() is not None
