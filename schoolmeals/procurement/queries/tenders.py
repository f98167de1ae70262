"""Looking at tenders: lists that narrow in SQL, one tender with its versions, and what has happened to it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, and_, false, func, not_, or_, select, true
from sqlalchemy import Text as SqlText
from sqlalchemy.orm import InstrumentedAttribute

from schoolmeals.actors import ActorKind, Role
from schoolmeals.database import Work
from schoolmeals.errors import NotFound
from schoolmeals.procurement.access import audits_the_city
from schoolmeals.procurement.acting import AtHand, acts_of, at_hand, times_of
from schoolmeals.procurement.models import CommissionSeat, Lot, Tender, TenderVersion
from schoolmeals.procurement.profiles import Profile
from schoolmeals.procurement.queries.drafts import Task, lot_need, profile_of, tasks
from schoolmeals.procurement.rules.acts import Act, LotFacts, is_public
from schoolmeals.procurement.rules.need import Need
from schoolmeals.procurement.rules.permissions import DEEDS, DRAFT_READERS, Party, decide
from schoolmeals.procurement.rules.stages import STAGES, UNPUBLISHED, TenderStage, TenderTimes, Test, tender_stage
from schoolmeals.procurement.rules.terms import Term

PAGE: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class TenderSearch:
    """What a list is narrowed to. ``page`` counts from 1."""

    stage: TenderStage | None = None
    school_id: UUID | None = None
    organiser_id: UUID | None = None
    text: str = ""
    deadline_days: int | None = None
    """Those that take bids now, or will, and no longer than so many days from now."""
    page: int = 1
    published: bool = False
    """Whether drafts are left out, also those that the actor may see."""


@dataclass(frozen=True, slots=True)
class TenderLine:
    """A tender in a list. ``title`` is that of the published text, or of the draft where nothing is published."""

    id: UUID
    number: str | None
    title: Mapping[str, str]
    profile_code: str
    organiser_id: UUID
    stage: TenderStage
    times: TenderTimes
    version: int


@dataclass(frozen=True, slots=True)
class TenderPage:
    """One page of a list, and how many there are in all."""

    lines: tuple[TenderLine, ...]
    total: int
    page: int
    pages: int


@dataclass(frozen=True, slots=True)
class VersionFacts:
    """A published text. ``text`` is the canonical JSON whose digest is ``sha256``."""

    version: int
    at: datetime
    document: Mapping[str, Any]
    text: str
    sha256: str
    rationale: Mapping[str, str] | None
    needs_confirmation: bool


@dataclass(frozen=True, slots=True)
class TenderView:
    """A tender as the actor may see it. ``document`` is the present version's, None for a draft."""

    line: TenderLine
    parties: frozenset[Party]
    profile: Profile
    document: Mapping[str, Any] | None
    terms: Mapping[str, Term]
    lots: Mapping[UUID, LotFacts]
    unanswered: int
    suspended: bool
    deeds: frozenset[str]
    """What the actor may do now, as far as stage and part decide."""


def tender(work: Work, tender_id: UUID) -> TenderView:
    """One tender. A draft is not found by anybody but those who make it, and those who watch over them."""
    hand = visible(work, tender_id)
    facts = hand.facts
    version = current_version(work, hand.tender)
    return TenderView(
        line=_line(hand.tender, work.now),
        parties=hand.parties,
        profile=profile_of(work, hand.tender),
        document=version.document if version is not None else None,
        terms=facts.terms,
        lots=facts.lots,
        unanswered=len(facts.unanswered),
        suspended=bool(facts.suspensions),
        deeds=frozenset(deed for deed in DEEDS if decide(deed, hand.stage, hand.parties) is None),
    )


def visible(work: Work, tender_id: UUID) -> AtHand:
    """A tender that the actor may see, without a lock. Raises NotFound."""
    row = work.session.get(Tender, tender_id)
    if row is None:
        raise NotFound
    hand = at_hand(work, row, work.now)
    if hand.stage in UNPUBLISHED and hand.parties.isdisjoint(DRAFT_READERS):
        raise NotFound
    return hand


def tenders(work: Work, search: TenderSearch) -> TenderPage:
    """The tenders that the actor may see and the search finds, the latest first."""
    wanted = and_(_may_see(work), *_narrowed(search, work.now))
    total = work.session.scalar(select(func.count()).select_from(Tender).where(wanted)) or 0
    newest = func.coalesce(Tender.published_at, Tender.made_at).desc()
    found = select(Tender).where(wanted).order_by(newest, Tender.id.desc())
    rows = work.session.scalars(found.offset((search.page - 1) * PAGE).limit(PAGE))
    lines = tuple(_line(row, work.now) for row in rows)
    return TenderPage(lines, total, search.page, max(-(-total // PAGE), 1))


def task_list(work: Work, tender_id: UUID) -> list[Task]:
    """What is to be written into a tender, and what is still missing; for those who may see its draft."""
    return tasks(work, _draft(work, tender_id).tender)


def need_of_lot(work: Work, tender_id: UUID, lot_id: UUID) -> Need:
    """What a lot of the working copy needs, computed now, beside last year's served meals. Raises NotFound, Invalid."""
    hand = _draft(work, tender_id)
    lot = work.session.get(Lot, lot_id)
    if lot is None or lot.tender_id != tender_id or lot.removed_at is not None:
        raise NotFound
    return lot_need(work, hand.tender, lot_id)


def acts(work: Work, tender_id: UUID) -> list[Act]:
    """What has happened to a tender, in order: all of it for those who may see the draft, else what is public."""
    hand = visible(work, tender_id)
    found = acts_of(work, tender_id)
    sees_all = not hand.parties.isdisjoint({Party.OFFICER, Party.CITY_ADMIN, Party.AUDITOR, Party.SYSTEM})
    return found if sees_all else [act for act in found if is_public(act.kind)]


def version(work: Work, tender_id: UUID, number: int | None = None) -> VersionFacts:
    """A published text of a tender, the present one by default; for everybody. Raises NotFound."""
    row = work.session.get(Tender, tender_id)
    wanted = number if number is not None else (row.version if row is not None else 0)
    found = work.session.get(TenderVersion, (tender_id, wanted))
    if found is None:
        raise NotFound
    return _version(found)


def versions(work: Work, tender_id: UUID) -> list[VersionFacts]:
    """All published texts of a tender, the first one first; for everybody. Raises NotFound where nothing is
    published.
    """
    found = select(TenderVersion).where(TenderVersion.tender_id == tender_id).order_by(TenderVersion.version)
    rows = [_version(row) for row in work.session.scalars(found)]
    if not rows:
        raise NotFound
    return rows


def current_version(work: Work, row: Tender) -> VersionFacts | None:
    """The present text of a tender; None for a draft."""
    found = work.session.get(TenderVersion, (row.id, row.version)) if row.version else None
    return _version(found) if found is not None else None


def stage_is(stage: TenderStage, now: datetime) -> ColumnElement[bool]:
    """The rule of the stages as SQL, made from the very lines by which :func:`tender_stage` decides."""
    earlier: list[ColumnElement[bool]] = []
    chosen: list[ColumnElement[bool]] = []
    for named, tests in STAGES:
        holds = and_(true(), *(_as_sql(test, now) for test in tests))
        if named is stage:
            chosen.append(and_(holds, *(not_(before) for before in earlier)))
        earlier.append(holds)
    return or_(false(), *chosen)


def _as_sql(test: Test, now: datetime) -> ColumnElement[bool]:
    column: InstrumentedAttribute[datetime | None] = getattr(Tender, test.time)
    match test.what:
        case "set":
            return column.is_not(None)
        case "unset":
            return column.is_(None)
        case _:
            # Never NULL, so that its negation is true where the time is not set.
            return and_(column.is_not(None), func.coalesce(column, now) < now)


def _may_see(work: Work) -> ColumnElement[bool]:
    """Published tenders for everybody; drafts for their organiser's officers, their commission, and who sees all."""
    actor = work.actor
    if actor.kind is ActorKind.SYSTEM or actor.has_role(Role.CITY_ADMIN) or audits_the_city(work):
        return true()
    seated = select(CommissionSeat.tender_id).where(
        CommissionSeat.person_id == actor.id, CommissionSeat.ended_at.is_(None), CommissionSeat.declined_at.is_(None)
    )
    own = Tender.organiser_id.in_(actor.schools_as(Role.PROCUREMENT_OFFICER))
    return or_(Tender.published_at.is_not(None), own, Tender.id.in_(seated))


def _narrowed(search: TenderSearch, now: datetime) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if search.stage is not None:
        found.append(stage_is(search.stage, now))
    if search.published:
        found.append(Tender.published_at.is_not(None))
    if search.organiser_id is not None:
        found.append(Tender.organiser_id == search.organiser_id)
    if search.school_id is not None:
        lots = select(Lot.tender_id).where(Lot.school_id == search.school_id, Lot.removed_at.is_(None))
        found.append(Tender.id.in_(lots))
    if search.deadline_days is not None:
        takes = or_(stage_is(TenderStage.DISCUSSION, now), stage_is(TenderStage.BIDDING, now))
        found.append(and_(takes, Tender.bidding_until <= now + timedelta(days=search.deadline_days)))
    for word in search.text.split():
        titles = Tender.title.cast(SqlText)
        found.append(or_(titles.icontains(word, autoescape=True), Tender.number.icontains(word, autoescape=True)))
    return found


def _draft(work: Work, tender_id: UUID) -> AtHand:
    """A tender whose working copy the actor may read, published or not. Raises NotFound."""
    hand = visible(work, tender_id)
    if hand.parties.isdisjoint({Party.OFFICER, Party.CITY_ADMIN, Party.AUDITOR, Party.SYSTEM}):
        raise NotFound
    return hand


def _line(row: Tender, now: datetime) -> TenderLine:
    times = times_of(row)
    return TenderLine(
        row.id, row.number, row.title, row.profile_code, row.organiser_id, tender_stage(times, now), times, row.version
    )


def _version(row: TenderVersion) -> VersionFacts:
    return VersionFacts(
        row.version, row.at, json.loads(row.text), row.text, row.sha256.hex(), row.rationale, row.needs_confirmation
    )
