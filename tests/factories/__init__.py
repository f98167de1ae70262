"""Rows for tests, made by factory-boy: one file per room. They are committed at once, so that every door sees them.

Factories need the ``app`` fixture (its context says which database). A test that speaks of a deed makes its rows by
deeds; factories are for what was there before.
"""

from typing import Any, Generic

from factory.alchemy import SQLAlchemyModelFactory
from flask import g
from sqlalchemy.orm import Session
from typing_extensions import TypeVar

from schoolmeals.database import db

Row = TypeVar("Row", default=Any)


def session() -> Session:
    """The session of all factories within one test. Each statement stands for itself, so that a test which looks
    through it leaves no lock behind.
    """
    if "factory_session" not in g:
        engine = db.engine.execution_options(isolation_level="AUTOCOMMIT")
        g.factory_session = Session(engine, expire_on_commit=False)
    found: Session = g.factory_session
    return found


class RowFactory(SQLAlchemyModelFactory, Generic[Row]):
    """The base of every room's factories: ``FooFactory.create(name=...)`` gives a row that is already
    committed (and, unlike the bare call, tells type checkers its class).
    """

    class Meta:
        abstract = True
        sqlalchemy_session_factory = session
        sqlalchemy_session_persistence = "commit"


def saved(row: Any) -> Any:
    """``row`` after a test has changed it, committed."""
    session().add(row)
    session().commit()
    return row
