"""Several questions in one round trip: their order, their errors, and what a connection remembers."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import Engine, text
from sqlalchemy.exc import DataError, DBAPIError, InternalError, ProgrammingError

from schoolmeals import asking
from schoolmeals.actors import SYSTEM
from schoolmeals.asking import Question, array_of, ask, ask_in_turn, ask_together, nothing
from schoolmeals.clock import system_clock
from schoolmeals.database import reading, transaction

NUMBER = "SELECT CAST(%(n)s AS int) AS n"


def question(statement: str, **parameters: Any) -> Question[list[Any]]:
    return Question(statement, parameters, list)


def write(n: int) -> Question[None]:
    return Question("SELECT set_config('test.n', %(n)s, true)", {"n": str(n)}, nothing)


def test_questions_are_answered_in_their_order_and_see_what_was_done_before(app: Flask) -> None:
    before, after = (
        question("SELECT current_setting('test.n', true) AS n"),
        question("SELECT current_setting('test.n')"),
    )
    with transaction(SYSTEM, system_clock()) as work:
        ask_together(work.session, write(1), before, write(2), after)
        assert (before.answer[0][0], after.answer[0][0]) == ("1", "2")


def test_every_kind_of_value_comes_back_as_it_went(app: Flask) -> None:
    sent = {
        "id": UUID(int=7),
        "text": 'Қанат "\\" % {x}',
        "count": -(2**62),
        "truth": True,
        "nothing": None,
        "bytes": b"\x00\xff\\",
        "day": date(2026, 11, 23),
        "at": datetime(2026, 11, 23, 7, 0, 0, 123456, tzinfo=UTC),
    }
    kinds = {"id": "uuid", "count": "bigint", "truth": "bool", "bytes": "bytea", "day": "date", "at": "timestamptz"}
    columns = ", ".join(f"CAST(%({name})s AS {kinds.get(name, 'text')}) AS {name}" for name in sent)
    with reading(SYSTEM, system_clock()) as look:
        (row,) = ask(look.session, f"SELECT {columns}, 5 %% 3 AS rest", sent)
    assert {**row._asdict()} == {**sent, "rest": 2}


def test_a_text_with_nul_is_refused_before_it_is_sent(app: Flask) -> None:
    with pytest.raises(DataError), reading(SYSTEM, system_clock()) as look:
        ask(look.session, "SELECT CAST(%(text)s AS text)", {"text": "a\0b"})


def test_after_an_error_nothing_more_is_done_and_the_transaction_is_gone(app: Flask) -> None:
    later = question(NUMBER, n=2)
    with transaction(SYSTEM, system_clock()) as work:
        with pytest.raises(DataError):
            ask_together(work.session, question("SELECT 1 / CAST(%(n)s AS int)", n=0), later)
        with pytest.raises(InternalError):
            ask(work.session, NUMBER, {"n": 1})
        work.session.rollback()
        assert ask(work.session, NUMBER, {"n": 3})[0].n == 3
    with pytest.raises(IndexError):
        _ = later.answer


def test_a_statement_that_could_not_be_prepared_is_prepared_again(app: Flask, owner_engine: Engine) -> None:
    statement = "SELECT n FROM asked_later"
    for _ in range(2):
        with pytest.raises(ProgrammingError), transaction(SYSTEM, system_clock()) as work:
            ask(work.session, statement, {})
    with transaction(SYSTEM, system_clock()) as work:
        work.session.execute(text("CREATE TEMPORARY TABLE asked_later ON COMMIT DROP AS SELECT 4 AS n"))
        assert ask(work.session, statement, {})[0].n == 4


def test_a_statement_that_failed_at_its_first_use_can_be_used_again(app: Flask) -> None:
    """It was prepared before it failed; on the same connection, preparing it twice would be an error."""
    statement = "SELECT 10 / CAST(%(n)s AS int) AS n"
    with transaction(SYSTEM, system_clock()) as work:
        pid = ask(work.session, "SELECT pg_backend_pid() AS pid", {})[0].pid
        with pytest.raises(DataError):
            ask(work.session, statement, {"n": 0})
        work.session.rollback()
        assert ask(work.session, "SELECT pg_backend_pid() AS pid", {})[0].pid == pid
        assert ask(work.session, statement, {"n": 5})[0].n == 2


def test_what_is_prepared_outlives_a_rollback(app: Flask) -> None:
    with transaction(SYSTEM, system_clock()) as work:
        ask(work.session, NUMBER, {"n": 1})
        work.session.rollback()
        prepared = list(work.session.scalars(text("SELECT statement FROM pg_prepared_statements")))
        assert "SELECT CAST($1 AS int) AS n" in prepared
        assert ask(work.session, NUMBER, {"n": 8})[0].n == 8


def test_a_question_is_on_its_way_while_the_next_is_made(app: Flask) -> None:
    """A long one is at work before the next exists: both have run when the maker of the second has looked."""
    made: list[str] = []

    def in_turn() -> Any:
        made.append("first")
        yield question("SELECT cardinality(CAST(%(ids)s AS bigint[]))", ids=array_of(range(50_000)))
        made.append("second")
        yield question(NUMBER, n=1)

    with reading(SYSTEM, system_clock()) as look:
        ask_in_turn(look.session, in_turn())
    assert made == ["first", "second"]


def test_more_than_any_buffer_holds_goes_both_ways(app: Flask) -> None:
    """Neither side waits for the other to read first."""
    long = "я" * 3_000_000
    echoes = [question("SELECT CAST(%(text)s AS text) AS text", text=long) for _ in range(3)]
    with reading(SYSTEM, system_clock()) as look:
        ask_together(look.session, *echoes)
    assert all(echo.answer[0].text == long for echo in echoes)


def test_a_question_that_cannot_be_made_leaves_the_connection_free(app: Flask) -> None:
    def in_turn() -> Any:
        yield write(5)
        raise TypeError("no such question")

    with transaction(SYSTEM, system_clock()) as work:
        with pytest.raises(TypeError, match="no such question"):
            ask_in_turn(work.session, in_turn())
        assert ask(work.session, NUMBER, {"n": 6})[0].n == 6
        ask_together(work.session, write(7))


def test_making_a_question_does_not_ask_another(app: Flask) -> None:
    """It would wait for itself without end."""
    with transaction(SYSTEM, system_clock()) as work:

        def in_turn() -> Any:
            yield write(5)
            ask(work.session, NUMBER, {"n": 1})

        with pytest.raises(AssertionError, match="does not ask another"):
            ask_in_turn(work.session, in_turn())
        assert ask(work.session, NUMBER, {"n": 6})[0].n == 6


def test_an_exchange_that_is_broken_off_closes_its_connection(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_server: Any) -> Any:
        raise KeyboardInterrupt

    with reading(SYSTEM, system_clock()) as look:
        driver: Any = look.session.connection().connection.driver_connection
        with monkeypatch.context() as patch:
            patch.setattr(asking, "_gathered", interrupted)
            with pytest.raises(KeyboardInterrupt):
                ask(look.session, NUMBER, {"n": 1})
        assert driver.closed
    with reading(SYSTEM, system_clock()) as look:
        assert ask(look.session, NUMBER, {"n": 2})[0].n == 2


def test_a_server_that_goes_in_the_middle_is_an_error_and_no_endless_wait(app: Flask, owner_engine: Engine) -> None:
    with transaction(SYSTEM, system_clock()) as work:
        pid = ask(work.session, "SELECT pg_backend_pid() AS pid", {})[0].pid
        with owner_engine.connect() as owner:
            owner.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
        with pytest.raises(DBAPIError):
            ask(work.session, "SELECT pg_sleep(5)", {})
        work.session.invalidate()
    with transaction(SYSTEM, system_clock()) as work:
        assert ask(work.session, "SELECT pg_backend_pid() AS pid", {})[0].pid != pid
