"""The office finds a receipt by the number that somebody reads out."""

from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from schoolmeals.actors import Role
from schoolmeals.ids import new_id, number_heard, number_in_sql, spoken_number
from tests.factories.canteen import Canteen, new_canteen
from tests.factories.identity import PersonFactory, signed_in
from tests.parents.conftest import Parents
from tests.parents.test_views import words


@pytest.fixture
def office(app: Flask, canteen: Canteen) -> FlaskClient:
    return signed_in(app, PersonFactory.create(roles=[(Role.SCHOOL_OFFICE, canteen.school_id)]).id)


def search(client: FlaskClient, school_id: UUID, number: str) -> str:
    answer = client.get(f"/school/{school_id}/receipts", query_string={"number": number})
    assert answer.status_code == 200
    return words(answer.text)


def test_the_database_reckons_a_number_as_we_do(do: Any) -> None:
    ids = [new_id() for _ in range(200)] + [UUID(int=0), UUID(int=2**128 - 1)]
    asked = text(
        f"SELECT {number_in_sql('id')} FROM unnest(CAST(:ids AS uuid[])) WITH ORDINALITY AS one(id, at) ORDER BY at"
    )
    reckoned = do(lambda work: work.session.scalars(asked, {"ids": [str(id) for id in ids]}).all())
    assert list(reckoned) == [number_heard(spoken_number(id)) for id in ids]


def test_a_meal_is_found_by_its_receipts_number(
    canteen: Canteen, parents: Parents, office: FlaskClient, ring: Any
) -> None:
    sale_id = ring(canteen.order(parents.pupil_id, meal=True))
    number = spoken_number(sale_id)
    for typed in (number, number.replace("\u00a0", " "), number.replace("\u00a0", "-"), number.replace("\u00a0", "")):
        said = search(office, canteen.school_id, typed)
        assert "Сейітқали Ерасыл" in said
        assert "850 ₸" in said
    page = office.get(f"/school/{canteen.school_id}/receipts?number={number}").text
    assert f'href="/receipt/{canteen.school_id}/{sale_id}"' in page


def test_nothing_is_found_by_another_number_or_in_another_school(
    app: Flask, canteen: Canteen, parents: Parents, office: FlaskClient, ring: Any
) -> None:
    number = spoken_number(ring(canteen.order(parents.pupil_id, meal=True)))
    assert "No such receipt" in search(office, canteen.school_id, "00000 00001")
    assert "Type digits only." in search(office, canteen.school_id, "abc")
    assert "No such receipt" not in search(office, canteen.school_id, "")
    elsewhere = new_canteen(canteen.now)
    stranger = signed_in(app, PersonFactory.create(roles=[(Role.SCHOOL_OFFICE, elsewhere.school_id)]).id)
    assert "No such receipt" in search(stranger, elsewhere.school_id, number)
    assert stranger.get(f"/school/{canteen.school_id}/receipts?number={number}").status_code == 404
