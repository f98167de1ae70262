"""Asking about a tender's terms, and answering. Who asked is told to nobody but auditors."""

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import func, select

from schoolmeals.actors import Role
from schoolmeals.database import Work
from schoolmeals.errors import Conflict, Invalid, NotFound, NotNow
from schoolmeals.procurement.acting import ID_USED, permitted, record_act
from schoolmeals.procurement.models import Enquiry, EnquiryAnswer
from schoolmeals.procurement.queries.drafts import lots_of
from schoolmeals.procurement.rules.acts import ActKind
from schoolmeals.procurement.rules.enquiries import (
    ANSWERED,
    NO_SUCH_LOT,
    NewEnquiry,
    answer_problems,
    enquiry_problems,
    may_ask,
)


def ask_enquiry(work: Work, tender_id: UUID, enquiry: NewEnquiry) -> UUID:
    """Ask a question, or object to the terms; everybody reads it at once. The same ``id`` again asks nothing new.

    Raises Invalid, NotNow ``questions-over``, ``objections-over`` or ``too-many-waiting``, Conflict ``id-used``.
    """
    hand = permitted(work, "ask_enquiry", tender_id)
    known = work.session.get(Enquiry, enquiry.id)
    if known is not None:
        if (known.tender_id, known.asker_id, known.kind) != (tender_id, work.actor.id, enquiry.kind):
            raise Conflict("id-used", ID_USED)
        return known.id
    problems = enquiry_problems(enquiry)
    if enquiry.lot_id is not None and enquiry.lot_id not in {lot.id for lot in lots_of(work, tender_id)}:
        problems["lot_id"] = [NO_SUCH_LOT]
    if problems:
        raise Invalid(fields=problems)
    until = hand.facts.terms["questions"].until if "questions" in hand.facts.terms else None
    refused = may_ask(enquiry.kind, hand.stage, hand.at, until, _waiting(work, tender_id))
    if refused is not None:
        raise NotNow(refused.code, refused.sentence, **refused.facts)
    row = Enquiry(
        id=enquiry.id,
        tender_id=tender_id,
        lot_id=enquiry.lot_id,
        kind=enquiry.kind,
        text=enquiry.text.strip(),
        language=enquiry.language,
        asker_id=work.actor.id,
        asker_organisation_id=min(work.actor.schools_as(Role.SUPPLIER), key=str, default=None),
        at=hand.at,
    )
    work.session.add(row)
    work.session.flush()
    record_act(work, hand, ActKind.ENQUIRY_ASKED, {"kind": enquiry.kind}, lot_id=enquiry.lot_id, subject_id=enquiry.id)
    return row.id


def answer_enquiry(
    work: Work, tender_id: UUID, enquiry_id: UUID, text: Mapping[str, str], *, leads_to_amendment: bool = False
) -> None:
    """Answer once and for everybody: in Kazakh, in Russian, and in the language of the question.

    Raises NotFound, Invalid, Conflict ``already-answered``.
    """
    hand = permitted(work, "answer_enquiry", tender_id)
    enquiry = work.session.get(Enquiry, enquiry_id)
    if enquiry is None or enquiry.tender_id != tender_id:
        raise NotFound
    if work.session.get(EnquiryAnswer, enquiry_id) is not None:
        raise Conflict("already-answered", ANSWERED)
    problems = answer_problems(text, enquiry.language)
    if problems:
        raise Invalid(fields=problems)
    said = {language: one.strip() for language, one in text.items() if one.strip()}
    work.session.add(
        EnquiryAnswer(
            enquiry_id=enquiry_id, text=said, leads_to_amendment=leads_to_amendment, by=work.actor.id, at=hand.at
        )
    )
    work.session.flush()
    payload = {"kind": enquiry.kind, "leads_to_amendment": leads_to_amendment}
    record_act(work, hand, ActKind.ENQUIRY_ANSWERED, payload, lot_id=enquiry.lot_id, subject_id=enquiry_id)


def _waiting(work: Work, tender_id: UUID) -> int:
    """The actor's enquiries about a tender that have no answer yet."""
    found = (
        select(func.count())
        .select_from(Enquiry)
        .outerjoin(EnquiryAnswer, EnquiryAnswer.enquiry_id == Enquiry.id)
        .where(Enquiry.tender_id == tender_id, Enquiry.asker_id == work.actor.id, EnquiryAnswer.enquiry_id.is_(None))
    )
    return work.session.scalar(found) or 0
