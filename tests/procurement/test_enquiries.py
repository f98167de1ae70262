"""Questions and objections: asked in their terms, answered for everybody, and never with the asker's name."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from schoolmeals.actors import PUBLIC, SYSTEM, Actor
from schoolmeals.errors import Conflict, Invalid, NotFound, NotNow, Refusal
from schoolmeals.ids import new_id
from schoolmeals.procurement.acting import deed_clock
from schoolmeals.procurement.actions import closing, enquiries, opening
from schoolmeals.procurement.queries import enquiries as queries
from schoolmeals.procurement.queries import tenders as tender_queries
from schoolmeals.procurement.rules.enquiries import NewEnquiry, may_ask
from schoolmeals.procurement.rules.stages import TenderStage
from tests.canteen.pages import send
from tests.factories.identity import signed_in
from tests.factories.procurement import ALMATY, KEYS, Procurement

TEXT = "Түскі ас қай уақытта беріледі?"
ANSWER = {"kk": "Сағат 11:00-де", "ru": "В 11:00"}


def question(world: Procurement, **changes: Any) -> NewEnquiry:
    wanted = {"id": new_id(world.clock()), "kind": "question", "text": TEXT, "language": "kk", **changes}
    return NewEnquiry(**wanted)


def asked(world: Procurement, tender_id: UUID, actor: Actor | None = None, **changes: Any) -> UUID:
    found: UUID = world.do(enquiries.ask_enquiry, tender_id, question(world, **changes), actor=actor or world.supplier)
    return found


def refusal(world: Procurement, tender_id: UUID, deed: Any, *args: Any, **kwargs: Any) -> Refusal:
    """How a deed is refused; nothing has happened by it."""
    before = world.look(tender_queries.acts, tender_id, actor=SYSTEM)
    with pytest.raises(Refusal) as told:
        world.do(deed, tender_id, *args, **kwargs)
    assert world.look(tender_queries.acts, tender_id, actor=SYSTEM) == before
    return told.value


def test_a_question_is_asked_once_and_its_asker_stays_hidden(world: Procurement) -> None:
    tender_id = world.tender_in(TenderStage.DISCUSSION)
    enquiry = question(world)
    for _ in range(2):
        assert world.do(enquiries.ask_enquiry, tender_id, enquiry, actor=world.supplier) == enquiry.id
    for who, is_mine in ((PUBLIC, False), (world.editor, False), (world.buyer, False), (world.supplier, True)):
        (seen,) = world.look(queries.enquiries, tender_id, actor=who)
        assert (seen.text, seen.asker, seen.is_mine, seen.answer) == (TEXT, "", is_mine, None)
    (seen,) = world.look(queries.enquiries, tender_id, actor=world.auditor)
    assert seen.asker != ""
    other = refusal(world, tender_id, enquiries.ask_enquiry, enquiry, actor=world.stranger)
    assert (type(other), other.code) == (Conflict, "id-used")


def test_an_answer_is_given_once_in_the_languages_of_the_city(world: Procurement) -> None:
    tender_id = world.tender_in(TenderStage.BIDDING)
    enquiry_id = asked(world, tender_id, language="en")
    wrong = refusal(world, tender_id, enquiries.answer_enquiry, enquiry_id, {"kk": "Иә"})
    assert isinstance(wrong, Invalid)
    assert sorted(wrong.fields) == ["text.en", "text.ru"]
    nothing = refusal(world, tender_id, enquiries.answer_enquiry, enquiry_id, {})
    assert isinstance(nothing, Invalid)
    assert sorted(nothing.fields) == ["text.en", "text.kk", "text.ru"]
    world.do(enquiries.answer_enquiry, tender_id, enquiry_id, {**ANSWER, "en": "At 11:00"})
    (seen,) = world.look(queries.enquiries, tender_id, actor=PUBLIC)
    assert (seen.answer, seen.leads_to_amendment) == ({**ANSWER, "en": "At 11:00"}, False)
    again = refusal(world, tender_id, enquiries.answer_enquiry, enquiry_id, ANSWER)
    assert (type(again), again.code) == (Conflict, "already-answered")
    assert isinstance(refusal(world, tender_id, enquiries.answer_enquiry, new_id(), ANSWER), NotFound)


def test_questions_end_with_their_term(world: Procurement) -> None:
    tender_id = world.tender_in(TenderStage.BIDDING)
    world.clock.now = world.until(tender_id, "questions")
    asked(world, tender_id)
    world.clock.move(timedelta(microseconds=1))
    late = refusal(world, tender_id, enquiries.ask_enquiry, question(world), actor=world.supplier)
    assert (type(late), late.code) == (NotNow, "questions-over")


def test_objections_are_made_while_the_terms_are_discussed(world: Procurement) -> None:
    tender_id = world.tender_in(TenderStage.DISCUSSION)
    asked(world, tender_id, kind="objection")
    world.clock.now = world.until(tender_id, "discussion") + timedelta(microseconds=1)
    late = refusal(world, tender_id, enquiries.ask_enquiry, question(world, kind="objection"), actor=world.supplier)
    assert late.code == "objections-over"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"text": " "}, "text"),
        ({"text": "x" * 4001}, "text"),
        ({"text": "a\x00b"}, "text"),
        ({"kind": "order"}, "kind"),
        ({"language": "de"}, "language"),
        ({"lot_id": UUID(int=7)}, "lot_id"),
    ],
)
def test_a_question_must_say_something(world: Procurement, changes: dict[str, Any], field: str) -> None:
    tender_id = world.tender_in(TenderStage.DISCUSSION)
    wrong = refusal(world, tender_id, enquiries.ask_enquiry, question(world, **changes), actor=world.supplier)
    assert isinstance(wrong, Invalid)
    assert list(wrong.fields) == [field]


def test_nobody_floods_a_tender_with_questions(world: Procurement) -> None:
    assert may_ask("question", TenderStage.BIDDING, world.clock(), None, 9) is None
    refused = may_ask("question", TenderStage.BIDDING, world.clock(), None, 10)
    assert refused is not None
    assert (refused.code, refused.facts) == ("too-many-waiting", {"most": 10})


def test_an_unanswered_question_keeps_the_bids_closed(world: Procurement) -> None:
    tender_id = world.tender_in(TenderStage.BIDDING)
    enquiry_id = asked(world, tender_id)
    world.clock.now = world.until(tender_id, "bidding") + timedelta(hours=1)
    legal: dict[str, Any] = {"keys": KEYS, "clock": deed_clock, "actor": SYSTEM}
    world.do(closing.close_bidding, tender_id, **legal)
    blocked = refusal(world, tender_id, opening.start_opening, zone=ALMATY, **legal)
    assert (type(blocked), blocked.code, dict(blocked.params)) == (NotNow, "enquiries-unanswered", {"count": 1})
    world.do(enquiries.answer_enquiry, tender_id, enquiry_id, ANSWER)
    world.do(opening.start_opening, tender_id, zone=ALMATY, **legal)
    assert world.stage(tender_id) is TenderStage.OPENING


# Pages


def browser(app: Flask, who: Actor) -> FlaskClient:
    assert who.id is not None
    return signed_in(app, who.id)


def post(client: FlaskClient, path: str, form: Mapping[str, str]) -> TestResponse:
    return send(client, path, form, shown_at="/tenders")


def test_a_question_goes_to_the_page_and_an_answer_comes_back(
    world: Procurement, app: Flask, client: FlaskClient
) -> None:
    tender_id = world.tender_in(TenderStage.DISCUSSION)
    page, desk = f"/tenders/{tender_id}", f"/procurement/tenders/{tender_id}/enquiries"
    supplier, editor = browser(app, world.supplier), browser(app, world.editor)
    assert client.get(f"{page}/ask").status_code == 303, "nobody asks without signing in"
    assert supplier.get(f"{page}/ask").status_code == 200
    enquiry_id = new_id(world.clock())
    form = {"enquiry_id": str(enquiry_id), "kind": "question", "language": "kk", "text": ""}
    assert post(supplier, f"{page}/ask", form).status_code == 422
    for _ in range(2):
        assert post(supplier, f"{page}/ask", form | {"text": TEXT}).status_code == 303
    shown = client.get(page, headers={"Accept-Language": "en"}).get_data(as_text=True)
    assert shown.count(TEXT) == 1
    assert "No answer yet" in shown
    assert TEXT in editor.get(desk).get_data(as_text=True)
    assert post(editor, f"{desk}/{enquiry_id}", {f"{enquiry_id}.kk": "Иә"}).status_code == 422
    answer = {f"{enquiry_id}.{code}": text for code, text in ANSWER.items()}
    assert post(editor, f"{desk}/{enquiry_id}", answer).status_code == 303
    shown = client.get(page, headers={"Accept-Language": "ru"}).get_data(as_text=True)
    assert ANSWER["ru"] in shown
    asker = str(world.supplier.id)
    for who in (client, editor):
        assert asker not in who.get(page).get_data(as_text=True)
    kinds = client.get("/tenders/feed.atom", headers={"Accept-Language": "en"}).get_data(as_text=True)
    assert "A question was answered" in kinds
    assert "Asked by" in browser(app, world.auditor).get(desk).get_data(as_text=True)
