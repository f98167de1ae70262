"""Looking at the annual plan. Published lines are public; others are seen by their organiser's officers alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import or_, select

from schoolmeals import identity
from schoolmeals.actors import ActorKind, Role
from schoolmeals.database import Work
from schoolmeals.errors import NotFound
from schoolmeals.procurement.access import audits_the_city, parties_in
from schoolmeals.procurement.models import Lot, PlanLine, Tender
from schoolmeals.procurement.needing import (
    Served,
    pupils_of_school,
    same_span_before,
    served_a_year_before,
    served_between,
    served_lately,
)
from schoolmeals.procurement.rules.need import Need, need_of
from schoolmeals.procurement.rules.permissions import DRAFT_READERS


@dataclass(frozen=True, slots=True)
class PlannedNeed:
    """What a line comes to, beside what was really eaten.

    ``before`` is what was served in the same weeks a year before, ``lately`` in the year up to today; each None where
    no till has told of any. ``on_roll`` are today's pupils by age group.
    """

    need: Need
    before: Served | None
    lately: Served | None
    on_roll: Mapping[str, int]


def plan_lines(
    work: Work,
    *,
    year: int | None = None,
    organiser_id: UUID | None = None,
    school_id: UUID | None = None,
    published: bool = False,
) -> list[PlanLine]:
    """The lines that the actor may see, by the day on which they are to be announced.

    With ``published`` those that everybody sees, and no others.
    """
    found = select(PlanLine)
    if published:
        found = found.where(PlanLine.published_at.is_not(None))
    for column, wanted in (
        (PlanLine.year, year),
        (PlanLine.organiser_id, organiser_id),
        (PlanLine.school_id, school_id),
    ):
        if wanted is not None:
            found = found.where(column == wanted)
    actor = work.actor
    if not (actor.kind is ActorKind.SYSTEM or actor.has_role(Role.CITY_ADMIN) or audits_the_city(work)):
        own = PlanLine.organiser_id.in_(actor.schools_as(Role.PROCUREMENT_OFFICER))
        found = found.where(or_(PlanLine.published_at.is_not(None), own))
    return list(work.session.scalars(found.order_by(PlanLine.announce_on, PlanLine.id)))


def plan_line(work: Work, line_id: UUID) -> PlanLine:
    """One line. Raises NotFound."""
    row = work.session.get(PlanLine, line_id)
    if row is None or (row.published_at is None and parties_in(work, row.organiser_id).isdisjoint(DRAFT_READERS)):
        raise NotFound
    return row


def plan_years(work: Work) -> list[int]:
    """The years that have published lines, the latest first."""
    years = select(PlanLine.year).where(PlanLine.published_at.is_not(None)).distinct()
    return list(work.session.scalars(years.order_by(PlanLine.year.desc())))


def planned_need(work: Work, row: PlanLine, today: date) -> PlannedNeed:
    """The need of a line: its pupils on the school days of its school's calendar. Not scoped: ``row`` is the caller's
    to see.
    """
    meals = {group: list(row.meals) for group in row.pupils}
    calendar = identity.calendar_of(work, row.school_id)
    served = served_between(work, row.school_id, *same_span_before(row.starts_on, row.ends_on))
    planned = row.planned_days
    need = need_of(row.pupils, meals, calendar, row.starts_on, row.ends_on, planned_days=planned, served=served)
    return PlannedNeed(
        need,
        served_a_year_before(work, row.school_id, row.starts_on, row.ends_on),
        served_lately(work, row.school_id, today),
        pupils_of_school(work, row.school_id),
    )


def line_for_lot(work: Work, organiser_id: UUID, school_id: UUID) -> PlanLine | None:
    """The line of the plan that a new lot of a school goes by: the first that is published, stands, and has no lot
    yet.
    """
    taken = select(Lot.plan_line_id).where(Lot.plan_line_id.is_not(None), Lot.removed_at.is_(None))
    found = select(PlanLine).where(
        PlanLine.organiser_id == organiser_id,
        PlanLine.school_id == school_id,
        PlanLine.published_at.is_not(None),
        PlanLine.withdrawn_at.is_(None),
        PlanLine.id.not_in(taken),
    )
    return work.session.scalar(found.order_by(PlanLine.announce_on, PlanLine.id).limit(1))


def tenders_of_line(work: Work, line_id: UUID) -> list[Tender]:
    """The published tenders that buy what a line plans."""
    found = (
        select(Tender)
        .join(Lot, Lot.tender_id == Tender.id)
        .where(Lot.plan_line_id == line_id, Lot.removed_at.is_(None), Tender.published_at.is_not(None))
    )
    return list(work.session.scalars(found.order_by(Tender.published_at)))
