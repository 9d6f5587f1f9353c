"""Events that wait on disk until a receiver has acknowledged them."""

import contextlib
import os
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from edge_runtime.errors import OutputError

_LOCKED_WAIT_S: Final = 2.0
_WAL_BYTES: Final = 4 * 2**20

# One process owns the file, and a commit is on the disk when it returns.
_PRAGMAS: Final = (
    "PRAGMA locking_mode = EXCLUSIVE",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    f"PRAGMA journal_size_limit = {_WAL_BYTES}",
)
_SCHEMA: Final = (
    "CREATE TABLE IF NOT EXISTS letter ("
    " number INTEGER PRIMARY KEY AUTOINCREMENT, target TEXT NOT NULL, event TEXT NOT NULL, body TEXT NOT NULL,"
    " UNIQUE (target, event))",
    "CREATE INDEX IF NOT EXISTS letter_by_target ON letter (target, number)",
    "CREATE TABLE IF NOT EXISTS dropped (target TEXT PRIMARY KEY, count INTEGER NOT NULL)",
)

_Execute = Callable[..., sqlite3.Cursor]


@dataclass(frozen=True, slots=True)
class Letter:
    """An event on its way to one target.

    Attributes:
        number: Position in the outbox; later letters have higher ones.
        event: Id of the event, the same each time it is sent.
        body: The event as JSON.
    """

    number: int
    event: str
    body: str


class Outbox:
    """A SQLite file of letters, each kept until it is delivered; safe to use from several threads.

    A letter is on the disk when `put` returns: neither the end of the process nor a power cut loses it. Each target
    has at most `limit` letters waiting; beyond that its oldest are dropped and counted.
    """

    def __init__(self, path: Path, limit: int) -> None:
        """Open the file, or make it.

        Args:
            path: The file; it belongs to this process alone until `close`. Only its owner may read a new one.
            limit: Letters that may wait for each target.

        Raises:
            OutputError: It cannot be opened, or another process has it.
        """
        self.path = path
        self._limit = limit
        self._lock = threading.Lock()
        with self._told(), self._lock:
            _make_private(path)
            self._database = sqlite3.connect(path, timeout=_LOCKED_WAIT_S, check_same_thread=False)
            try:
                self._prepare()
            except BaseException:
                self._database.close()
                raise

    def close(self) -> None:
        """Close the file; letters that wait are sent by the next process that opens it."""
        with self._lock:
            self._database.close()

    def put(self, targets: Iterable[str], event: str, body: str) -> None:
        """Keep an event for each target; one that is there already under the same id is left as it is.

        Raises:
            OutputError: It cannot be written.
        """
        with self._changing() as execute:
            for target in targets:
                insert = "INSERT OR IGNORE INTO letter (target, event, body) VALUES (?, ?, ?)"
                self._waiting[target] += execute(insert, (target, event, body)).rowcount
                if (surplus := self._waiting[target] - self._limit) > 0:
                    self._drop(execute, target, surplus)

    def take(self, target: str, most: int) -> list[Letter]:
        """Return the oldest letters for a target; they stay until `remove`."""
        query = "SELECT number, event, body FROM letter WHERE target = ? ORDER BY number LIMIT ?"
        with self._told(), self._lock:
            return [Letter(*row) for row in self._database.execute(query, (target, most))]

    def remove(self, target: str, letter: Letter) -> None:
        """Forget a letter that has been delivered.

        Raises:
            OutputError: The file cannot be written.
        """
        with self._changing() as execute:
            delete = "DELETE FROM letter WHERE number = ?"
            self._waiting[target] -= execute(delete, (letter.number,)).rowcount

    def waiting(self) -> dict[str, int]:
        """Return how many letters wait, by target; also targets of earlier processes."""
        with self._lock:
            return {target: count for target, count in self._waiting.items() if count}

    def dropped(self) -> dict[str, int]:
        """Return how many letters were dropped in all the life of the file, by target."""
        with self._lock:
            return dict(self._dropped)

    def _prepare(self) -> None:
        for statement in (*_PRAGMAS, *_SCHEMA):
            self._database.execute(statement)
        self._database.commit()
        self._count()

    def _count(self) -> None:
        self._waiting = Counter(dict(self._database.execute("SELECT target, COUNT(*) FROM letter GROUP BY target")))
        self._dropped = Counter(dict(self._database.execute("SELECT target, count FROM dropped")))

    def _drop(self, execute: _Execute, target: str, surplus: int) -> None:
        oldest = "SELECT number FROM letter WHERE target = ? ORDER BY number LIMIT ?"
        execute(f"DELETE FROM letter WHERE number IN ({oldest})", (target, surplus))
        add = "INSERT INTO dropped VALUES (?, ?) ON CONFLICT (target) DO UPDATE SET count = count + excluded.count"
        execute(add, (target, surplus))
        self._waiting[target] -= surplus
        self._dropped[target] += surplus

    @contextlib.contextmanager
    def _changing(self) -> Iterator[_Execute]:
        """Run one transaction: all of it happens, or nothing."""
        with self._told(), self._lock:
            try:
                with self._database:
                    yield self._database.execute
            except sqlite3.Error:
                self._count()
                raise

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise OutputError(_explained(self.path, error)) from error


def _make_private(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # SQLite gives its log beside the file the same permissions. Python's own files are not handed on to other programs.
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))


def _explained(path: Path, error: Exception) -> str:
    if "locked" in str(error):
        return f"The outbox {path} is in use by another process; end that one, or give each its own --outbox."
    if isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError):
        return f"The outbox {path} is damaged or no outbox ({error}); move it away, or give another --outbox."
    reason = error.strerror if isinstance(error, OSError) else error
    return f"The outbox {path} cannot be used ({reason}); free some space, check permissions, or give another --outbox."
