"""Holding a tender once more, where nobody came or nobody was left; and naming who judges complaints."""

from typing import Any
from uuid import UUID

import pytest
from flask import Flask

from schoolmeals.actors import SYSTEM
from schoolmeals.database import Work
from schoolmeals.errors import Conflict, Invalid, NotAllowed, NotFound
from schoolmeals.ids import new_id
from schoolmeals.procurement import repeating
from schoolmeals.procurement.acting import deed_clock
from schoolmeals.procurement.actions import awarding, cancelling, drafting
from schoolmeals.procurement.models import Tender
from schoolmeals.procurement.queries.drafts import items_of, lots_of, sections_of, tasks
from schoolmeals.procurement.repeating import repeat_tender
from schoolmeals.procurement.rules.stages import TenderStage
from tests.canteen.pages import send
from tests.factories.awards import evaluate
from tests.factories.identity import signed_in
from tests.factories.procurement import TITLE, Procurement
from tests.procurement.test_amending import written as amendment
from tests.procurement.test_awards import lot_of


def failed(world: Procurement) -> UUID:
    """A tender that nobody was admitted to."""
    tender_id = world.tender_in(TenderStage.EVALUATION)
    evaluate(world, tender_id, [])
    world.do(awarding.declare_unsuccessful, tender_id, lot_of(world, tender_id), "Nobody came")
    assert world.stage(tender_id) is TenderStage.UNSUCCESSFUL
    return tender_id


def written(work: Work, tender_id: UUID) -> tuple[Any, ...]:
    """What a tender says, without ids."""
    texts = sections_of(work, tender_id)
    lots = lots_of(work, tender_id)
    items = [
        (one.age_group, one.meal, one.quantity, one.ceiling_minor) for lot in lots for one in items_of(work, lot.id)
    ]
    return texts[tender_id], [(lot.school_id, lot.plan_line_id, texts[lot.id]) for lot in lots], items


def test_a_failed_tender_is_repeated_with_all_that_was_written(world: Procurement) -> None:
    tender_id, draft_id = failed(world), new_id()
    for _ in range(2):
        assert world.do(repeat_tender, tender_id, draft_id) == draft_id
    row: Tender = world.look(lambda work: work.session.get_one(Tender, draft_id), actor=SYSTEM)
    assert (row.repeats_id, row.review_body_id, row.version) == (tender_id, world.review_body_id, 0)
    assert world.stage(draft_id) is TenderStage.DRAFT
    assert world.look(written, draft_id, actor=SYSTEM) == world.look(written, tender_id, actor=SYSTEM)
    assert world.look(repeating.repetitions_of, tender_id, actor=SYSTEM) == [draft_id]
    left = world.look(lambda work: [one.section for one in tasks(work, row) if one.problems], actor=SYSTEM)
    assert left == [], "nothing is missing but the commission, which is drawn anew"
    assert world.seats(draft_id) == ()


def test_a_cancelled_tender_is_repeated_too(world: Procurement) -> None:
    tender_id = world.tender_in(TenderStage.CANCELLED)
    draft_id = world.do(repeat_tender, tender_id, new_id())
    assert len(world.look(lots_of, draft_id, actor=SYSTEM)) == 1


def test_an_amendment_that_was_never_published_keeps_nothing_from_being_repeated(world: Procurement) -> None:
    tender_id = world.tender_in(TenderStage.BIDDING)
    amendment(world, tender_id)
    about: dict[str, Any] = {"reason_code": "no-need", "reason": "The school is rebuilt", "clock": deed_clock}
    world.do(cancelling.cancel_tender, tender_id, **about)
    draft_id = world.do(repeat_tender, tender_id, new_id())
    assert "amendment" not in world.look(sections_of, draft_id, actor=SYSTEM)[draft_id]


@pytest.mark.parametrize("stage", [TenderStage.BIDDING, TenderStage.STANDSTILL, TenderStage.COMPLETE])
def test_what_may_still_find_a_supplier_or_has_one_is_not_repeated(world: Procurement, stage: TenderStage) -> None:
    tender_id = world.tender_in(stage)
    with pytest.raises(Conflict) as caught:
        world.do(repeat_tender, tender_id, new_id())
    assert caught.value.code == "nothing-to-repeat"
    assert world.look(repeating.repetitions_of, tender_id, actor=SYSTEM) == []


def test_only_officers_repeat(world: Procurement) -> None:
    tender_id = failed(world)
    with pytest.raises(NotAllowed):
        world.do(repeat_tender, tender_id, new_id(), actor=world.supplier)
    assert world.look(repeating.repetitions_of, tender_id, actor=SYSTEM) == []


def test_an_officer_repeats_on_the_page_of_decisions(app: Flask, world: Procurement) -> None:
    tender_id = failed(world)
    assert world.editor.id is not None
    officer, page = signed_in(app, world.editor.id), f"/procurement/tenders/{tender_id}/decisions"
    assert "Open a draft for these lots" in officer.get(page).text
    draft_id = new_id()
    assert send(officer, f"{page}/repeat", {"repeat_id": str(draft_id)}, shown_at=page).status_code == 303
    shown = officer.get(page).text
    assert f"/procurement/tenders/{draft_id}/edit" in shown
    assert officer.get(f"/procurement/tenders/{draft_id}/edit").status_code == 200


def test_the_public_pages_lead_to_each_other(world: Procurement, app: Flask) -> None:
    tender_id, draft_id = failed(world), new_id()
    world.do(repeat_tender, tender_id, draft_id)
    client, english = app.test_client(), {"Accept-Language": "en"}
    first, second = f"/tenders/{tender_id}", f"/tenders/{draft_id}"
    assert "Was held again as tender" not in client.get(first, headers=english).text, "a draft is nobody's business"

    def publish(work: Work) -> None:
        row = work.session.get_one(Tender, draft_id)
        row.submitted_at = row.approved_at = row.published_at = work.now
        row.discussion_until = row.bidding_until = work.now
        row.number, row.version = "2026-0099", 1

    world.do(publish, actor=SYSTEM)
    shown = client.get(first, headers=english).text
    assert f'Was held again as tender <a href="{second}">No. 2026-0099</a>' in shown
    assert "Repeats tender" not in shown
    assert world.look(repeating.related_tenders, draft_id, actor=SYSTEM) == (
        [(tender_id, world.look(lambda work: work.session.get_one(Tender, tender_id).number, actor=SYSTEM))],
        [],
    )


# Who judges complaints.


def test_a_draft_names_its_review_body_on_the_form(app: Flask, world: Procurement) -> None:
    assert world.editor.id is not None
    officer, page = signed_in(app, world.editor.id), "/procurement/tenders"
    assert f'value="{world.review_body_id}"' in officer.get(page).text
    draft_id = new_id()
    form = {
        "draft_id": str(draft_id),
        "profile_code": "kz-catering-points",
        "review_body_id": str(world.review_body_id),
    }
    form |= {f"title.{language}": text for language, text in TITLE.items()}
    assert send(officer, page, form, shown_at=page).status_code == 303
    row: Tender = world.look(lambda work: work.session.get_one(Tender, draft_id), actor=SYSTEM)
    assert row.review_body_id == world.review_body_id
    for wrong, status in ((str(world.school_id), 422), ("nobody", 404)):
        other = form | {"draft_id": str(new_id()), "review_body_id": wrong}
        assert send(officer, page, other, shown_at=page).status_code == status


def test_no_school_judges_complaints(world: Procurement) -> None:
    about: dict[str, Any] = {"profile_code": "kz-catering-points", "title": TITLE}
    with pytest.raises(Invalid) as caught:
        world.do(drafting.open_draft, world.city_id, review_body_id=world.school_id, **about)
    assert set(caught.value.fields) == {"review_body_id"}
    with pytest.raises(NotFound):
        world.do(drafting.open_draft, world.city_id, review_body_id=new_id(), **about)
