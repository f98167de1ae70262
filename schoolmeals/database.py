"""The database: one declarative base, and the only place that commits.

A deed runs inside ``with transaction(actor, now) as work``: committed on leaving, rolled back on any error, never
nested. What must not happen before the commit (waking the worker, say) is handed to ``work.after_commit``.
Looking runs inside ``with reading(actor, now) as look``, where PostgreSQL itself refuses to write.
"""

import select
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import lru_cache
from itertools import chain
from time import monotonic
from typing import Any, ClassVar, Final, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import current_app
from flask_sqlalchemy import SQLAlchemy
from psycopg import Error
from psycopg.pq import TransactionStatus
from sqlalchemy import BigInteger, ClauseElement, Connection, DateTime, Dialect, Engine, MetaData, Uuid, event
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.orm import DeclarativeBase, Session

from schoolmeals.actors import Actor
from schoolmeals.asking import Question, array_of, ask_in_turn, ask_together, nothing
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


def local_zone() -> ZoneInfo:
    """Where the installation is, as ``create_app`` was told. Needs an app context."""
    return ZoneInfo(current_app.config["TIME_ZONE"])


# The extension keeps the engine; the tables hang on our own base, which type checkers can read.
db = SQLAlchemy(metadata=Model.metadata)


@dataclass(slots=True)
class Work:
    """One deed's unit of work: what it asks, who does it and the one instant at which it happens."""

    _asked: Session | Connection
    """The connection, until somebody needs a session."""
    actor: Actor
    now: datetime
    _afterwards: list[Callable[[], None]] = field(default_factory=list)
    _last: list[Iterable[Question[Any]]] = field(default_factory=list)

    @property
    def today(self) -> date:
        """The day on which ``now`` falls where the installation is: in Almaty a day begins while UTC has the last."""
        return self.now.astimezone(local_zone()).date()

    @property
    def session(self) -> Session:
        """The session. Whoever takes it finds done what was kept for the last."""
        if self._last:
            ask_in_turn(self._asked, self._take_last())
        if not isinstance(self._asked, Session):
            # It commits and rolls back what the connection has begun by itself.
            self._asked = Session(self._asked, expire_on_commit=False, join_transaction_mode="control_fully")
            self._asked.connection()
        return self._asked

    def ask(self, *questions: Question[Any]) -> None:
        """Ask ``questions`` in one round trip and without a session where none is needed yet; see ``ask_together``.
        What was kept for the last is sent before them.
        """
        ask_in_turn(self._asked, chain(self._take_last(), questions))

    def ask_last(self, questions: Iterable[Question[Any]]) -> None:
        """Send ``questions``, which give nothing, together with the commit: a round trip less, and what they lock is
        held no longer than the server itself needs.

        Should the deed ask anything else after all, they are sent before that.
        """
        self._last.append(questions)

    def commit(self) -> None:
        """Send what was kept for the last, and commit. Only ``transaction`` does."""
        if self._last or not isinstance(self._asked, Session):
            ask_in_turn(self._asked, self._take_last(), commit=True)
        if isinstance(self._asked, Session):
            self._asked.commit()

    def close(self) -> None:
        """Let go of what the session holds; what was not committed is rolled back."""
        if isinstance(self._asked, Session):
            self._asked.close()

    def acting(self, actor: Actor, at: datetime | None = None) -> "Work":
        """The same deed, of which ``actor`` does a part, or a part belongs to another instant."""
        # Both hold the one session; a second on the same connection would not know what the first has yet to write.
        assert self.session is self._asked
        return replace(self, actor=actor, now=self.now if at is None else in_utc(at))

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """A part of the deed that is undone alone where it raises, with what it kept for the last."""
        session = self.session
        with session.begin_nested():
            try:
                yield
                ask_in_turn(session, self._take_last())
            except BaseException:
                self._last.clear()
                raise

    def after_commit(self, deed: Callable[[], None]) -> None:
        """Run ``deed`` once the transaction is committed; never, where it is not."""
        self._afterwards.append(deed)

    def _take_last(self) -> Iterable[Question[Any]]:
        # In place: who acts in the same deed shares the list.
        kept = [*self._last]
        self._last.clear()
        return chain.from_iterable(kept)


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

    @event.listens_for(engine, "reset")
    def roll_back(driver: Any, _record: Any, state: Any) -> None:
        # The pool's own way asks the driver to roll back what was committed already.
        if not state.terminate_only and driver.pgconn.transaction_status != TransactionStatus.IDLE:
            driver.rollback()


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
    with _connection("transaction") as connection:
        work = Work(connection, actor, in_utc(now))
        try:
            yield work
            work.commit()
        finally:
            work.close()
    for deed in work._afterwards:
        deed()


@contextmanager
def reading(actor: Actor, now: datetime) -> Iterator[Work]:
    """A read-only transaction: one consistent look by ``actor`` at ``now``."""
    with _connection("reading", postgresql_readonly=True, isolation_level="REPEATABLE READ") as connection:
        work = Work(connection, actor, in_utc(now))
        try:
            yield work
        finally:
            work.close()


@contextmanager
def _connection(kind: str, **execution_options: object) -> Iterator[Connection]:
    assert _current.get() is None, f"a {kind} inside a {_current.get()}: one request, one transaction"
    token = _current.set(kind)
    try:
        engine = db.engine.execution_options(**execution_options) if execution_options else db.engine
        with engine.connect() as connection:
            yield connection
    finally:
        _current.reset(token)


def text_of(statement: ClauseElement) -> str:
    """A statement as the text that ``Work.ask`` sends, with its bound names as they are. Keep it: to build it takes
    longer than to answer it.
    """
    return str(statement.compile(dialect=_DRIVEN))


def insert_rows(session: Session, model: type[Model], rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert ``rows`` (all with the same keys, attribute names of ``model``) with one statement, whatever their number.

    The rows travel as one array per column: the statement's text does not depend on how many there are, so PostgreSQL
    plans it once, and a hundred rows cost little more than one.
    """
    insert_together(session, [(model, rows)])


def insert_together(session: Session, parts: Sequence[tuple[type[Model], Sequence[Mapping[str, Any]]]]) -> None:
    """Insert rows of several tables, as ``insert_rows`` does, all with one statement. Foreign keys may join them."""
    columns = [
        Rows(model, {name: [row[name] for row in rows] for name in rows[0]}, {}) for model, rows in parts if rows
    ]
    ask_together(session, *insertion(columns))


class Rows(NamedTuple):
    """Rows of one table: their columns by attribute, and what is the same in each of them, which travels once."""

    model: type[Model]
    columns: Mapping[str, Sequence[Any]]
    same: Mapping[str, Any]


def rows_of(model: type[Model], names: Sequence[str], rows: Sequence[tuple[Any, ...]], same: Mapping[str, Any]) -> Rows:
    """Rows given as tuples in the order of ``names``."""
    return Rows(model, dict(zip(names, zip(*rows, strict=True), strict=True)) if rows else {}, same)


def insertion(parts: Sequence[Rows]) -> tuple[Question[None], ...]:
    """The one statement of ``insert_together``, to be sent with others; none, where there are no rows."""
    filled = [part for part in parts if part.columns]
    if not filled:
        return ()
    shapes = []
    parameters: dict[str, Any] = {}
    for place, (model, columns, same) in enumerate(filled):
        is_one = len(next(iter(columns.values()))) == 1
        for name, values in columns.items():
            parameters[f"{name}_{place}"] = values[0] if is_one else array_of(values)
        for name, value in same.items():
            parameters[f"{name}_{place}"] = value
        shapes.append((model, tuple(columns), tuple(same), is_one))
    return (Question(_insert_statement(tuple(shapes)), parameters, nothing),)


_Shape = tuple[type[Model], tuple[str, ...], tuple[str, ...], bool]
_DIALECT: Final[Dialect] = postgresql.dialect()  # type: ignore[no-untyped-call]
_DRIVEN: Final[Dialect] = postgresql.psycopg.dialect()  # type: ignore[no-untyped-call]


@lru_cache(maxsize=256)
def _insert_statement(shapes: tuple[_Shape, ...]) -> str:
    *before, last = [_insert_part(shape, place) for place, shape in enumerate(shapes)]
    named = ", ".join(f"part_{place} AS ({part})" for place, part in enumerate(before))
    return f"WITH {named} {last}" if before else last


def _insert_part(shape: _Shape, place: int) -> str:
    """One row goes as plain values, which the server reads in half the time; several as one array for each column."""
    model, names, same, is_one = shape
    table: Any = model.__table__
    types = {name: str(table.c[name].type.compile(dialect=_DIALECT)) for name in (*names, *same)}
    once = [f"CAST(%({name}_{place})s AS {types[name]})" for name in (names if is_one else ())]
    once += [f"CAST(%({name}_{place})s AS {types[name]})" for name in same]
    into = f"INSERT INTO {table.name} ({_quoted((*names, *same))})"
    if is_one:
        return f"{into} VALUES ({', '.join(once)})"
    plain = {name: "text" if types[name] == "JSONB" else types[name] for name in names}
    arrays = [f"CAST(%({name}_{place})s AS {plain[name]}[])" for name in names]
    columns = [f'n."{name}"::jsonb' if types[name] == "JSONB" else f'n."{name}"' for name in names]
    chosen, unnested = ", ".join([*columns, *once]), ", ".join(arrays)
    return f"{into} SELECT {chosen} FROM unnest({unnested}) AS n({_quoted(names)})"  # noqa: S608 (the same)


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)
