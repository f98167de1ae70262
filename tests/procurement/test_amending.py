"""Amendments: four eyes, a reason, deadlines that only move later, bids that must be confirmed, texts that stay."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from schoolmeals.actors import PUBLIC, SYSTEM, Actor
from schoolmeals.errors import Conflict, Invalid, NotAllowed, NotNow, Refusal
from schoolmeals.ids import new_id
from schoolmeals.procurement import profiles
from schoolmeals.procurement.acting import at_hand, deed_clock, lock_tender
from schoolmeals.procurement.actions import amending, drafting
from schoolmeals.procurement.actions.publishing import Published
from schoolmeals.procurement.amending import NextVersion, next_version
from schoolmeals.procurement.profiles import Length
from schoolmeals.procurement.queries import drafts as draft_queries
from schoolmeals.procurement.queries import tenders as queries
from schoolmeals.procurement.rules.amending import terms_after
from schoolmeals.procurement.rules.drafting import NewItem
from schoolmeals.procurement.rules.stages import TenderStage
from schoolmeals.procurement.rules.terms import Reckoning, Term
from schoolmeals.workdays import Calendar
from tests.canteen.pages import send
from tests.conftest import A_MONDAY
from tests.factories.identity import signed_in
from tests.factories.procurement import ALMATY, LOT_SECTIONS, TENDER_SECTIONS, Procurement

WHY = {"kk": "Сұраққа байланысты", "ru": "По вопросу участника"}
KITCHEN = {**LOT_SECTIONS["kitchen"], "seats": 200}


def lot_of(world: Procurement, tender_id: UUID) -> UUID:
    found: UUID = world.look(draft_queries.lots_of, tender_id)[0].id
    return found


def written(world: Procurement, tender_id: UUID, content: Any = KITCHEN) -> None:
    """An officer writes in the working copy, and says why."""
    world.do(drafting.edit_section, tender_id, "kitchen", content, lot_id=lot_of(world, tender_id))
    world.do(amending.explain_amendment, tender_id, WHY)


def more_days(world: Procurement, tender_id: UUID, days: int) -> None:
    content = {**TENDER_SECTIONS["terms"], "bidding_days": TENDER_SECTIONS["terms"]["bidding_days"] + days}
    world.do(drafting.edit_section, tender_id, "terms", content)
    world.do(amending.explain_amendment, tender_id, WHY)


def wanted(world: Procurement, tender_id: UUID) -> NextVersion:
    def look(work: Any) -> NextVersion:
        return next_version(work, at_hand(work, lock_tender(work, tender_id), work.now), ALMATY)

    found: NextVersion = world.do(look, actor=SYSTEM)
    return found


def publish(world: Procurement, tender_id: UUID, **changes: Any) -> Published:
    given_ = {"act_id": new_id(world.clock()), "actor": world.officer, **changes}
    seen = given_.pop("seen", None) or wanted(world, tender_id).seen
    found: Published = world.do(
        amending.publish_amendment, tender_id, seen=seen, zone=ALMATY, clock=deed_clock, **given_
    )
    return found


def refusal(world: Procurement, tender_id: UUID, **changes: Any) -> Refusal:
    """How an amendment is refused; nothing has happened by it."""
    before = world.look(queries.acts, tender_id, actor=SYSTEM)
    with pytest.raises(Refusal) as told:
        publish(world, tender_id, **changes)
    assert world.look(queries.acts, tender_id, actor=SYSTEM) == before
    return told.value


def test_an_amendment_is_the_next_version_and_the_old_one_stays(world: Procurement) -> None:
    tender_id = world.tender_in(TenderStage.DISCUSSION)
    first = world.look(queries.version, tender_id, actor=PUBLIC)
    until = world.until(tender_id, "bidding")
    written(world, tender_id)
    assert world.look(queries.version, tender_id, actor=PUBLIC) == first, "nobody sees it before it is published"
    act_id = new_id(world.clock())
    made = publish(world, tender_id, act_id=act_id)
    assert publish(world, tender_id, act_id=act_id, seen="x") == made, "the same form once more"
    assert (made.version, made.number, made.bidding_until) == (2, first.document["number"], until)
    second = world.look(queries.version, tender_id, actor=PUBLIC)
    assert (second.version, second.rationale, second.needs_confirmation) == (2, WHY, True)
    assert second.document["lots"][0]["sections"]["kitchen"]["seats"] == 200
    assert second.document["commission"] == first.document["commission"]
    assert "amendment" not in second.document["sections"]
    assert world.look(queries.version, tender_id, 1, actor=PUBLIC) == first
    assert refusal(world, tender_id).code == "nothing-changed"


def test_nobody_publishes_what_they_wrote(world: Procurement) -> None:
    tender_id = world.tender_in(TenderStage.BIDDING)
    written(world, tender_id)
    own = refusal(world, tender_id, actor=world.editor)
    assert (type(own), own.code) == (NotAllowed, "own-work")
    assert publish(world, tender_id, actor=world.city_admin).version == 2
    world.do(drafting.edit_section, tender_id, "kitchen", LOT_SECTIONS["kitchen"], lot_id=lot_of(world, tender_id))
    world.do(amending.explain_amendment, tender_id, WHY, actor=world.officer)
    assert refusal(world, tender_id, actor=world.officer).code == "own-work", "whoever explains has written"


def test_what_is_published_is_what_was_read(world: Procurement) -> None:
    tender_id = world.tender_in(TenderStage.BIDDING)
    written(world, tender_id)
    seen = wanted(world, tender_id).seen
    written(world, tender_id, {**KITCHEN, "seats": 300})
    changed = refusal(world, tender_id, seen=seen)
    assert (type(changed), changed.code) == (Conflict, "changed-meanwhile")


def test_an_amendment_needs_a_reason_and_a_whole_text(world: Procurement) -> None:
    tender_id = world.tender_in(TenderStage.BIDDING)
    world.do(drafting.edit_section, tender_id, "kitchen", KITCHEN, lot_id=lot_of(world, tender_id))
    unexplained = refusal(world, tender_id)
    assert (type(unexplained), unexplained.code) == (NotNow, "not-explained")
    with pytest.raises(Invalid) as half:
        world.do(amending.explain_amendment, tender_id, {"kk": WHY["kk"], "ru": " "})
    assert list(half.value.fields) == ["rationale.ru"]
    written(world, tender_id, {"kitchen": "cook-on-site"})
    unfinished = refusal(world, tender_id)
    assert isinstance(unfinished, Invalid)
    assert f"{lot_of(world, tender_id)}.kitchen.seats" in unfinished.fields


def test_no_time_is_taken_away(world: Procurement) -> None:
    tender_id = world.tender_in(TenderStage.BIDDING)
    content = {**TENDER_SECTIONS["terms"], "bidding_days": TENDER_SECTIONS["terms"]["bidding_days"] - 1}
    world.do(drafting.edit_section, tender_id, "terms", content)
    world.do(amending.explain_amendment, tender_id, WHY)
    shorter = refusal(world, tender_id)
    assert (type(shorter), shorter.code, dict(shorter.params)) == (NotNow, "deadline-only-later", {"days": 1})


def test_a_deadline_is_put_off_where_the_text_says_so(world: Procurement) -> None:
    tender_id = world.tender_in(TenderStage.BIDDING)
    until, questions = world.until(tender_id, "bidding"), world.until(tender_id, "questions")
    more_days(world, tender_id, 7)
    made = publish(world, tender_id)
    assert made.bidding_until == until + timedelta(days=7) == world.until(tender_id, "bidding")
    assert world.until(tender_id, "questions") == questions + timedelta(days=7)


def test_in_the_last_share_enough_days_are_left(world: Procurement) -> None:
    tender_id = world.tender_in(TenderStage.BIDDING)
    until = world.until(tender_id, "bidding")
    world.clock.now = until - timedelta(hours=2)
    written(world, tender_id)
    made = publish(world, tender_id)
    assert made.bidding_until == until + timedelta(days=6), "four days later is a Saturday, and bids end on Monday"


def test_after_the_deadline_nothing_is_amended(world: Procurement) -> None:
    tender_id = world.tender_in(TenderStage.BIDDING)
    written(world, tender_id)
    seen = wanted(world, tender_id).seen
    world.clock.now = world.until(tender_id, "bidding") + timedelta(microseconds=1)
    assert refusal(world, tender_id, seen=seen).code == "tender-is-closed"


def text_now(world: Procurement, tender_id: UUID) -> Any:
    """The working copy as it would be published, without times."""
    document = wanted(world, tender_id).document
    return {name: document[name] for name in ("sections", "lots", "documents")}


def half_written(world: Procurement, tender_id: UUID) -> None:
    """A section, the days, an item's ceiling and a reason are written, and nothing is published."""
    more_days(world, tender_id, 5)
    written(world, tender_id)
    lot_id = lot_of(world, tender_id)
    items = world.look(draft_queries.items_of, lot_id)
    dearer = [NewItem(age_group=one.age_group, meal=one.meal, ceiling_minor=one.ceiling_minor + 1) for one in items]
    world.do(drafting.set_items, tender_id, lot_id, dearer[:1])


def test_what_is_half_written_is_discarded_by_one_deed(world: Procurement) -> None:
    tender_id = world.tender_in(TenderStage.BIDDING)
    before, published = text_now(world, tender_id), world.look(queries.version, tender_id, actor=PUBLIC)
    half_written(world, tender_id)
    assert text_now(world, tender_id) != before
    world.do(amending.discard_amendment, tender_id, actor=world.officer)
    assert text_now(world, tender_id) == before
    assert (wanted(world, tender_id).changes, wanted(world, tender_id).rationale) == ([], {})
    assert world.look(queries.version, tender_id, actor=PUBLIC) == published
    assert world.look(queries.acts, tender_id, actor=SYSTEM)[-1].payload == {"section": "discarded", "version": 1}
    with pytest.raises(NotNow) as told:
        world.do(amending.discard_amendment, tender_id, actor=world.officer)
    assert told.value.code == "nothing-written"


def test_an_item_that_is_not_restored_is_found(world: Procurement, monkeypatch: pytest.MonkeyPatch) -> None:
    tender_id = world.tender_in(TenderStage.BIDDING)
    before = text_now(world, tender_id)
    half_written(world, tender_id)
    monkeypatch.setattr(amending, "_restore_items", lambda *_: None)
    world.do(amending.discard_amendment, tender_id, actor=world.officer)
    assert text_now(world, tender_id) != before, "the planted bug forgets what is bought"


@given(
    more=st.integers(0, 60),
    passed=st.floats(0, 1),
    days=st.integers(15, 45),
    profile=st.sampled_from(profiles.codes()),
    accelerator=st.sampled_from([1, 1, 1440]),
)
def test_deadlines_only_move_later(more: int, passed: float, days: int, profile: str, accelerator: int) -> None:
    procedure = profiles.load(profile).accelerated(accelerator)
    reckoning = Reckoning(Calendar(), ALMATY)
    unit = procedure.term("bidding_min").unit
    bidding = reckoning.begin(A_MONDAY, Length(days, unit), accelerator=accelerator)
    stop = procedure.term("questions_stop")
    questions = Term(A_MONDAY, reckoning.until_before(bidding.until, stop, accelerator=accelerator), stop, accelerator)
    terms = {"bidding": bidding, "questions": questions, "discussion": questions}
    at = A_MONDAY + (bidding.until - A_MONDAY) * passed
    after = terms_after(reckoning, terms, procedure, more, at)
    assert set(after) == set(terms)
    for name, term in terms.items():
        assert after[name].until >= term.until
        assert after[name].start == term.start
    least = procedure.number("amendment_last_share_percent").value
    if passed * 100 > 100 - least + 1:
        enough = reckoning.begin(at, procedure.term("amendment_extra"), accelerator=accelerator).until
        assert after["bidding"].until >= enough


# Pages


def test_an_amendment_goes_through_two_browsers(world: Procurement, app: Flask, client: FlaskClient) -> None:
    tender_id = world.tender_in(TenderStage.BIDDING)
    lot_id = lot_of(world, tender_id)
    base = f"/procurement/tenders/{tender_id}"
    editor, officer = browser(app, world.editor), browser(app, world.officer)
    assert "Nothing is changed yet" in shown(editor, f"{base}/amendment")
    changed = {"kitchen": "cook-on-site", "capacity_day": "600", "seats": "200", "shifts": "2"}
    changed |= {f"address.{code}": "Abay 12" for code in ("kk", "ru", "en")}
    assert post(editor, f"{base}/lots/{lot_id}/edit/kitchen", changed).status_code == 303
    assert post(editor, f"{base}/amendment/explain", {"rationale.kk": WHY["kk"]}).status_code == 422
    reasons = {f"rationale.{code}": text for code, text in WHY.items()}
    assert post(editor, f"{base}/amendment/explain", reasons).status_code == 303
    assert "Somebody else reads and publishes it" in shown(editor, f"{base}/amendment")
    form = {"act_id": str(new_id(world.clock())), "seen": wanted(world, tender_id).seen}
    assert post(editor, f"{base}/amendment/publish", form).status_code == 403
    assert form["seen"] in shown(officer, f"{base}/amendment")
    for _ in range(2):
        assert post(officer, f"{base}/amendment/publish", form).location == f"/tenders/{tender_id}"
    second = shown(client, f"/tenders/{tender_id}/versions/2")
    assert "Seats" in second
    assert "<del>180</del>" in second
    assert "<ins>200</ins>" in second
    first = shown(client, f"/tenders/{tender_id}/versions/1")
    assert "This text was amended later" in first
    assert "<ins>200</ins>" in shown(client, f"/tenders/{tender_id}/history")
    for number in (0, 3):
        assert client.get(f"/tenders/{tender_id}/versions/{number}").status_code == 404


def test_an_officer_discards_on_the_page(world: Procurement, app: Flask, client: FlaskClient) -> None:
    tender_id = world.tender_in(TenderStage.BIDDING)
    half_written(world, tender_id)
    page, editor = f"/procurement/tenders/{tender_id}/amendment", browser(app, world.editor)
    assert "Discard it all" in shown(editor, page)
    assert post(browser(app, world.city_admin), f"{page}/discard", {}).status_code == 403
    assert post(editor, f"{page}/discard", {}).location == page
    after = shown(editor, page)
    assert "Nothing is changed yet" in after
    assert "Discard it all" not in after
    assert post(editor, f"{page}/discard", {}).status_code == 409
    assert client.get(f"/tenders/{tender_id}/versions/2").status_code == 404


def test_a_draft_has_no_amendment(world: Procurement, app: Flask) -> None:
    draft_id = world.bare_draft()
    assert browser(app, world.editor).get(f"/procurement/tenders/{draft_id}/amendment").status_code == 404


def browser(app: Flask, who: Actor) -> FlaskClient:
    assert who.id is not None
    return signed_in(app, who.id)


def post(client: FlaskClient, path: str, form: Mapping[str, str]) -> TestResponse:
    return send(client, path, form, shown_at="/procurement/tenders")


def shown(client: FlaskClient, path: str) -> str:
    answer = client.get(path, headers={"Accept-Language": "en"})
    assert answer.status_code == 200, path
    return answer.get_data(as_text=True)
