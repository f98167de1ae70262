"""Who waits for whom at a tender's row (decision 11): bids for nobody but a closing, and a closing for every bid."""

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from schoolmeals.actors import SYSTEM
from schoolmeals.database import Work, db
from schoolmeals.procurement.acting import Lock, lock_tender
from tests.factories.procurement import Procurement


def waits(first: Lock, second: Lock, world: Procurement) -> bool:
    """Whether a deed that takes ``second`` must wait while another holds ``first``."""
    tender_id = world.bare_draft()
    with Session(db.engine) as holding, Session(db.engine) as asking:
        lock_tender(Work(holding, SYSTEM, world.clock()), tender_id, first)
        asking.execute(text("SET LOCAL lock_timeout = '100ms'"))
        try:
            lock_tender(Work(asking, SYSTEM, world.clock()), tender_id, second)
        except OperationalError:
            return True
        return False


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (Lock.SUBMIT, Lock.SUBMIT, False),
        (Lock.SUBMIT, Lock.ACT, False),
        (Lock.ACT, Lock.SUBMIT, False),
        (Lock.ACT, Lock.ACT, True),
        (Lock.SUBMIT, Lock.CLOSE, True),
        (Lock.CLOSE, Lock.SUBMIT, True),
        (Lock.ACT, Lock.CLOSE, True),
        (Lock.CLOSE, Lock.ACT, True),
    ],
)
def test_who_waits_for_whom(app: Flask, world: Procurement, first: Lock, second: Lock, expected: bool) -> None:
    assert waits(first, second, world) is expected
