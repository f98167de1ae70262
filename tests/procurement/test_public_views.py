"""What everybody reads about tenders without signing in."""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from xml.etree import ElementTree

import pytest
from flask import Flask
from flask.testing import FlaskClient

from schoolmeals.actors import SYSTEM
from schoolmeals.ids import new_id
from schoolmeals.procurement.acting import deed_clock
from schoolmeals.procurement.actions import cancelling
from schoolmeals.procurement.queries import tenders as tender_queries
from schoolmeals.procurement.rules.acts import Act, ActKind
from schoolmeals.procurement.rules.differences import Difference, differences
from schoolmeals.procurement.rules.stages import TenderStage
from schoolmeals.procurement.showing import history, time_left
from tests.factories.procurement import Procurement
from tests.procurement.test_complaints import accept, complain, decide

ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture
def published(world: Procurement) -> UUID:
    """A tender whose terms are being discussed."""
    return world.tender_in(TenderStage.DISCUSSION)


def page(client: FlaskClient, path: str) -> str:
    answer = client.get(path, headers={"Accept-Language": "en"})
    assert answer.status_code == 200, path
    return answer.get_data(as_text=True)


def test_the_list_shows_published_tenders_alone(client: FlaskClient, world: Procurement, published: UUID) -> None:
    draft_id = world.bare_draft()
    shown = page(client, "/tenders")
    assert f"/tenders/{published}" in shown
    assert str(draft_id) not in shown
    assert "1 tender<" in shown


def test_a_draft_is_not_there(client: FlaskClient, world: Procurement) -> None:
    draft_id = world.bare_draft()
    for rest in ("", "/history", "/notice.json"):
        assert client.get(f"/tenders/{draft_id}{rest}").status_code == 404
        assert client.get(f"/tenders/{new_id(world.clock())}{rest}").status_code == 404


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("text=meals+2027", True),
        ("text=2026-0001", True),
        ("text=nothing", False),
        ("stage=discussion", True),
        ("stage=bidding", False),
        ("school={school}", True),
        ("school={other}", False),
    ],
)
def test_the_list_is_narrowed(
    client: FlaskClient, world: Procurement, published: UUID, query: str, found: bool
) -> None:
    asked = query.format(school=world.school_id, other=world.other_school_id)
    shown = page(client, f"/tenders?{asked}")
    assert (f"/tenders/{published}" in shown) is found
    assert ("No tender was found" in shown) is not found


@pytest.mark.parametrize("query", ["stage=nowhere", "school=1", "page=0", "page=x", "page=999999999999999999999"])
def test_what_no_form_sends_is_not_there(client: FlaskClient, world: Procurement, query: str) -> None:
    assert client.get(f"/tenders?{query}").status_code == 404


def test_a_page_counts_down_by_the_servers_clock(client: FlaskClient, world: Procurement, published: UUID) -> None:
    until = world.until(published, "discussion")
    world.clock.now = until - timedelta(days=2, hours=3, minutes=1)
    assert "2 days 3 hours" in page(client, f"/tenders/{published}")
    world.clock.now = until
    assert "Left to discuss the terms" in page(client, f"/tenders/{published}")
    world.clock.now = until + timedelta(microseconds=1)
    assert "Left to hand in a bid" in page(client, f"/tenders/{published}")


@pytest.mark.parametrize(
    ("language", "words"), [("kk", "16 күн 5 сағат"), ("ru", "16 дней 5 часов"), ("en", "16 days 5 hours")]
)
def test_what_is_left_is_told_in_two_units(app: Flask, language: str, words: str) -> None:
    start = datetime(2026, 11, 23, tzinfo=UTC)
    with app.test_request_context(headers={"Accept-Language": language}):
        assert time_left(start + timedelta(days=16, hours=5, minutes=59), start) == words
        assert time_left(start - timedelta(days=1), start)[0] == "0"


def test_the_page_says_what_is_bought_and_what_is_not_verified(client: FlaskClient, published: UUID) -> None:
    shown = page(client, f"/tenders/{published}")
    assert "Lunch, 6 to 10 years" in shown
    assert "270" in shown, "three pupils on ninety days"
    assert "₸" in shown
    assert "Not verified" in shown
    assert "Order No. 598 of 31 October 2018" in shown


def test_the_notice_is_the_very_text_of_its_digest(client: FlaskClient, world: Procurement, published: UUID) -> None:
    kept = world.look(tender_queries.version, published, actor=SYSTEM)
    sent = client.get(f"/tenders/{published}/notice.json").data
    assert hashlib.sha256(sent).hexdigest() == kept.sha256
    assert kept.sha256 in page(client, f"/tenders/{published}")
    assert client.get(f"/tenders/{published}/notice.json?version=2").status_code == 404


def test_the_history_begins_with_the_first_text(client: FlaskClient, published: UUID) -> None:
    shown = page(client, f"/tenders/{published}/history")
    assert "The first text." in shown
    assert "The commission was drawn by lot" in shown


def test_tenders_are_found_by_their_deadline(client: FlaskClient, world: Procurement) -> None:
    tender_id, draft_id = world.tender_in(TenderStage.BIDDING), world.bare_draft()
    until = world.until(tender_id, "bidding")

    def found(query: str) -> bool:
        shown = page(client, f"/tenders?{query}")
        assert str(draft_id) not in shown
        return f"/tenders/{tender_id}" in shown

    world.clock.now = until - timedelta(days=7)
    assert [found(f"deadline={days}") for days in (3, 7, 14, 30)] == [False, True, True, True]
    world.clock.now = until - timedelta(days=7, seconds=1)
    assert not found("deadline=7")
    world.clock.now = until + timedelta(seconds=1)
    assert not found("deadline=30"), "what is over has no deadline"
    for wrong in ("5", "x", "-7"):
        assert client.get(f"/tenders?deadline={wrong}").status_code == 404


def test_the_feed_is_atom_with_the_publication(client: FlaskClient, published: UUID) -> None:
    answer = client.get("/tenders/feed.atom", headers={"Accept-Language": "en"})
    assert answer.content_type == "application/atom+xml; charset=utf-8"
    feed = ElementTree.fromstring(answer.data)
    entries = feed.findall(f"{ATOM}entry")
    assert [one.findtext(f"{ATOM}summary") for one in entries] == ["The tender was published"]
    link = entries[0].find(f"{ATOM}link")
    assert link is not None
    assert link.get("href") == f"http://localhost/tenders/{published}"


def test_a_draw_can_be_repeated_from_its_page(client: FlaskClient, world: Procurement, published: UUID) -> None:
    acts = world.look(tender_queries.acts, published, actor=SYSTEM)
    announced = next(one for one in acts if one.kind == "draw-announced")
    shown = page(client, f"/draws/{announced.id}")
    assert announced.payload["pool_sha256"] in shown
    assert "525.31 567.89 6.71" in shown
    assert all(one["id"] in shown for one in announced.payload["pool"])
    assert str(published) not in shown, "it names no tender"
    assert client.get(f"/draws/{published}").status_code == 404


LOT: dict[str, Any] = {"id": "l", "position": 1, "items": [{"id": "a", "quantity": 5}, {"id": "b", "quantity": 6}]}


def test_differences_follow_ids_and_not_places() -> None:
    before = {"sections": {"terms": {"payment_days": 10}}, "lots": [LOT]}
    items = [{"id": "b", "quantity": 6}, {"id": "a", "quantity": 7}]
    after = {"sections": {"terms": {"payment_days": 10, "special_terms": ""}}, "lots": [{**LOT, "items": items}]}
    assert differences(before, after) == [Difference(("lots", "l", "items", "a", "quantity"), 5, 7)]
    assert differences(before, before) == []


def test_what_comes_or_goes_is_told_by_its_fields() -> None:
    one_less = {"lots": [{**LOT, "items": LOT["items"][:1]}]}
    assert differences({"lots": [LOT]}, one_less) == [Difference(("lots", "l", "items", "b", "quantity"), 6, None)]
    assert differences(one_less, {"lots": [LOT]}) == [Difference(("lots", "l", "items", "b", "quantity"), None, 6)]


def test_a_complaint_that_holds_is_named_and_so_is_what_became_of_it(client: FlaskClient, world: Procurement) -> None:
    tender_id = world.tender_in(TenderStage.STANDSTILL)
    complaint_id = complain(world, tender_id)
    accept(world, tender_id, complaint_id)
    shown = page(client, f"/tenders/{tender_id}")
    assert "All its terms wait until it is resumed." in shown
    assert shown.count("Complaint No. 1") == 2, "at the top, and in what has happened"
    decide(world, tender_id, complaint_id)
    shown = page(client, f"/tenders/{tender_id}")
    assert "All its terms wait" not in shown
    assert '<span class="hint">Declined</span>' in shown
    answer = client.get(f"/tenders/{tender_id}", headers={"Accept-Language": "ru"})
    assert '<span class="hint">declined</span>' not in answer.get_data(as_text=True)


def test_a_cancelled_tender_says_why_and_offers_no_complaint(client: FlaskClient, world: Procurement) -> None:
    tender_id = world.tender_in(TenderStage.BIDDING)
    way = f"/tenders/{tender_id}/complain"
    assert all(way in page(client, f"/tenders/{tender_id}{rest}") for rest in ("", "/award"))
    about: dict[str, Any] = {"reason_code": "no-need", "reason": "The school is rebuilt", "clock": deed_clock}
    world.do(cancelling.cancel_tender, tender_id, **about)
    shown = page(client, f"/tenders/{tender_id}")
    assert shown.index("The school is rebuilt") < shown.index("What comes when")
    assert not any(way in page(client, f"/tenders/{tender_id}{rest}") for rest in ("", "/award"))


def test_why_somebody_declined_a_seat_is_nobodys_business(app: Flask) -> None:
    declined = Act(
        id=new_id(),
        number=1,
        kind=ActKind.APPOINTMENT_DECLINED,
        at=datetime(2026, 9, 1, tzinfo=UTC),
        payload={"reason": "An illness"},
    )
    with app.test_request_context("/"):
        (told,) = history([declined])
    assert (told["kind"], told["text"]) == ("appointment-declined", "")
