"""One PostgreSQL for a run, one database for each of its processes, emptied after each test that used it."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_migrate import upgrade
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.orm import Session

from schoolmeals.actors import SYSTEM, Actor
from schoolmeals.app import create_app
from schoolmeals.clock import MovableClock
from schoolmeals.config import Settings
from schoolmeals.database import db, transaction
from schoolmeals.embedded import EmbeddedServer
from schoolmeals.embedded.server import OWNER_ROLE
from schoolmeals.web.health import MIGRATIONS
from tests.shelf import Shelf

TEMPLATE = "schoolmeals_template"
A_MONDAY = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
"""Monday 23 November 2026, noon in Almaty: a school day in the first shift's lunch."""


def pytest_configure(config: pytest.Config) -> None:
    """Start the server once, in the process that leads the run; the others are told where it is."""
    if hasattr(config, "workerinput") or config.option.collectonly:
        return
    folder = Path(tempfile.mkdtemp(prefix="schoolmeals-tests-"))
    server = EmbeddedServer.start(folder / "pg", unsafe_fast=True)
    server.ensure_database(TEMPLATE)
    os.environ["SCHOOLMEALS_TEST_APP_URL"] = server.app_url("DATABASE")
    os.environ["SCHOOLMEALS_TEST_OWNER_URL"] = server.owner_url("DATABASE")
    _let_owner_leave_triggers_out(server)
    _migrate_template()
    # What is added last is cleaned up first.
    config.add_cleanup(partial(shutil.rmtree, folder, ignore_errors=True))
    config.add_cleanup(server.stop)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long comes first, so that at the end no process waits for another that has just begun it."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


def _let_owner_leave_triggers_out(server: EmbeddedServer) -> None:
    """Where rows are only removed and put back (``tests/shelf.py``), triggers have nothing to say."""
    address = server.owner_url("postgres").replace("+psycopg", "").replace(f"{OWNER_ROLE}@", "postgres@")
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(f"GRANT SET ON PARAMETER session_replication_role TO {OWNER_ROLE}")


def _migrate_template() -> None:
    app = create_app(_settings(TEMPLATE))
    with app.app_context():
        upgrade(directory=str(MIGRATIONS))
        db.engine.dispose()


def _url(kind: str, database: str) -> str:
    return os.environ[f"SCHOOLMEALS_TEST_{kind}_URL"].replace("DATABASE", database)


def _settings(database: str, **changes: Any) -> Settings:
    return Settings(
        demo=True,
        secret_key="only-for-tests-only-for-tests-only-for-tests",
        database_url=_url("APP", database),
        database_owner_url=_url("OWNER", database),
        database_pool_size=20,
        base_url="http://localhost",
        **changes,
    )


@pytest.fixture(scope="session")
def database(worker_id: str) -> str:
    """The name of this process's own database, made from the migrated template."""
    name = f"schoolmeals_{worker_id}"
    with psycopg.connect(_url("OWNER", "postgres").replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(20261123)")
        connection.execute(f"DROP DATABASE IF EXISTS {name}")
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
    return name


@pytest.fixture(scope="session")
def owner_engine(database: str) -> Iterator[Engine]:
    """The database as the role that owns the tables."""
    engine = create_engine(_url("OWNER", database))
    yield engine
    engine.dispose()


@pytest.fixture
def clock() -> MovableClock:
    """A clock that stands at noon of a school day until the test moves it."""
    return MovableClock(A_MONDAY)


@pytest.fixture
def settings(database: str) -> Settings:
    """Settings of a demo installation on this process's database."""
    return _settings(database)


@pytest.fixture(scope="session")
def _session_app(database: str) -> Iterator[Flask]:
    app = create_app(_settings(database))
    app.test_client_class = Browser
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture(scope="session")
def shelf(owner_engine: Engine) -> Iterator[Shelf]:
    """The worlds that this process keeps for its tests, and the broom."""
    shelf = Shelf(owner_engine)
    yield shelf
    shelf.close()


@pytest.fixture
def app(_session_app: Flask, shelf: Shelf, clock: MovableClock) -> Iterator[Flask]:
    """The app with its context pushed, on a database that is empty again afterwards."""
    frame = _session_app.extensions["schoolmeals"]
    _session_app.extensions["schoolmeals"] = replace(frame, clock=clock)
    with _session_app.app_context():
        yield _session_app
    shelf.empty()


class Browser(FlaskClient):
    """Gives every request a context of its own, as a server does; else actor, instant and language would be kept in the
    context that ``app`` has pushed, and the second request would be answered for the first one's person."""

    def open(self, *args: Any, **kwargs: Any) -> Any:
        """Send one request."""
        with self.application.app_context():
            return super().open(*args, **kwargs)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser that nobody has signed in with yet."""
    return app.test_client()


@pytest.fixture
def do(app: Flask, clock: MovableClock) -> Any:
    """Do one deed in a transaction of its own: ``do(place, order)`` calls ``place(work, order)``."""

    def run(deed: Any, *args: Any, actor: Actor = SYSTEM, at: datetime | None = None, **kwargs: Any) -> Any:
        with transaction(actor, at or clock()) as work:
            return deed(work, *args, **kwargs)

    return run


class Counted:
    """How many statements were sent."""

    count = 0


@pytest.fixture
def count_statements() -> Any:
    """``with count_statements(session) as counted:`` counts the statements that reach the database."""

    @contextmanager
    def counting(session: Session) -> Iterator[Counted]:
        counted = Counted()

        def count(*_: Any) -> None:
            counted.count += 1

        engine = session.get_bind()
        event.listen(engine, "before_cursor_execute", count)
        try:
            yield counted
        finally:
            event.remove(engine, "before_cursor_execute", count)

    return counting
