"""What is sent past SQLAlchemy, and connections that the server has closed meanwhile."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import Engine, event, text
from sqlalchemy.exc import DataError, IntegrityError, OperationalError

from schoolmeals import audit, database
from schoolmeals.actors import SYSTEM, person
from schoolmeals.asking import Question, ask, nothing
from schoolmeals.clock import system_clock
from schoolmeals.database import Work, db, insert_together, reading, transaction
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


def _event(work: Work, action: str) -> None:
    audit.record(work, action, audit.Subject("test"), {})


def _actions(app: Flask) -> list[tuple[str, str]]:
    with reading(SYSTEM, system_clock()) as look:
        rows = ask(look.session, "SELECT action, actor_kind FROM audit_event ORDER BY action", {})
    return [tuple(row) for row in rows]


def test_an_attempt_that_fails_is_undone_with_what_it_kept_for_the_last(app: Flask) -> None:
    with transaction(SYSTEM, system_clock()) as work:
        _event(work, "test.before")
        with suppress(LookupError), work.attempt():
            _event(work, "test.failed")
            raise LookupError
        with work.attempt():
            _event(work, "test.held")
        _event(work, "test.after")
    assert [action for action, _ in _actions(app)] == ["test.after", "test.before", "test.held"]


def test_an_attempt_that_forgets_what_was_kept_would_be_seen(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def forgetful(work: Work) -> Iterator[None]:
        with work.session.begin_nested():
            yield

    monkeypatch.setattr(Work, "attempt", forgetful)
    with pytest.raises(AssertionError):
        test_an_attempt_that_fails_is_undone_with_what_it_kept_for_the_last(app)


def test_who_acts_within_a_deed_shares_all_of_it(app: Flask) -> None:
    guardian = person(uuid4(), [])
    with transaction(SYSTEM, system_clock()) as work:
        _event(work, "test.first")
        other = work.acting(guardian)
        _event(other, "test.second")
        other.ask(Question("SELECT 1", {}, nothing))
        _event(work, "test.third")
        assert other.session is work.session
        assert (other.now, other.actor) == (work.now, guardian)
    assert _actions(app) == [("test.first", "system"), ("test.second", "person"), ("test.third", "system")]
