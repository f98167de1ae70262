"""Holding a tender once more: a new draft with all that was written for the lots that found no supplier."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select

from schoolmeals.database import Work
from schoolmeals.errors import N_, Conflict
from schoolmeals.procurement.acting import AtHand
from schoolmeals.procurement.actions.drafting import add_lot, compute_need, edit_section, open_draft, set_items
from schoolmeals.procurement.models import Lot, LotItem, Tender
from schoolmeals.procurement.queries.drafts import items_of, lots_of, profile_of, sections_of
from schoolmeals.procurement.queries.tenders import visible
from schoolmeals.procurement.rules.amending import RATIONALE
from schoolmeals.procurement.rules.awards import FAILED
from schoolmeals.procurement.rules.drafting import NewItem
from schoolmeals.procurement.rules.stages import TenderStage

ENDED_IN_VAIN: Final = frozenset({TenderStage.CANCELLED, TenderStage.UNSUCCESSFUL})


def repeat_tender(work: Work, tender_id: UUID, draft_id: UUID) -> UUID:
    """Open a draft that repeats a tender's lots without a supplier; gives its id. Its commission is drawn anew, and its
    days are to be looked at: they were written for the time before. The same ``draft_id`` again is the same draft.

    Raises NotFound, NotAllowed, Conflict ``nothing-to-repeat``, ``id-used``.
    """
    hand = visible(work, tender_id)
    lots = lots_without_supplier(work, hand)
    if not lots:
        raise Conflict("nothing-to-repeat", NOTHING_TO_REPEAT)
    tender, texts = hand.tender, sections_of(work, tender_id)
    known = work.session.get(Tender, draft_id) is not None
    about: dict[str, Any] = {"review_body_id": tender.review_body_id, "repeats_id": tender_id, "id": draft_id}
    open_draft(work, tender.organiser_id, profile_code=tender.profile_code, title=tender.title, **about)
    if known:
        return draft_id
    for section, content in texts.get(tender_id, {}).items():
        if section != RATIONALE:
            edit_section(work, draft_id, section, content)
    for lot in lots:
        _copy(work, lot, draft_id, texts.get(lot.id, {}), meals=profile_of(work, tender).purpose == "catering")
    return draft_id


def lots_without_supplier(work: Work, hand: AtHand) -> list[Lot]:
    """The lots that ended in vain: all of them where the tender did."""
    over = hand.stage in ENDED_IN_VAIN
    failed = {id for id, lot in hand.facts.lots.items() if lot.stage in FAILED}
    return [lot for lot in lots_of(work, hand.id) if over or lot.id in failed]


def repetitions_of(work: Work, tender_id: UUID) -> list[UUID]:
    """The drafts and tenders that repeat a tender, the first first. Not scoped."""
    found = select(Tender.id).where(Tender.repeats_id == tender_id).order_by(Tender.made_at, Tender.id)
    return list(work.session.scalars(found))


def related_tenders(work: Work, tender_id: UUID) -> tuple[list[tuple[UUID, str]], list[tuple[UUID, str]]]:
    """The published tender that this one repeats, and those that repeat it, as id and number; for everybody."""
    columns = select(Tender.id, Tender.number).where(Tender.published_at.is_not(None)).order_by(Tender.published_at)
    repeats = select(Tender.repeats_id).where(Tender.id == tender_id).scalar_subquery()
    before = work.session.execute(columns.where(Tender.id == repeats))
    after = work.session.execute(columns.where(Tender.repeats_id == tender_id))
    return [(id, number or "") for id, number in before], [(id, number or "") for id, number in after]


def _copy(work: Work, lot: Lot, draft_id: UUID, texts: Mapping[str, Mapping[str, Any]], *, meals: bool) -> None:
    lot_id = add_lot(work, draft_id, lot.school_id, plan_line_id=lot.plan_line_id)
    for section, content in texts.items():
        edit_section(work, draft_id, section, content, lot_id=lot_id)
    items = items_of(work, lot.id)
    if items:
        set_items(work, draft_id, lot_id, [_item(one) for one in items])
    if items and meals:
        compute_need(work, draft_id, lot_id)


def _item(one: LotItem) -> NewItem:
    return NewItem(
        ceiling_minor=one.ceiling_minor,
        age_group=one.age_group,
        meal=one.meal,
        goods=one.goods,
        quantity=one.quantity,
        currency=one.currency,
    )


NOTHING_TO_REPEAT: Final = N_(
    "Every lot of this tender has a supplier, or may still find one. Nothing is to be repeated."
)
