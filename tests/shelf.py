"""A database that is emptied after each test, and worlds that are dear to make: made once, kept, and put back.

Rows come and go here as the server's own copies do, without triggers: nothing is checked twice, and no table has to be
altered, for which every connection would forget its plans.
"""

from collections.abc import Callable, Collection
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Self, TypeVar

from psycopg.sql import SQL, Composed, Identifier
from sqlalchemy import Connection, Engine, create_engine, event, text

from schoolmeals.canteen import offers
from schoolmeals.clock import MovableClock
from schoolmeals.database import Model
from schoolmeals.identity import visitors
from schoolmeals.procurement import arriving
from schoolmeals.wallet import purses

Made = TypeVar("Made")

SMALL_BYTES: Final = 1 << 20
"""Tables up to this size are emptied row by row, which is quicker than new files for them and for all their indexes."""
SESSIONS: Final = "sign_in_session"
MEMORIES: Final[tuple[dict[Any, Any], ...]] = (
    arriving._asked,
    offers._remembered,
    purses._remembered,
    visitors._remembered,
)
"""What a process remembers of rows because they never change. Here the same ids come back, and may be other rows."""
QUEUE: Final = ("procrastinate_events", "procrastinate_periodic_defers", "procrastinate_jobs")


def all_tables() -> list[str]:
    """Every table that tests write to, the referring ones before those that they refer to."""
    return [*QUEUE, *(table.name for table in reversed(Model.metadata.sorted_tables))]


def empty(engine: Engine) -> None:
    """Empty all tables. ``engine`` is the owner's, whom the tests' server lets leave triggers out."""
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        _empty(connection)


@dataclass(frozen=True)
class Kept:
    """A world on the shelf: its rows by table, as the server copies them, what made it gave, and when it was."""

    rows: dict[str, bytes]
    made: Any
    clock: MovableClock
    at: datetime


class Shelf:
    """The worlds that one process of a run keeps. A world is named by all that led to it from an empty database."""

    def __init__(self, engine: Engine) -> None:
        # Connections of its own, set once: a server that is told anew to leave triggers out forgets its plans for it.
        self._engine = create_engine(engine.url)
        event.listen(self._engine, "connect", _leave_out)
        self._kept: dict[tuple[Any, ...], Kept] = {}
        self._standing: tuple[Any, ...] = ()
        self._at: datetime | None = None
        self._counts: list[tuple[str, int, str, str]] = []
        """What the tables hold while nobody has touched them: how many rows, written by which transaction."""

    def __deepcopy__(self, _memo: dict[int, Any]) -> Self:
        return self

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    def empty(self) -> None:
        """Empty all tables."""
        with self._engine.begin() as connection:
            _empty(connection)
        for memory in MEMORIES:
            memory.clear()
        self._standing, self._at, self._counts = (), None, []

    def kept(self, name: Any, clock: MovableClock, make: Callable[[], Made]) -> Made:
        """What ``make`` gives. Where nothing has been written and the clock has not moved since the database was
        emptied or something was put back, its rows and the clock's time are kept under ``name``: the next time they are
        put back instead, and the caller gets a copy of what was given. Whoever has signed in meanwhile stays signed in.
        """
        if not self._is_untouched(clock):
            return make()
        spared = (SESSIONS,) if self._standing else ()
        name = (*self._standing, name, *(() if self._at else (clock(),)))
        if name not in self._kept:
            made = make()
            with self._engine.begin() as connection:
                self._kept[name] = Kept(_copied(connection), deepcopy(made, {id(clock): clock}), clock, clock())
        put_back: Made = self._put_back(name, clock, spared)
        return put_back

    def _put_back(self, name: tuple[Any, ...], clock: MovableClock, spared: Collection[str]) -> Any:
        world = self._kept[name]
        with self._engine.begin() as connection:
            _empty(connection, spared)
            _fill(connection, {table: rows for table, rows in world.rows.items() if table not in spared})
            self._counts = _counted(connection)
        clock.now = world.at
        self._standing, self._at = name, clock()
        return deepcopy(world.made, {id(world.clock): clock})

    def _is_untouched(self, clock: MovableClock) -> bool:
        if type(clock) is not MovableClock or self._at not in (None, clock()):
            return False
        with self._engine.begin() as connection:
            found = _counted(connection)
        spared = (SESSIONS,) if self._standing else ()
        return [one for one in found if one[0] not in spared] == [one for one in self._counts if one[0] not in spared]


def _leave_out(driver: Any, _record: Any) -> None:
    """No triggers; and no compiling, which for a question to so many tables takes longer by far than to answer it."""
    driver.execute("SET session_replication_role = replica; SET jit = off")
    driver.commit()


def _empty(connection: Connection, spared: Collection[str] = ()) -> None:
    filled = [one for one in connection.execute(text(_FILLED)).all() if one[0] not in spared]
    if not spared and any(size > SMALL_BYTES for _table, size in filled):
        connection.execute(text(f"TRUNCATE {', '.join(all_tables())}"))
    elif filled:
        connection.exec_driver_sql("; ".join(f"DELETE FROM {table}" for table, _size in filled))


def _copied(connection: Connection) -> dict[str, bytes]:
    cursor = _cursor(connection)
    copied: dict[str, bytes] = {}
    for table, _size in connection.execute(text(_FILLED)).all():
        with cursor.copy(SQL("COPY {} ({}) TO STDOUT (FORMAT BINARY)").format(*_named(connection, table))) as rows:
            copied[table] = b"".join(bytes(part) for part in rows)
    return copied


def _fill(connection: Connection, rows: dict[str, bytes]) -> None:
    cursor = _cursor(connection)
    for table, copied in rows.items():
        with cursor.copy(SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(*_named(connection, table))) as copy:
            copy.write(copied)


def _named(connection: Connection, table: str) -> tuple[Identifier, Composed]:
    """A table and its columns, but for those that the server computes."""
    if table not in _COLUMNS:
        found = connection.scalars(text(_OWN_COLUMNS), {"table": table})
        _COLUMNS[table] = [Identifier(name) for name in found]
    return Identifier(table), SQL(", ").join(_COLUMNS[table])


def _cursor(connection: Connection) -> Any:
    return connection.connection.cursor()


def _counted(connection: Connection) -> list[tuple[str, int, str, str]]:
    return [(table, rows, first, last) for table, rows, first, last in connection.execute(text(_WRITTEN))]


_COLUMNS: Final[dict[str, list[Identifier]]] = {}
_FILLED: Final = " UNION ALL ".join(
    f"SELECT '{name}', pg_relation_size('{name}') WHERE EXISTS (SELECT FROM {name})" for name in all_tables()
)
_WRITTEN: Final = " UNION ALL ".join(
    f"SELECT '{name}', count(*), min(xmin::text), max(xmin::text) FROM {name} HAVING count(*) > 0"
    for name in all_tables()
)
_OWN_COLUMNS: Final = """
SELECT attname FROM pg_attribute
WHERE attrelid = CAST(:table AS regclass) AND attnum > 0 AND NOT attisdropped AND attgenerated = '' ORDER BY attnum
"""
