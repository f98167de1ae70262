"""The database: one declarative base, and the only place that commits.

A deed runs inside ``with transaction(actor, now) as work``: committed on leaving, rolled back on any error, never nested.
What must not happen before the commit (waking the worker, say) is handed to ``work.after_commit``.
Looking runs inside ``with reading(actor, now) as look``, where PostgreSQL itself refuses to write.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import BigInteger, DateTime, MetaData, Uuid, event
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Session

from schoolmeals.actors import Actor
from schoolmeals.clock import in_utc

APP_ROLE: Final = "schoolmeals_app"
"""The database role that web and worker act as. It cannot UPDATE or DELETE what is append-only."""

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
    type_annotation_map: Any = {
        datetime: DateTime(timezone=True),
        UUID: Uuid(),
        int: BigInteger,
        dict[str, Any]: JSONB,
        list[Any]: JSONB,
    }


db = SQLAlchemy(model_class=Model, session_options={"expire_on_commit": False})


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


def work_as_app_role(engine: Any) -> None:
    """Make every connection of ``engine`` act as :data:`APP_ROLE`, for installations with one login for both roles."""

    @event.listens_for(engine, "connect")
    def set_role(connection: Any, _record: object) -> None:
        autocommit, connection.autocommit = connection.autocommit, True
        connection.execute(f"SET ROLE {APP_ROLE}")
        connection.autocommit = autocommit
