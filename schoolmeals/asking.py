"""Statements straight to the server, several of them in one round trip.

A tap asks about a dozen things. By SQLAlchemy a small statement costs some 260 µs of our processor, by a cursor of the
driver some 70 µs and a round trip each; sent together through libpq's pipeline mode, which the driver documents as
``psycopg.pq``, less than 10 µs and one round trip for all. What is asked here is prepared once on each connection.

A :class:`Question` is a statement with its parameters and the way to read its rows. Whoever owns the tables makes the
question; whoever needs several answers asks them together. :class:`Chosen` ids are a part of other statements, so that
one question can be about what another will only find out.
"""

import json
import re
import select
from collections import namedtuple
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from enum import Enum
from functools import lru_cache
from hashlib import sha256
from types import NoneType
from typing import Any, Final, Generic, NamedTuple, TypeVar
from uuid import UUID

from psycopg import DataError, Error, OperationalError
from psycopg.adapt import Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ConnStatus, ExecStatus, Format, TransactionStatus
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

T = TypeVar("T")
Values = Mapping[str, Any]

_PLACES: Final = re.compile(r"%\((\w+)\)s|%%")
WORTH_SENDING: Final = 4_000
"""Bytes of parameters from which a statement is sent at once and not with the next one."""
PLANNED_ONCE: Final = "SET LOCAL plan_cache_mode = force_generic_plan"
"""Every statement of a tap finds its rows by their keys, whatever their number. Left to itself, PostgreSQL plans for
each tap anew, because one id is fewer than the ten that it expects of an array: that was half of its work.
"""
_FAILED: Final = (ExecStatus.FATAL_ERROR, ExecStatus.BAD_RESPONSE)


@dataclass(slots=True)
class Question(Generic[T]):
    """One statement (parameters as ``%(name)s``), and how its rows are read. ``answer`` is there once it was asked."""

    statement: str
    parameters: Values
    read: Callable[[list[Any]], T]
    _answers: list[T] = field(default_factory=list)

    @property
    def answer(self) -> T:
        return self._answers[0]

    def hear(self, rows: list[Any]) -> None:
        """Take the rows that the server gave."""
        self._answers[:] = [self.read(rows)]


Sent = list[Question[Any] | bytes | None]
"""What went to the server, in its order: questions, names of what was to be prepared, None for the rest."""


class Chosen(NamedTuple):
    """Some ids, as a SELECT of one column that may stand within other statements, with its parameters."""

    statement: str
    parameters: Values


def these(ids: Iterable[UUID]) -> Chosen:
    """The ids themselves, each once."""
    return Chosen("SELECT unnest(CAST(%(chosen)s AS uuid[]))", {"chosen": array_of(set(ids))})


def nothing(_rows: list[Any]) -> None:
    """The reading of a statement that gives no rows."""


def ask(asked: Session | Connection, statement: str, parameters: Values) -> list[Any]:
    """Send one statement and give its rows as named tuples; none, where it gives none."""
    question = Question(statement, parameters, list)
    ask_together(asked, question)
    return question.answer


def ask_together(asked: Session | Connection, *questions: Question[Any]) -> None:
    """Send all questions at once. They are carried out in their order, each seeing what those before it have done.

    One that fails makes the transaction fail; nothing after it is carried out. Errors are SQLAlchemy's, and its
    listeners hear each statement.
    """
    ask_in_turn(asked, questions)


def ask_in_turn(asked: Session | Connection, questions: Iterable[Question[Any]], *, commit: bool = False) -> None:
    """``ask_together`` for questions that are made one by one: the server is at work on one while the next is made.

    With ``commit`` the transaction is committed after them, in the same round trip. Only ``schoolmeals.database`` asks
    for that, and tells SQLAlchemy.
    """
    if isinstance(asked, Session):
        asked.flush()
        asked = asked.connection()
    taken: Any = asked.connection
    driver = taken.driver_connection
    assert not driver.pgconn.pipeline_status, "making a question does not ask another: the connection is taken"
    known: Known = taken.info.setdefault("prepared statements", {})
    sent: Sent = []
    try:
        results = _exchange(driver, known, _heard(asked, questions), sent, commit)
        for question, result in zip(sent, results, strict=True):
            if type(question) is Question:
                question.hear(_rows(driver, known, question.statement, result))
    except Error as error:
        told = "; ".join(question.statement for question in sent if isinstance(question, Question))
        raise DBAPIError.instance(told, None, error, Error) from error
    except BaseException:
        if driver.pgconn.pipeline_status:
            # Half an exchange cannot be taken up again.
            asked.invalidate()
        raise


def _heard(asked: Connection, questions: Iterable[Question[Any]]) -> Iterable[Question[Any]]:
    listeners = tuple(asked.dispatch.before_cursor_execute)
    return _told(asked, questions, listeners) if listeners else questions


def _told(asked: Connection, questions: Iterable[Question[Any]], listeners: Iterable[Any]) -> Iterator[Question[Any]]:
    for question in questions:
        for listener in listeners:
            listener(asked, None, question.statement, question.parameters, None, False)
        yield question


class _Prepared(NamedTuple):
    """A statement as the server knows it: places are numbered, in the order of ``names``."""

    name: bytes
    text: bytes
    names: tuple[str, ...]


class _Reader(NamedTuple):
    """How the rows of one statement are read on one connection."""

    transformer: Any
    make: Callable[[Sequence[Any]], Any]


Known = dict[bytes, _Reader | None]
"""What was prepared on a connection, and how its rows are read, once it has given some."""


@lru_cache(maxsize=512)
def _prepared(statement: str) -> _Prepared:
    names: dict[str, int] = {}

    def place(found: re.Match[str]) -> str:
        return f"${names.setdefault(found[1], len(names) + 1)}" if found[1] else "%"

    text = _PLACES.sub(place, statement).encode()
    return _Prepared(b"asked_" + sha256(text).hexdigest()[:24].encode(), text, tuple(names))


def _exchange(driver: Any, known: Known, questions: Iterable[Question[Any]], sent: Sent, commit: bool) -> list[Any]:
    """The server's results, one for everything in ``sent``, which grows by what is sent. Raises the driver's errors."""
    failure: Exception | None = None
    with driver.lock:
        try:
            _send(driver, known, questions, sent)
            if commit and (sent or driver.pgconn.transaction_status != TransactionStatus.IDLE):
                _send_one(driver.pgconn, known, "COMMIT", sent)
        except Exception as error:  # noqa: BLE001 (raised again below)
            # A question could not be made. What was sent before it is heard to its end, so that the connection is free.
            failure = error
        results = _gathered(driver.pgconn)
    # What was prepared stays so, whatever became of the statements after it.
    for one, result in zip(sent, results, strict=True):
        if type(one) is bytes and result.status == ExecStatus.COMMAND_OK:
            known[one] = None
    if failure is not None:
        raise failure
    for result in results:
        if result.status in _FAILED:
            raise error_from_result(result, encoding="utf-8")
    return results


def _send(driver: Any, known: Known, questions: Iterable[Question[Any]], sent: Sent) -> None:
    server = driver.pgconn
    server.enter_pipeline_mode()
    if not driver.autocommit and server.transaction_status == TransactionStatus.IDLE:
        _send_one(server, known, _beginning(driver.isolation_level, driver.read_only), sent)
        _send_one(server, known, PLANNED_ONCE, sent)
    for question in questions:
        _send_one(server, known, question.statement, sent, question)


def _send_one(server: Any, known: Known, statement: str, sent: Sent, question: Question[Any] | None = None) -> None:
    """Send a statement, prepared before where this connection does not know it; with the values of its question."""
    name, text, names = _prepared(statement)
    if name not in known and name not in sent:
        server.send_prepare(name, text)
        sent.append(name)
    given = question.parameters if question is not None else {}
    values = [_PARAMETERS.get(type(value := given[place]), _other)(value) for place in names]
    server.send_query_prepared(name, values, result_format=Format.BINARY)
    sent.append(question)
    if sum(map(len, filter(None, values))) > WORTH_SENDING:
        server.flush()


def _gathered(server: Any) -> list[Any]:
    """End the pipeline and give all its results."""
    server.pipeline_sync()
    watched = select.poll()
    watched.register(server.socket, select.POLLIN | select.POLLOUT)
    while server.flush():
        # The server may wait for us to read before it reads on.
        if any(events & ~select.POLLOUT for _, events in watched.poll()):
            server.consume_input()
    watched.modify(server.socket, select.POLLIN)
    results: list[Any] = []
    while True:
        while server.is_busy():
            watched.poll()
            server.consume_input()
        result = server.get_result()
        if result is None:
            if server.status != ConnStatus.OK:
                raise OperationalError("the connection to the database was lost")
        elif result.status == ExecStatus.PIPELINE_SYNC:
            server.exit_pipeline_mode()
            return results
        else:
            results.append(result)


@lru_cache(maxsize=32)
def _beginning(level: Any, is_read_only: bool | None) -> str:
    """How a transaction of a connection begins."""
    isolation = f" ISOLATION LEVEL {level.name.replace('_', ' ')}" if level is not None else ""
    return f"BEGIN{isolation}{' READ ONLY' if is_read_only else ''}"


def _rows(driver: Any, known: Known, statement: str, result: Any) -> list[Any]:
    count = result.ntuples
    if not count:
        return []
    name = _prepared(statement).name
    reader = known.get(name)
    if reader is None:
        # What a prepared statement gives is of the same kinds each time; the server sees to that.
        make = _row_type(tuple(result.fname(place) for place in range(result.nfields)))
        reader = known[name] = _Reader(Transformer(driver), make)
        reader.transformer.set_pgresult(result)
    else:
        reader.transformer.set_pgresult(result, set_loaders=False)
    rows: list[Any] = reader.transformer.load_rows(0, count, reader.make)
    reader.transformer.set_pgresult(None, set_loaders=False)
    return rows


@lru_cache(maxsize=512)
def _row_type(names: tuple[bytes, ...]) -> Callable[[Sequence[Any]], Any]:
    # One kind of row for each list of columns, as the driver's own named rows are.
    kind: Any = namedtuple("Row", [name.decode() for name in names], rename=True)  # type: ignore[misc]
    make: Callable[[Sequence[Any]], Any] = kind._make
    return make


def _parameter(value: Any) -> bytes | None:
    """A value as the server reads it in text form."""
    return _PARAMETERS.get(type(value), _other)(value)


def _other(value: Any) -> bytes | None:
    """For kinds of the above."""
    if isinstance(value, Enum):
        return _parameter(value.value)
    return _text(str(value)) if isinstance(value, str) else _element(value).encode()


def _text(value: str) -> bytes:
    if "\0" in value:
        raise DataError("a text cannot hold NUL")
    return value.encode()


def _moment(value: datetime | date | time) -> bytes:
    return value.isoformat().encode()


def _json(value: dict[str, Any] | list[Any]) -> bytes:
    if not value:
        return b"{}" if type(value) is dict else b"[]"
    return json.dumps(value, default=str).encode()


_PARAMETERS: Final[dict[type, Callable[[Any], bytes | None]]] = {
    NoneType: lambda _value: None,
    str: _text,
    UUID: lambda value: b"%032x" % value.int,
    int: lambda value: b"%d" % value,
    bool: lambda value: b"t" if value else b"f",
    bytes: lambda value: b"\\x" + value.hex().encode(),
    datetime: _moment,
    date: _moment,
    time: _moment,
    dict: _json,
    list: _json,
}


def array_of(values: Iterable[Any]) -> str:
    """``values`` as the text of a PostgreSQL array, for a parameter that the statement casts: ``CAST(:ids AS uuid[])``.

    Written by hand because the driver tests every element for what would have to be quoted, which for a batch of taps
    took longer than everything that the taps are about. Knows ids, numbers, truth, times, bytes, texts and JSON.
    """
    listed = values if isinstance(values, list | tuple) else list(values)
    kinds = set(map(type, listed))
    if len(kinds) == 1:
        return "{" + ",".join(map(_ELEMENTS.get(kinds.pop(), _element), listed)) + "}"
    return "{" + ",".join([_ELEMENTS.get(type(value), _element)(value) for value in listed]) + "}"


def _quoted(text: str) -> str:
    if "\\" in text or '"' in text:
        text = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


_ELEMENTS: Final[dict[type, Callable[[Any], str]]] = {
    NoneType: lambda _value: "NULL",
    UUID: lambda value: "%032x" % value.int,  # noqa: UP031 (twice as fast as its own attribute)
    bool: lambda value: "t" if value else "f",
    int: str,
    str: _quoted,
    bytes: lambda value: f'"\\\\x{value.hex()}"',
    datetime: lambda value: value.isoformat(),
    date: lambda value: value.isoformat(),
    time: lambda value: value.isoformat(),
    dict: lambda value: _quoted(json.dumps(value, default=str)) if value else '"{}"',
    list: lambda value: _quoted(json.dumps(value, default=str)) if value else '"[]"',
}


def _element(value: Any) -> str:
    """For kinds of the above: a word of an enumeration, an id of another library."""
    for kind in (str, int, UUID, dict, list):
        if isinstance(value, kind):
            return _ELEMENTS[kind](value.value if isinstance(value, Enum) else value)
    raise TypeError(f"{type(value).__name__} does not go into an array")
