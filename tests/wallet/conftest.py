"""What the wallet's tests share."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event

from schoolmeals.clock import MovableClock
from schoolmeals.database import db
from schoolmeals.demo.stripe_double import to_application
from tests.factories.identity import signed_in
from tests.factories.payments import DoubleBench, in_process
from tests.factories.wallet import Family, new_family


@pytest.fixture
def statements(app: Flask) -> Iterator[list[str]]:
    """Every SQL statement that is sent, in its order; empty it before the part that is to be counted."""
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        sent.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    yield sent
    event.remove(db.engine, "before_cursor_execute", note)


@pytest.fixture
def bank(app: Flask, clock: MovableClock) -> Iterator[DoubleBench]:
    """The double of the payment provider behind the app; its webhooks come when ``bank.double.deliver_due()`` is
    called.
    """
    with in_process(clock) as bench:
        frame = app.extensions["schoolmeals"]
        app.extensions["schoolmeals"] = replace(frame, payments=bench.payments)
        bench.double.deliver = to_application(app, "/webhooks/stripe")
        yield bench
        app.extensions["schoolmeals"] = frame


@pytest.fixture
def family(app: Flask) -> Family:
    """A school with a pupil, a guardian and somebody in the office."""
    return new_family()


@pytest.fixture
def parent(app: Flask, family: Family) -> FlaskClient:
    """The guardian's browser."""
    assert family.parent.id is not None
    return signed_in(app, family.parent.id)


@pytest.fixture
def office(app: Flask, family: Family) -> FlaskClient:
    """The school office's browser."""
    assert family.office.id is not None
    return signed_in(app, family.office.id)
