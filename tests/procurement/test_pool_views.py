"""The pool and the register of tenure: kept by officers, read by everybody, exceptions by the city's administrator."""

from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient

from schoolmeals.actors import SYSTEM, Role
from schoolmeals.procurement.models import PoolMember, TenureException
from schoolmeals.procurement.queries import commission as commission_queries
from schoolmeals.procurement.queries import tenures as tenure_queries
from tests.canteen.pages import send
from tests.factories.identity import PersonFactory, signed_in
from tests.factories.procurement import Procurement

POOL = "/procurement/pool"


@pytest.fixture
def officer(app: Flask, world: Procurement) -> FlaskClient:
    assert world.editor.id is not None
    return signed_in(app, world.editor.id)


@pytest.fixture
def admin(app: Flask, world: Procurement) -> FlaskClient:
    assert world.city_admin.id is not None
    return signed_in(app, world.city_admin.id)


def in_pool(world: Procurement) -> set[UUID]:
    return {one.id for one in world.look(commission_queries.pool, world.city_id, actor=SYSTEM)}


def test_somebody_is_entered_and_taken_out_again(world: Procurement, officer: FlaskClient) -> None:
    before = in_pool(world)
    person = PersonFactory.create(name="Айша Омарова", roles=[(Role.COMMISSION_MEMBER, world.city_id)])
    assert "Айша Омарова" in officer.get(POOL).text
    form = {"person_id": str(person.id), "surname": "Омарова", "given_name": "Айша", "constituency": "parents"}
    more = {"patronymic": "Серікқызы", "founder_of": "090840003422, 123456789012"}
    assert send(officer, POOL, {**form, **more}).status_code == 303
    (new,) = in_pool(world) - before
    row: PoolMember = world.look(lambda work: work.session.get_one(PoolMember, new))
    assert (row.person_id, row.founder_of) == (person.id, ["090840003422", "123456789012"])
    assert send(officer, POOL, form).status_code == 409
    assert send(officer, f"{POOL}/{new}/remove", {}, shown_at=POOL).status_code == 303
    assert in_pool(world) == before


def test_a_form_with_nothing_in_it_changes_nothing(world: Procurement, officer: FlaskClient) -> None:
    PersonFactory.create(roles=[(Role.COMMISSION_MEMBER, world.city_id)])
    before = in_pool(world)
    answer = send(officer, POOL, {})
    assert (answer.status_code, in_pool(world)) == (422, before)
    assert "Choose somebody from the list." in answer.text


def test_the_pool_says_what_a_draw_still_lacks(world: Procurement, officer: FlaskClient) -> None:
    assert "1 missing" not in officer.get(POOL).text
    health = [
        one for one in world.look(commission_queries.pool, world.city_id, actor=SYSTEM) if one.constituency == "health"
    ]
    for one in health[:2]:
        send(officer, f"{POOL}/{one.id}/remove", {}, shown_at=POOL)
    assert "1 missing" in officer.get(POOL).text


def test_times_in_office_are_noted_ended_and_read_by_everybody(
    app: Flask, world: Procurement, officer: FlaskClient
) -> None:
    place = {"organisation": str(world.city_id)}
    person = str(world.secretary.id)
    at = f"/rotation?organisation={world.city_id}"
    form = {**place, "person_id": person, "office": "commission-member", "started_on": "2026-01-12", "source": "No. 7"}
    assert send(officer, "/rotation/note", {**form, "started_on": "soon"}, shown_at=at).status_code == 422
    assert send(officer, "/rotation/note", form, shown_at=at).status_code == 303
    (line,) = world.look(tenure_queries.tenures, world.city_id, actor=SYSTEM)
    assert (line.source, line.ended_on) == ("No. 7", None)
    end = {**place, "tenure_id": str(line.id), "last_day": "2026-06-30"}
    assert send(officer, "/rotation/end", end, shown_at=at).status_code == 303
    public = app.test_client()
    public.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
    page = public.get(at).text
    assert "12 January 2026 – 30 June 2026" in page
    assert "Note a time in office" not in page
    assert send(officer, "/rotation/nothing", place, shown_at=at).status_code == 404


def test_only_the_city_admin_publishes_an_exception(
    app: Flask, world: Procurement, officer: FlaskClient, admin: FlaskClient
) -> None:
    at = f"/rotation?organisation={world.city_id}"
    form = {
        "organisation": str(world.city_id),
        "exception_person_id": str(world.secretary.id),
        "exception_office": "commission-member",
        "reason.kk": "Басқа адам жоқ",
        "reason.ru": "Больше никого нет",
        "until": "2027-01-31",
    }
    assert send(officer, "/rotation/except", form, shown_at=at).status_code == 403
    assert send(admin, "/rotation/except", {**form, "reason.kk": ""}, shown_at=at).status_code == 422
    assert world.look(tenure_queries.tenure_exceptions, world.city_id, actor=SYSTEM) == []
    assert send(admin, "/rotation/except", form, shown_at=at).status_code == 303
    rows: list[TenureException] = world.look(lambda work: work.session.query(TenureException).all())
    assert [one.reason for one in rows] == [{"kk": "Басқа адам жоқ", "ru": "Больше никого нет"}]
    assert "Басқа адам жоқ" in app.test_client().get(at).text
