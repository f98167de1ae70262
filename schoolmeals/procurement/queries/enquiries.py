"""Reading what was asked about a tender, and what was answered. The asker is named to auditors alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from schoolmeals import identity
from schoolmeals.database import Work
from schoolmeals.procurement.models import Enquiry, EnquiryAnswer
from schoolmeals.procurement.queries.tenders import visible
from schoolmeals.procurement.rules.permissions import Party


@dataclass(frozen=True, slots=True, kw_only=True)
class EnquiryFacts:
    """An enquiry as the actor may read it. ``asker`` is empty but for auditors; ``is_mine`` tells the asker alone."""

    id: UUID
    lot_id: UUID | None
    kind: str
    text: str
    language: str
    at: datetime
    is_mine: bool
    asker: str
    answer: Mapping[str, str] | None
    answered_at: datetime | None
    leads_to_amendment: bool


def enquiries(work: Work, tender_id: UUID) -> list[EnquiryFacts]:
    """All enquiries about a tender, the latest first. Raises NotFound."""
    hand = visible(work, tender_id)
    found = (
        select(Enquiry, EnquiryAnswer)
        .outerjoin(EnquiryAnswer, EnquiryAnswer.enquiry_id == Enquiry.id)
        .where(Enquiry.tender_id == tender_id)
        .order_by(Enquiry.at.desc(), Enquiry.id.desc())
    )
    rows = [(enquiry, answer) for enquiry, answer in work.session.execute(found)]
    names = _askers(work, [enquiry for enquiry, _ in rows]) if Party.AUDITOR in hand.parties else {}
    return [_facts(work, enquiry, answer, names.get(enquiry.id, "")) for enquiry, answer in rows]


def _facts(work: Work, enquiry: Enquiry, answer: EnquiryAnswer | None, asker: str) -> EnquiryFacts:
    return EnquiryFacts(
        id=enquiry.id,
        lot_id=enquiry.lot_id,
        kind=enquiry.kind,
        text=enquiry.text,
        language=enquiry.language,
        at=enquiry.at,
        is_mine=work.actor.id is not None and enquiry.asker_id == work.actor.id,
        asker=asker,
        answer=answer.text if answer is not None else None,
        answered_at=answer.at if answer is not None else None,
        leads_to_amendment=answer is not None and answer.leads_to_amendment,
    )


def _askers(work: Work, rows: list[Enquiry]) -> dict[UUID, str]:
    """Who asked, and for whom."""
    people = identity.people(work, {row.asker_id for row in rows})
    named = {}
    for row in rows:
        of = row.asker_organisation_id
        organisation = identity.organisation(work, of).name("ru") if of is not None else ""
        name = people[row.asker_id].name if row.asker_id in people else ""
        named[row.id] = ", ".join(one for one in (name, organisation) if one)
    return named
