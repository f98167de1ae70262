"""Officers write a tender through forms, a second person reads it, and it is published once."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from schoolmeals.actors import SYSTEM, Actor
from schoolmeals.ids import new_id
from schoolmeals.procurement.queries import drafts as draft_queries
from schoolmeals.procurement.queries import tenders as tender_queries
from schoolmeals.procurement.rules.sections import section
from schoolmeals.procurement.rules.stages import TenderStage
from schoolmeals.procurement.views.section_forms import inputs_of, items_section, read_content
from tests.canteen.pages import send
from tests.factories.identity import signed_in
from tests.factories.procurement import LOT_SECTIONS, TENDER_SECTIONS, TITLE, Procurement


@pytest.fixture
def editor(app: Flask, world: Procurement) -> FlaskClient:
    """The browser of the officer who writes."""
    return browser(app, world.editor)


@pytest.fixture
def reviewer(app: Flask, world: Procurement) -> FlaskClient:
    """The browser of the officer who reviews."""
    return browser(app, world.officer)


def browser(app: Flask, who: Actor) -> FlaskClient:
    assert who.id is not None
    return signed_in(app, who.id)


def post(client: FlaskClient, path: str, form: Mapping[str, str] | None = None) -> TestResponse:
    return send(client, path, form or {}, shown_at="/procurement/tenders")


def typed(content: Any, path: str = "") -> dict[str, str]:
    """A section's content as its form would send it; money in whole tenge."""
    if isinstance(content, dict):
        return {name: value for key, one in content.items() for name, value in typed(one, f"{path}{key}.").items()}
    if isinstance(content, list):
        pairs = [typed(one, f"{path}{place}.") for place, one in enumerate(content)]
        return {name: value for one in pairs for name, value in one.items()}
    return {path.rstrip("."): str(content // 100 if "_minor" in path else content)}


def stage(world: Procurement, tender_id: UUID) -> TenderStage:
    return world.stage(tender_id)


@pytest.mark.parametrize("name", [*TENDER_SECTIONS, *LOT_SECTIONS])
def test_what_a_form_sends_is_what_was_shown(app: Flask, name: str) -> None:
    content = {**TENDER_SECTIONS, **LOT_SECTIONS}[name]
    chosen = section(name, "catering", of_lot=name in LOT_SECTIONS)
    assert chosen is not None
    with app.test_request_context():
        controls = inputs_of(chosen, content)
    flat = [one for each in controls for one in (each, *(cell for row in each.rows for cell in row))]
    sent = {one.name: one.value for one in flat if one.kind != "rows"}
    assert read_content(chosen, sent) == content
    assert read_content(chosen, typed(content)) == content


def test_a_form_has_as_many_rows_as_must_be_filled(app: Flask) -> None:
    menu, posts = (section(name, "catering", of_lot=True) for name in ("menu", "staff"))
    assert menu is not None
    assert posts is not None
    days = LOT_SECTIONS["menu"]["days"]
    with app.test_request_context():
        assert [len(one.rows) for one in inputs_of(menu, {}) if one.rows] == [20]
        assert [len(one.rows) for one in inputs_of(menu, {"days": days[:15]}) if one.rows] == [20]
        assert [len(one.rows) for one in inputs_of(menu, {"days": days}) if one.rows] == [23]
        assert [len(one.rows) for one in inputs_of(posts, {}) if one.rows] == [4]


def test_what_cannot_be_read_is_kept_as_it_was_typed() -> None:
    chosen = items_section("catering", ())
    sent = {"items.0.meal": "lunch", "items.0.ceiling_minor": "eight hundred", "items.7.meal": " ", "items.x.meal": "y"}
    assert read_content(chosen, sent) == {"items": [{"meal": "lunch", "ceiling_minor": "eight hundred"}]}
    assert read_content(chosen, {"items.0.ceiling_minor": "1 250,5"}) == {"items": [{"ceiling_minor": 1_250_50}]}


def test_a_tender_goes_from_nothing_to_the_public(
    world: Procurement, editor: FlaskClient, reviewer: FlaskClient, client: FlaskClient
) -> None:
    draft_id = new_id(world.clock())
    form = {"draft_id": str(draft_id), "profile_code": "kz-catering-points"}
    form |= {f"title.{code}": text for code, text in TITLE.items()}
    for _ in range(2):
        assert post(editor, "/procurement/tenders", form).status_code == 303
    base = f"/procurement/tenders/{draft_id}"
    assert post(editor, f"{base}/lots", {"school_id": str(world.school_id)}).status_code == 303
    lot_id = world.look(draft_queries.lots_of, draft_id)[0].id
    for name, content in TENDER_SECTIONS.items():
        assert post(editor, f"{base}/edit/{name}", typed(content)).status_code == 303, name
    for name, content in LOT_SECTIONS.items():
        assert post(editor, f"{base}/lots/{lot_id}/edit/{name}", typed(content)).status_code == 303, name
    prices = {
        "items": [{"age_group": one, "meal": "lunch", "ceiling_minor": 850_00} for one in ("6-10", "11-14", "15-18")]
    }
    assert post(editor, f"{base}/lots/{lot_id}/edit/items", typed(prices)).status_code == 303
    assert post(editor, f"{base}/lots/{lot_id}/need").status_code == 303
    assert [one.quantity for one in world.look(draft_queries.items_of, lot_id)] == [270, 180, 90]
    world.draw_commission(draft_id)
    assert post(editor, f"{base}/decide/submit").status_code == 303
    assert post(editor, f"{base}/decide/approve").status_code == 403, "nobody reviews what they wrote"
    assert post(reviewer, f"{base}/decide/approve").status_code == 303
    assert client.get(f"/tenders/{draft_id}").status_code == 404
    act = {"act_id": str(new_id(world.clock()))}
    for _ in range(2):
        assert post(editor, f"{base}/decide/publish", act).location == f"/tenders/{draft_id}"
    assert client.get(f"/tenders/{draft_id}").status_code == 200
    kinds = [one.kind for one in world.look(tender_queries.acts, draft_id, actor=SYSTEM)]
    assert kinds.count("published") == 1
    assert kinds.count("opened-draft") == 1


def test_bad_input_comes_back_as_it_was_typed(world: Procurement, editor: FlaskClient) -> None:
    draft_id = world.bare_draft()
    path = f"/procurement/tenders/{draft_id}/edit/terms"
    before = world.look(tender_queries.acts, draft_id)
    answer = post(editor, path, {"bidding_days": "soon", "payment_days": "10", "special_terms.kk": "Шарт"})
    shown = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert 'value="soon"' in shown
    assert "Шарт" in shown
    assert 'href="#f-bidding_days"' in shown
    assert world.look(tender_queries.acts, draft_id) == before


def test_a_section_can_be_saved_before_it_is_complete(world: Procurement, editor: FlaskClient) -> None:
    draft_id = world.bare_draft()
    path = f"/procurement/tenders/{draft_id}/edit/terms"
    assert post(editor, path, {"payment_days": "10"}).status_code == 303
    assert world.look(draft_queries.sections_of, draft_id)[draft_id]["terms"] == {"payment_days": 10}
    assert post(editor, f"/procurement/tenders/{draft_id}/decide/submit").status_code == 422
    assert stage(world, draft_id) is TenderStage.DRAFT


def test_a_reviewer_returns_a_draft_only_with_a_reason(
    world: Procurement, editor: FlaskClient, reviewer: FlaskClient
) -> None:
    draft_id = world.tender_in(TenderStage.UNDER_REVIEW)
    base = f"/procurement/tenders/{draft_id}"
    assert post(reviewer, f"{base}/decide/return", {"reason": " "}).status_code == 422
    assert stage(world, draft_id) is TenderStage.UNDER_REVIEW
    assert post(reviewer, f"{base}/decide/return", {"reason": "Баға тым жоғары"}).status_code == 303
    assert stage(world, draft_id) is TenderStage.DRAFT
    assert "Баға тым жоғары" in editor.get(f"{base}/check").get_data(as_text=True)


def test_a_draft_is_nobody_elses(world: Procurement, app: Flask) -> None:
    draft_id = world.bare_draft()
    for who, code in ((world.supplier, 403), (world.buyer, 403), (world.auditor, 200), (world.city_admin, 200)):
        assert browser(app, who).get(f"/procurement/tenders/{draft_id}/edit").status_code == code


def test_whoever_judges_complaints_is_led_to_what_everybody_sees(world: Procurement, app: Flask) -> None:
    tender_id = world.tender_in(TenderStage.DISCUSSION)
    for who, page in (
        (world.review_body, f"/tenders/{tender_id}"),
        (world.auditor, f"/procurement/tenders/{tender_id}/edit"),
    ):
        client = browser(app, who)
        shown = client.get("/procurement/tenders").get_data(as_text=True)
        main = shown[shown.index("<main") :]
        assert f'href="{page}"' in main
        for address in set(re.findall(r'href="(/[^"#]+)"', main)):
            assert client.get(address).status_code == 200, address


def test_in_the_demo_terms_can_be_divided(
    world: Procurement, app: Flask, editor: FlaskClient, client: FlaskClient
) -> None:
    frame = app.extensions["schoolmeals"]
    app.extensions["schoolmeals"] = replace(frame, settings=replace(frame.settings, tender_accelerator=1440))
    draft_id = world.tender_in(TenderStage.APPROVED)
    form = {"act_id": str(new_id(world.clock()))}
    assert post(editor, f"/procurement/tenders/{draft_id}/decide/publish", form).status_code == 303
    assert world.until(draft_id, "discussion") == world.clock() + timedelta(minutes=5)
    assert world.until(draft_id, "bidding") == world.clock() + timedelta(minutes=15)
    shown = client.get(f"/tenders/{draft_id}", headers={"Accept-Language": "en"}).get_data(as_text=True)
    assert "all terms are 1,440 times shorter" in shown
