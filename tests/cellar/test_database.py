"""What is sent past SQLAlchemy, and connections that the server has closed meanwhile."""

from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import Engine, event, text
from sqlalchemy.exc import DataError, IntegrityError, OperationalError

from schoolmeals import database
from schoolmeals.actors import SYSTEM
from schoolmeals.asking import ask
from schoolmeals.clock import system_clock
from schoolmeals.database import db, insert_together, reading, transaction
from schoolmeals.ledger.models import JournalEntry, Posting


def test_rows_come_with_the_names_of_their_columns(app: Flask) -> None:
    with reading(SYSTEM, system_clock()) as look:
        rows = ask(look.session, "SELECT n, n * 2 AS twice FROM generate_series(1, %(last)s) AS n", {"last": 2})
    assert [(row.n, row.twice) for row in rows] == [(1, 2), (2, 4)]


def test_errors_are_those_of_sqlalchemy(app: Flask) -> None:
    with pytest.raises(DataError), reading(SYSTEM, system_clock()) as look:
        ask(look.session, "SELECT 1 / %(zero)s::int", {"zero": 0})


def test_a_broken_key_of_the_second_table_leaves_nothing_of_the_first(app: Flask) -> None:
    school_id, entry_id, now = uuid4(), uuid4(), system_clock()
    entry = {"school_id": school_id, "id": entry_id, "kind": "sale", "at": now, "content_hash": b""}
    ids = {"debit_account_id": uuid4(), "credit_account_id": uuid4()}
    sums = {"debit_balance_after": 0, "credit_balance_after": 0, "debit_version": 1, "credit_version": 1}
    posting = {"school_id": school_id, "entry_id": entry_id, "line": 0, "amount_minor": 1, "at": now, **ids, **sums}
    with pytest.raises(IntegrityError), transaction(SYSTEM, now) as work:
        insert_together(work.session, [(JournalEntry, [entry]), (Posting, [posting])])
    with reading(SYSTEM, now) as look:
        assert look.session.get(JournalEntry, (school_id, entry_id)) is None


def test_listeners_hear_what_goes_straight_to_the_driver(app: Flask) -> None:
    heard: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        heard.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    with reading(SYSTEM, system_clock()) as look:
        ask(look.session, "SELECT 1", {})
    event.remove(db.engine, "before_cursor_execute", note)
    assert heard == ["SELECT 1"]


def test_a_connection_that_the_server_closed_is_not_used_again(app: Flask, owner_engine: Engine) -> None:
    closed = _closed_by_the_server(owner_engine)
    with reading(SYSTEM, system_clock()) as look:
        assert ask(look.session, "SELECT pg_backend_pid() AS pid", {})[0].pid != closed


def test_without_the_look_a_closed_connection_is_used(
    app: Flask, owner_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    _closed_by_the_server(owner_engine)
    monkeypatch.setattr(database, "_is_readable", lambda _file: False)
    with pytest.raises(OperationalError), reading(SYSTEM, system_clock()) as look:
        ask(look.session, "SELECT 1", {})


def test_after_long_idleness_the_server_is_asked(
    app: Flask, owner_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = _closed_by_the_server(owner_engine)
    monkeypatch.setattr(database, "_is_readable", lambda _file: False)
    monkeypatch.setattr(database, "ASK_AFTER_IDLE_SECONDS", -1)
    with reading(SYSTEM, system_clock()) as look:
        assert ask(look.session, "SELECT pg_backend_pid() AS pid", {})[0].pid != closed


def _closed_by_the_server(owner: Engine) -> int:
    """The only connection of an emptied pool, ended by the server while it lay there."""
    db.engine.dispose()
    with db.engine.connect() as connection:
        pid: int = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
    with owner.connect() as other:
        other.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})
    return pid
