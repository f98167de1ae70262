"""The database: one declarative base, and the only place that commits.

A deed runs inside ``with transaction(actor, now) as work``: committed on leaving, rolled back on any error, never
nested. What must not happen before the commit (waking the worker, say) is handed to ``work.after_commit``.
Looking runs inside ``with reading(actor, now) as look``, where PostgreSQL itself refuses to write.
"""

import select
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from time import monotonic
from typing import Any, ClassVar, Final
from uuid import UUID

from flask_sqlalchemy import SQLAlchemy
from psycopg import Error
from sqlalchemy import BigInteger, DateTime, Dialect, Engine, MetaData, Uuid, event
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.orm import DeclarativeBase, Session

from schoolmeals.actors import Actor
from schoolmeals.asking import Question, array_of, ask_together, nothing
from schoolmeals.clock import in_utc

APP_ROLE: Final = "schoolmeals_app"
"""The database role that web and worker act as. It cannot UPDATE or DELETE what is append-only."""

ASK_AFTER_IDLE_SECONDS: Final = 60

NAMING: Final = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Model(DeclarativeBase):
    """The base of every table. Ids are UUIDs of our own making, times are aware, money is whole minor units."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map: ClassVar[Any] = {
        datetime: DateTime(timezone=True),
        UUID: Uuid(),
        int: BigInteger,
        dict[str, Any]: JSONB,
        list[Any]: JSONB,
    }


# The extension keeps the engine; the tables hang on our own base, which type checkers can read.
db = SQLAlchemy(metadata=Model.metadata)


@dataclass(slots=True)
class Work:
    """One deed's unit of work: its session, who does it and the one instant at which it happens."""

    session: Session
    actor: Actor
    now: datetime
    _afterwards: list[Callable[[], None]] = field(default_factory=list)

    def after_commit(self, deed: Callable[[], None]) -> None:
        """Run ``deed`` once the transaction is committed; never, where it is not."""
        self._afterwards.append(deed)


def keep_connections_honest(engine: Engine) -> None:
    """Before a connection is used again, see that the server has not closed it; a tap pays no round trip for that.

    A server that goes says so or hangs up, so there is something to read on a connection that should be silent. One
    that has been idle for long may have been forgotten on the way without a word: only that one is asked.
    """

    @event.listens_for(engine, "checkin")
    def note(_driver: Any, record: Any) -> None:
        record.info["idle_since"] = monotonic()

    @event.listens_for(engine, "checkout")
    def look(driver: Any, record: Any, _fairy: Any) -> None:
        idle_seconds = monotonic() - record.info.get("idle_since", monotonic())
        if driver.closed or _is_readable(driver.fileno()):
            raise DisconnectionError
        if idle_seconds > ASK_AFTER_IDLE_SECONDS:
            _ping(engine, driver)


def _ping(engine: Engine, driver: Any) -> None:
    try:
        engine.dialect.do_ping(driver)
    except Error as error:
        raise DisconnectionError from error


def _is_readable(file: int) -> bool:
    watched = select.poll()
    watched.register(file, select.POLLIN)
    return bool(watched.poll(0))


_current: ContextVar[str | None] = ContextVar("schoolmeals_transaction", default=None)


@contextmanager
def transaction(actor: Actor, now: datetime) -> Iterator[Work]:
    """A write transaction for one deed by ``actor`` at ``now`` (aware). Needs an app context."""
    with _session("transaction") as session:
        work = Work(session, actor, in_utc(now))
        yield work
        session.commit()
    for deed in work._afterwards:
        deed()


@contextmanager
def reading(actor: Actor, now: datetime) -> Iterator[Work]:
    """A read-only transaction: one consistent look by ``actor`` at ``now``."""
    with _session("reading", postgresql_readonly=True, isolation_level="REPEATABLE READ") as session:
        yield Work(session, actor, in_utc(now))


@contextmanager
def _session(kind: str, **execution_options: object) -> Iterator[Session]:
    assert _current.get() is None, f"a {kind} inside a {_current.get()}: one request, one transaction"
    token = _current.set(kind)
    try:
        engine = db.engine.execution_options(**execution_options) if execution_options else db.engine
        with Session(engine, expire_on_commit=False) as session:
            yield session
    finally:
        _current.reset(token)


def insert_rows(session: Session, model: type[Model], rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert ``rows`` (all with the same keys, attribute names of ``model``) with one statement, whatever their number.

    The rows travel as one array per column: the statement's text does not depend on how many there are, so PostgreSQL
    plans it once, and a hundred rows cost little more than one.
    """
    insert_together(session, [(model, rows)])


def insert_together(session: Session, parts: Sequence[tuple[type[Model], Sequence[Mapping[str, Any]]]]) -> None:
    """Insert rows of several tables, as ``insert_rows`` does, all with one statement. Foreign keys may join them."""
    ask_together(session, *insertion(parts))


def insertion(parts: Sequence[tuple[type[Model], Sequence[Mapping[str, Any]]]]) -> tuple[Question[None], ...]:
    """The one statement of ``insert_together``, to be sent with others; none, where there are no rows."""
    filled = [(model, rows) for model, rows in parts if rows]
    if not filled:
        return ()
    arrays: dict[str, str] = {}
    for place, (_model, rows) in enumerate(filled):
        arrays |= {f"{name}_{place}": array_of([row[name] for row in rows]) for name in rows[0]}
    return (Question(_insert_statement(tuple((model, tuple(rows[0])) for model, rows in filled)), arrays, nothing),)


_DIALECT: Final[Dialect] = postgresql.dialect()  # type: ignore[no-untyped-call]


@lru_cache(maxsize=256)
def _insert_statement(parts: tuple[tuple[type[Model], tuple[str, ...]], ...]) -> str:
    *before, last = [_insert_part(model.__table__, names, place) for place, (model, names) in enumerate(parts)]
    named = ", ".join(f"part_{place} AS ({part})" for place, part in enumerate(before))
    return f"WITH {named} {last}" if before else last


def _insert_part(table: Any, names: tuple[str, ...], place: int) -> str:
    arrays, columns = [], []
    for name in names:
        type_name = str(table.c[name].type.compile(dialect=_DIALECT))
        is_json = type_name == "JSONB"
        arrays.append(f"CAST(%({name}_{place})s AS {'text' if is_json else type_name}[])")
        columns.append(f'n."{name}"::jsonb' if is_json else f'n."{name}"')
    quoted = ", ".join(f'"{name}"' for name in names)
    return (
        f"INSERT INTO {table.name} ({quoted}) SELECT {', '.join(columns)} "  # noqa: S608 (names of our own tables)
        f"FROM unnest({', '.join(arrays)}) AS n({quoted})"
    )
