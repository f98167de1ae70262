"""Documents of a tender: what officers attach, and the papers of each version that the worker draws."""

import hashlib
from uuid import UUID, uuid5

from sqlalchemy import func, select

from schoolmeals import audit
from schoolmeals.audit import Subject
from schoolmeals.database import Work
from schoolmeals.errors import Conflict, Invalid, NotFound
from schoolmeals.ids import new_id
from schoolmeals.procurement.acting import ID_USED, AtHand, permitted, record_act
from schoolmeals.procurement.models import TenderDocument, TenderVersion
from schoolmeals.procurement.queries.drafts import lots_of
from schoolmeals.procurement.rules.acts import ActKind
from schoolmeals.procurement.rules.papers import NOTICE, NewDocument, document_problems, kept_name, media_type_of


def add_document(work: Work, tender_id: UUID, document: NewDocument) -> UUID:
    """Attach a document, or the next version of one; everybody reads it with the version of the text that follows. The
    same ``id`` again attaches nothing new. Raises Invalid, NotFound, Conflict ``id-used``.
    """
    hand = permitted(work, "add_document", tender_id)
    digest = hashlib.sha256(document.content).digest()
    known = work.session.get(TenderDocument, document.id)
    if known is not None:
        if (known.tender_id, known.sha256) != (tender_id, digest):
            raise Conflict("id-used", ID_USED)
        return known.id
    problems = document_problems(document, _count(work, tender_id))
    if problems:
        raise Invalid(fields=problems)
    if document.lot_id is not None and document.lot_id not in {lot.id for lot in lots_of(work, tender_id)}:
        raise NotFound
    media_type = media_type_of(document.content)
    assert media_type is not None, "the rule has looked"
    row = TenderDocument(
        id=document.id,
        tender_id=tender_id,
        lot_id=document.lot_id,
        series_id=document.series_id or document.id,
        version=_next_of_series(work, tender_id, document),
        document_type=document.document_type,
        title={language: text.strip() for language, text in document.title.items() if text.strip()},
        language=document.language,
        file_name=kept_name(document.file_name, media_type),
        media_type=media_type,
        size_bytes=len(document.content),
        sha256=digest,
        content=document.content,
        from_version=hand.facts.version + 1,
        added_by=work.actor.id,
        added_at=hand.at,
    )
    _keep(work, hand, row)
    return row.id


def keep_notice_paper(work: Work, tender_id: UUID, version: int, language: str, pdf: bytes) -> bool:
    """Keep the paper that the worker has drawn of a version; False where another run has done so. Raises NotFound."""
    hand = permitted(work, "keep_notice_paper", tender_id)
    text = work.session.get(TenderVersion, (tender_id, version))
    if text is None:
        raise NotFound
    series = uuid5(tender_id, f"notice {language}")
    drawn = select(TenderDocument.id).where(TenderDocument.series_id == series, TenderDocument.version == version)
    if work.session.scalar(drawn) is not None:
        return False
    row = TenderDocument(
        id=new_id(work.now),
        tender_id=tender_id,
        series_id=series,
        version=version,
        document_type=NOTICE,
        title=dict(hand.tender.title),
        language=language,
        file_name=f"tender-{hand.tender.number}-v{version}-{language}.pdf",
        media_type="application/pdf",
        size_bytes=len(pdf),
        sha256=hashlib.sha256(pdf).digest(),
        content=pdf,
        from_version=version,
        added_at=hand.at,
    )
    work.session.add(row)
    work.session.flush()
    told = {"version": version, "language": language, "sha256": row.sha256.hex()}
    audit.record(work, "procurement.keep-notice-paper", Subject("tender", tender_id), told)
    return True


def _keep(work: Work, hand: AtHand, row: TenderDocument) -> None:
    work.session.add(row)
    work.session.flush()
    told = {"version": row.version, "type": row.document_type, "bytes": row.size_bytes, "sha256": row.sha256.hex()}
    record_act(work, hand, ActKind.DOCUMENT_ADDED, told, lot_id=row.lot_id, subject_id=row.id)


def _count(work: Work, tender_id: UUID) -> int:
    found = select(func.count()).where(TenderDocument.tender_id == tender_id, TenderDocument.document_type != NOTICE)
    return work.session.scalar(found) or 0


def _next_of_series(work: Work, tender_id: UUID, document: NewDocument) -> int:
    """The number of a document in its series. Raises NotFound for a series of another tender, or of our papers."""
    if document.series_id is None:
        return 1
    of_series = select(func.max(TenderDocument.version)).where(
        TenderDocument.tender_id == tender_id,
        TenderDocument.series_id == document.series_id,
        TenderDocument.document_type != NOTICE,
    )
    last: int | None = work.session.scalar(of_series)
    if last is None:
        raise NotFound
    return last + 1
