"""What a public list shows beside the tenders themselves: their schools, and what has happened in all."""

from collections.abc import Iterable
from typing import Final
from uuid import UUID

from sqlalchemy import select

from schoolmeals.database import Work
from schoolmeals.procurement.acting import act_of
from schoolmeals.procurement.models import Lot, Tender, TenderAct
from schoolmeals.procurement.rules.acts import PREPARATION, Act, ActKind, is_public

LATEST: Final = 50


def schools_of(work: Work, tender_ids: Iterable[UUID]) -> dict[UUID, list[UUID]]:
    """The schools of each tender's lots, in their order. Not scoped: give it tenders that the actor may see."""
    found = select(Lot.tender_id, Lot.school_id).where(Lot.tender_id.in_(list(tender_ids)), Lot.removed_at.is_(None))
    schools: dict[UUID, list[UUID]] = {}
    for tender_id, school_id in work.session.execute(found.order_by(Lot.tender_id, Lot.position)):
        schools.setdefault(tender_id, []).append(school_id)
    return schools


def latest_acts(work: Work) -> list[tuple[Tender, Act]]:
    """What has happened to published tenders since their publication, the latest first; for everybody."""
    told = [kind.value for kind in ActKind if is_public(kind) and kind not in PREPARATION]
    found = (
        select(Tender, TenderAct)
        .join(TenderAct, TenderAct.tender_id == Tender.id)
        .where(Tender.published_at.is_not(None), TenderAct.kind.in_(told))
        .order_by(TenderAct.at.desc(), TenderAct.id.desc())
        .limit(LATEST)
    )
    return [(tender, act_of(row)) for tender, row in work.session.execute(found)]
