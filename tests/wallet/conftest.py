"""What the wallet's tests share."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event

from schoolmeals.database import db


@pytest.fixture
def statements(app: Flask) -> Iterator[list[str]]:
    """Every SQL statement that is sent, in its order; empty it before the part that is to be counted."""
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        sent.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    yield sent
    event.remove(db.engine, "before_cursor_execute", note)
