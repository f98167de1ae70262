"""Values travel to PostgreSQL as arrays of text and arrive as what they were."""

from datetime import UTC, date, datetime, time
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from schoolmeals.actors import SYSTEM, Role
from schoolmeals.asking import array_of
from schoolmeals.database import reading

NOW = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30)


def sent(kind: str, values: list[Any]) -> list[Any]:
    """What PostgreSQL takes ``values`` for."""
    with reading(SYSTEM, NOW) as look:
        asked = text(
            f"SELECT one FROM unnest(CAST(:values AS {kind}[])) WITH ORDINALITY AS n(one, place) ORDER BY place"
        )
        return list(look.session.scalars(asked, {"values": array_of(values)}))


@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.lists(st.none() | texts, max_size=8))
def test_texts_arrive_as_they_were_sent(app: Flask, values: list[str | None]) -> None:
    assert sent("text", values) == values


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("uuid", [UUID(int=5), None]),
        ("bigint", [0, -1, 2**63 - 1, None]),
        ("boolean", [True, False, None]),
        ("timestamptz", [NOW, NOW.replace(microsecond=1), None]),
        ("date", [date(2026, 11, 23)]),
        ("time", [time(23, 59, 59, 999999)]),
        ("bytea", [b"", b'\x00"\\{},', None]),
        ("text", ["NULL", "null", "", " ", '"', "\\", "{a,b}", "Әсем", "a\nb"]),
        ("jsonb", [{"a": 'quote " and \\'}, ["x", None]]),
        ("text", []),
    ],
)
def test_every_kind_arrives_as_it_was_sent(app: Flask, kind: str, values: list[Any]) -> None:
    assert sent(kind, values) == values


def test_a_word_of_an_enumeration_is_its_value(app: Flask) -> None:
    assert sent("text", [Role.CASHIER]) == ["cashier"]


def test_what_is_not_known_is_refused() -> None:
    with pytest.raises(TypeError, match="float does not go into an array"):
        array_of([1.5])
