"""The annual plan's pages: officers write it, everybody reads what is published."""

import re
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from schoolmeals.actors import SYSTEM, Actor
from schoolmeals.ids import new_id
from schoolmeals.procurement.actions import plans
from schoolmeals.procurement.models import Lot, PlanLine
from tests.canteen.pages import send
from tests.factories.identity import signed_in
from tests.factories.procurement import Procurement

FORM = {
    "title.kk": "№ 301 мектептің түскі асы",
    "title.ru": "Обеды школы № 301",
    "profile_code": "kz-catering-points",
    "year": "2027",
    "starts_on": "2027-01-11",
    "ends_on": "2027-05-25",
    "meals": "lunch",
    "amount_minor": "500 000",
    "announce_on": "2026-12-01",
}


def browser(app: Flask, who: Actor) -> FlaskClient:
    assert who.id is not None
    return signed_in(app, who.id)


@pytest.fixture
def editor(app: Flask, world: Procurement) -> FlaskClient:
    """The browser of the officer who writes."""
    return browser(app, world.editor)


def post(client: FlaskClient, path: str, form: Mapping[str, str]) -> TestResponse:
    return send(client, path, form, shown_at="/procurement/tenders")


def rows(world: Procurement) -> list[PlanLine]:
    found: list[PlanLine] = world.look(lambda work: list(work.session.scalars(select(PlanLine))))
    return found


def new_line(**changes: str) -> dict[str, str]:
    """The form of a new line, as it was loaded once."""
    return {**FORM, "line_id": str(new_id()), **changes}


def added(world: Procurement, editor: FlaskClient, **changes: str) -> UUID:
    answer = post(editor, "/procurement/plan/new", new_line(school_id=str(world.school_id), **changes))
    assert answer.status_code == 303, answer.get_data(as_text=True)
    return UUID(answer.location.rsplit("/", 1)[-1])


def test_a_line_is_written_published_and_withdrawn(
    world: Procurement, editor: FlaskClient, client: FlaskClient
) -> None:
    line_id = added(world, editor)
    (row,) = rows(world)
    assert (row.pupils, row.planned_days, row.amount_minor) == ({"6-10": 3, "11-14": 2, "15-18": 1}, 97, 500_000_00)
    assert client.get(f"/plan/{line_id}").status_code == 404
    assert "№ 301" not in client.get("/plan?year=2027").get_data(as_text=True)
    assert post(editor, f"/procurement/plan/{line_id}/publish", {}).status_code == 303
    shown = client.get(f"/plan/{line_id}", headers={"Accept-Language": "en"}).get_data(as_text=True)
    assert "Lunch, 6 to 10 years" in shown
    assert "291" in shown, "three pupils on ninety-seven days"
    assert f"/plan/{line_id}" in client.get("/plan").get_data(as_text=True)
    assert post(editor, f"/procurement/plan/{line_id}/withdraw", {"reason": " "}).status_code == 422
    assert post(editor, f"/procurement/plan/{line_id}/withdraw", {"reason": "Мектеп жабылды"}).status_code == 303
    assert "Мектеп жабылды" in client.get(f"/plan/{line_id}").get_data(as_text=True)


def test_a_line_is_changed_and_shows_what_was_served(world: Procurement, editor: FlaskClient) -> None:
    line_id = added(world, editor)
    form = {**FORM, "school_id": str(world.school_id), "planned_days": "90"}
    assert post(editor, f"/procurement/plan/{line_id}", form).status_code == 303
    assert [row.planned_days for row in rows(world)] == [90]
    for day in (12, 13):
        counts = {("6-10", "lunch"): 50, ("11-14", "lunch"): 31}
        at = world.clock().date().replace(year=2026, month=1, day=day)
        world.do(plans.note_served_meals, world.school_id, at, counts, actor=SYSTEM)
    shown = editor.get(f"/procurement/plan/{line_id}").get_data(as_text=True)
    assert "162" in shown
    assert "81" in shown, "a day"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"planned_days": "98"}, "planned_days"),
        ({"starts_on": "soon"}, "starts_on"),
        ({"ends_on": "2026-12-31"}, "ends_on"),
        ({"title.ru": ""}, "title.ru"),
        ({"meals": ""}, "meals"),
        ({"amount_minor": "0"}, "amount_minor"),
        ({"school_id": ""}, "school_id"),
        ({"profile_code": "nothing"}, "profile_code"),
        ({"year": "2011"}, "year"),
    ],
)
def test_what_is_wrong_comes_back_beside_its_field(
    world: Procurement, editor: FlaskClient, changes: dict[str, str], field: str
) -> None:
    answer = post(editor, "/procurement/plan/new", new_line(**{"school_id": str(world.school_id), **changes}))
    shown = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert f'href="#f-{field}"' in shown
    assert 'value="2026-12-01"' in shown, "what was typed is still there"
    assert rows(world) == []


def test_a_school_without_pupils_needs_no_meals(world: Procurement, editor: FlaskClient) -> None:
    answer = post(editor, "/procurement/plan/new", new_line(school_id=str(world.other_school_id)))
    assert answer.status_code == 422
    assert 'href="#f-school_id"' in answer.get_data(as_text=True)


def test_a_line_is_nobody_elses(world: Procurement, app: Flask, editor: FlaskClient) -> None:
    line_id = added(world, editor)
    for who, code in ((world.supplier, 403), (world.buyer, 403), (world.auditor, 200), (world.city_admin, 200)):
        assert browser(app, who).get(f"/procurement/plan/{line_id}").status_code == code


def test_a_new_lot_goes_by_its_schools_line(world: Procurement, editor: FlaskClient) -> None:
    line_id = added(world, editor)
    post(editor, f"/procurement/plan/{line_id}/publish", {})
    found: list[Any] = []
    for _ in range(2):
        draft_id = world.bare_draft()
        post(editor, f"/procurement/tenders/{draft_id}/lots", {"school_id": str(world.school_id)})
        lots = select(Lot.plan_line_id).where(Lot.tender_id == draft_id)
        found += world.look(lambda work, lots=lots: work.session.scalars(lots).all())
    assert found == [line_id, None], "one lot for one line"


def test_a_form_that_is_sent_twice_makes_one_line(world: Procurement, app: Flask, editor: FlaskClient) -> None:
    form = new_line(school_id=str(world.school_id))
    first, again = (post(editor, "/procurement/plan/new", form) for _ in range(2))
    assert (first.status_code, again.status_code, first.location) == (303, 303, again.location)
    shown = editor.get("/procurement/plan/new").get_data(as_text=True)
    assert re.search(r'name="line_id" value="[0-9a-f-]{36}"', shown)
    others = post(browser(app, world.officer), "/procurement/plan/new", form)
    assert others.status_code == 409, "an id of somebody else's"
    assert len(rows(world)) == 1


def test_a_second_line_of_a_double_click_would_be_found(world: Procurement, editor: FlaskClient) -> None:
    """Planted: every sending is a form of its own."""
    for _ in range(2):
        added(world, editor)
    assert len(rows(world)) == 2
