"""Looking at complaints: the public list without names, one's own with everything, and the review body's desk."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from schoolmeals.actors import Role
from schoolmeals.database import Work
from schoolmeals.errors import NotFound
from schoolmeals.procurement.acting import at_hand
from schoolmeals.procurement.models import Complaint, ComplaintFile, ComplaintPost, Tender
from schoolmeals.procurement.queries.tenders import visible
from schoolmeals.procurement.rules.complaints import DECISION, ComplaintStage, Said, complaint_stage
from schoolmeals.procurement.rules.permissions import DEEDS, Party, decide

_READERS = frozenset({Party.REVIEW_BODY, Party.OFFICER, Party.AUDITOR, Party.CITY_ADMIN, Party.SYSTEM})
"""Who reads a complaint's own words and files, besides whoever made it."""


@dataclass(frozen=True, slots=True)
class FileFacts:
    """A file of a complaint, without its content."""

    id: UUID
    name: str
    media_type: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class PostFacts:
    """What was said about a complaint."""

    kind: str
    code: str | None
    outcome: str | None
    remedies: tuple[tuple[str, UUID | None], ...]
    text: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ComplaintFacts:
    """A complaint as the actor may see it: ``text``, ``remedy`` and ``files`` are empty for the public."""

    id: UUID
    tender_id: UUID
    tender_number: str
    lot_id: UUID | None
    number: int
    about: str
    stage: ComplaintStage
    at: datetime
    decide_until: datetime | None
    text: str
    remedy: str
    files: tuple[FileFacts, ...]
    posts: tuple[PostFacts, ...]
    is_mine: bool
    reads: bool
    deeds: frozenset[str]


def complaints_of(work: Work, tender_id: UUID) -> list[ComplaintFacts]:
    """All complaints about a tender, the latest first. Raises NotFound."""
    visible(work, tender_id)
    found = select(Complaint).where(Complaint.tender_id == tender_id).order_by(Complaint.number.desc())
    return [_facts(work, row) for row in work.session.scalars(found).all()]


def complaint(work: Work, complaint_id: UUID) -> ComplaintFacts:
    """One complaint, for everybody. Raises NotFound."""
    row = work.session.get(Complaint, complaint_id)
    if row is None:
        raise NotFound
    return _facts(work, row)


def my_complaints(work: Work) -> list[ComplaintFacts]:
    """What the actor has complained about, the latest first."""
    found = select(Complaint).where(Complaint.author_id == work.actor.id).order_by(Complaint.at.desc(), Complaint.id)
    return [_facts(work, row) for row in work.session.scalars(found).all()]


def to_review(work: Work) -> list[ComplaintFacts]:
    """The complaints that the actor's review bodies judge, the latest first."""
    bodies = work.actor.schools_as(Role.AUDITOR)
    found = (
        select(Complaint)
        .join(Tender, Tender.id == Complaint.tender_id)
        .where(Tender.review_body_id.in_(bodies))
        .order_by(Complaint.at.desc(), Complaint.id)
    )
    return [_facts(work, row) for row in work.session.scalars(found).all()]


def complaint_file(work: Work, file_id: UUID) -> tuple[FileFacts, bytes]:
    """A file of a complaint, for whoever may read it. Raises NotFound."""
    row = work.session.get(ComplaintFile, file_id)
    if row is None or not complaint(work, row.complaint_id).reads:
        raise NotFound
    return _file(row), row.content


def posts_of(work: Work, complaint_id: UUID) -> list[ComplaintPost]:
    """What was said about a complaint, in order. Not scoped."""
    found = select(ComplaintPost).where(ComplaintPost.complaint_id == complaint_id)
    return list(work.session.scalars(found.order_by(ComplaintPost.at, ComplaintPost.id)))


def stage_of(work: Work, complaint_id: UUID) -> ComplaintStage:
    """Where a complaint stands. Not scoped."""
    return complaint_stage(Said(post.kind, post.outcome) for post in posts_of(work, complaint_id))


def _facts(work: Work, row: Complaint) -> ComplaintFacts:
    hand = at_hand(work, work.session.get_one(Tender, row.tender_id), work.now)
    posts = posts_of(work, row.id)
    is_mine = row.author_id == work.actor.id and work.actor.id is not None
    reads = is_mine or not hand.parties.isdisjoint(_READERS)
    files = select(ComplaintFile).where(ComplaintFile.complaint_id == row.id).order_by(ComplaintFile.id)
    term = hand.facts.terms.get(f"{DECISION}{row.id}")
    return ComplaintFacts(
        id=row.id,
        tender_id=row.tender_id,
        tender_number=hand.tender.number or "",
        lot_id=row.lot_id,
        number=row.number,
        about=row.about,
        stage=complaint_stage(Said(post.kind, post.outcome) for post in posts),
        at=row.at,
        decide_until=term.until if term is not None else None,
        text=row.text if reads else "",
        remedy=row.remedy if reads else "",
        files=tuple(_file(one) for one in work.session.scalars(files)) if reads else (),
        posts=tuple(_post(post) for post in posts),
        is_mine=is_mine,
        reads=reads,
        deeds=frozenset(deed for deed in DEEDS if decide(deed, hand.stage, hand.parties) is None),
    )


def _post(row: ComplaintPost) -> PostFacts:
    remedies = tuple((one["kind"], UUID(one["lot_id"]) if one.get("lot_id") else None) for one in row.remedies or ())
    return PostFacts(row.kind, row.code, row.outcome, remedies, row.text, row.at)


def _file(row: ComplaintFile) -> FileFacts:
    return FileFacts(row.id, row.file_name, row.media_type, row.size_bytes, row.sha256.hex())
