"""The officers' page on which a commission is drawn."""

from datetime import timedelta
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from schoolmeals.procurement.queries import commission as commission_queries
from schoolmeals.procurement.queries import tenders as tender_queries
from schoolmeals.procurement.rules.quorum import voters
from tests.canteen.pages import send
from tests.factories.identity import signed_in
from tests.factories.procurement import SEED, Procurement

ANNOUNCED = {
    "seed_source": "Rates of the National Bank",
    "seed_numbers": "USD, EUR, RUB",
    "seed_decimals": "2",
    "day": "2026-11-24",
    "time": "10:00",
}


@pytest.fixture
def editor(app: Flask, world: Procurement) -> FlaskClient:
    """The browser of the officer who writes."""
    assert world.editor.id is not None
    return signed_in(app, world.editor.id)


@pytest.fixture
def draft_id(world: Procurement) -> UUID:
    return world.bare_draft()


def post(client: FlaskClient, draft_id: UUID, step: str, form: dict[str, str]) -> TestResponse:
    page = f"/procurement/tenders/{draft_id}/commission"
    return send(client, f"{page}/{step}", form, shown_at="/procurement/tenders")


def test_a_commission_is_announced_and_drawn(
    app: Flask, world: Procurement, editor: FlaskClient, draft_id: UUID
) -> None:
    assert post(editor, draft_id, "announce", ANNOUNCED).status_code == 303
    announced = world.look(tender_queries.acts, draft_id)[-1]
    assert announced.payload["seed_not_before"] == "2026-11-24T05:00:00+00:00"
    assert post(editor, draft_id, "draw", {"seed": SEED}).status_code == 409, "the seed is not known yet"
    assert world.seats(draft_id) == ()
    world.clock.move(timedelta(days=1))
    assert world.editor.id is not None
    editor = signed_in(app, world.editor.id)
    assert post(editor, draft_id, "draw", {"seed": SEED}).status_code == 303
    assert post(editor, draft_id, "secretary", {}).status_code == 303
    parts = [seat.part for seat in world.seats(draft_id)]
    assert sorted(parts) == ["alternate"] * 3 + ["chair", "deputy"] + ["member"] * 3 + ["secretary"]
    shown = editor.get(f"/procurement/tenders/{draft_id}/commission").text
    assert all(seat.name in shown for seat in world.seats(draft_id))
    assert world.look(commission_queries.draw_record, announced.id).seed == SEED


@pytest.mark.parametrize(
    "wrong", [{"day": "soon"}, {"time": ""}, {"seed_source": " "}, {"day": "2026-11-22"}, {"day": "0001-01-01"}]
)
def test_a_wrong_announcement_comes_back(
    world: Procurement, editor: FlaskClient, draft_id: UUID, wrong: dict[str, str]
) -> None:
    before = world.look(tender_queries.acts, draft_id)
    answer = post(editor, draft_id, "announce", ANNOUNCED | wrong)
    assert answer.status_code == 422
    assert world.look(tender_queries.acts, draft_id) == before


def test_there_are_no_other_steps(editor: FlaskClient, draft_id: UUID) -> None:
    assert post(editor, draft_id, "choose", {}).status_code == 404


def test_the_city_admin_takes_a_member_out_and_an_alternate_is_called(app: Flask, world: Procurement) -> None:
    tender_id = world.draft()
    leaving = world.seat(tender_id, "member")
    form = {"seat_id": str(leaving.id), "reason": "Works for a bidder"}
    assert world.editor.id is not None
    assert world.city_admin.id is not None
    officer, admin = (signed_in(app, person) for person in (world.editor.id, world.city_admin.id))
    assert post(officer, tender_id, "take-out", form).status_code == 403
    assert post(admin, tender_id, "take-out", {**form, "seat_id": ""}).status_code == 422
    assert post(admin, tender_id, "take-out", {**form, "reason": " "}).status_code == 422
    assert leaving.id in {one.id for one in voters(world.seats(tender_id))}
    assert post(admin, tender_id, "take-out", form).status_code == 303
    seats = world.seats(tender_id)
    assert leaving.id not in {one.id for one in voters(seats)}
    assert len(voters(seats)) == 5
    page = officer.get(f"/procurement/tenders/{tender_id}/commission").text
    assert "Take a member out" not in page
    assert "Alternates who can be called" in page
