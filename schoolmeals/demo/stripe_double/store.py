"""What the double remembers: JSON documents in SQLite, so that several server processes see the same bank."""

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

Document = dict[str, Any]

_TABLE: Final = """
    CREATE TABLE IF NOT EXISTS document (
        serial INTEGER PRIMARY KEY AUTOINCREMENT,
        kind TEXT NOT NULL, id TEXT NOT NULL, due_s REAL, body TEXT NOT NULL,
        UNIQUE (kind, id));
    CREATE INDEX IF NOT EXISTS document_due ON document (kind, due_s) WHERE due_s IS NOT NULL;
"""
_LOCK_WAIT_S: Final = 30


class Shelf:
    """The documents inside one exclusive transaction. What is handed out is a copy; ``put`` brings it back."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def put(self, kind: str, document_id: str, body: Document, *, due_s: float | None = None) -> None:
        """Write a document. ``due_s`` (epoch seconds) makes :meth:`due` find it."""
        self._connection.execute(
            "INSERT INTO document (kind, id, due_s, body) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (kind, id) DO UPDATE SET due_s = excluded.due_s, body = excluded.body",
            (kind, document_id, due_s, json.dumps(body)),
        )

    def get(self, kind: str, document_id: str) -> Document | None:
        """The document of that kind and id, or None."""
        row = self._connection.execute(
            "SELECT body FROM document WHERE kind = ? AND id = ?", (kind, document_id)
        ).fetchone()
        return None if row is None else json.loads(row[0])

    def remove(self, kind: str, document_id: str) -> None:
        """Forget a document."""
        self._connection.execute("DELETE FROM document WHERE kind = ? AND id = ?", (kind, document_id))

    def newest(self, kind: str) -> Iterator[Document]:
        """All of a kind, the newest first."""
        rows = self._connection.execute("SELECT body FROM document WHERE kind = ? ORDER BY serial DESC", (kind,))
        return (json.loads(row[0]) for row in rows.fetchall())

    def due(self, kind: str, now_s: float) -> list[Document]:
        """Those of a kind that are due by now, in the order of their due times."""
        rows = self._connection.execute(
            "SELECT body FROM document WHERE kind = ? AND due_s <= ? ORDER BY due_s, serial", (kind, now_s)
        )
        return [json.loads(row[0]) for row in rows.fetchall()]


class Store:
    """Documents in ``folder``, or in memory where it is None. Threads and, with a folder, processes may share it."""

    def __init__(self, folder: Path | None) -> None:
        self._lock = threading.Lock()
        self._path: Path | None = None
        self._memory: sqlite3.Connection | None = None
        if folder is None:
            self._memory = _connect(":memory:")
            self._memory.executescript(_TABLE)
            return
        if not folder.exists():
            folder.mkdir(parents=True, mode=0o700)
        self._path = folder / "stripe-double.sqlite"
        with closing(_connect(str(self._path))) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.executescript(_TABLE)
        self._path.chmod(0o600)

    @contextmanager
    def working(self) -> Iterator[Shelf]:
        """One exclusive transaction: all of it is kept, or nothing where an error leaves it."""
        with self._lock:
            connection = self._memory or _connect(str(self._path))
            try:
                connection.execute("BEGIN IMMEDIATE")
                # The connection's own context manager commits, or rolls back on an error.
                with connection:
                    yield Shelf(connection)
            finally:
                if self._memory is None:
                    connection.close()

    def close(self) -> None:
        """Let go of a store in memory."""
        if self._memory is not None:
            self._memory.close()


def _connect(where: str) -> sqlite3.Connection:
    return sqlite3.connect(where, isolation_level=None, timeout=_LOCK_WAIT_S, check_same_thread=False)
