"""Looking at the annual plan. Published lines are public; others are seen by their organiser's officers alone."""

from uuid import UUID

from sqlalchemy import or_, select

from schoolmeals.actors import ActorKind, Role
from schoolmeals.database import Work
from schoolmeals.errors import NotFound
from schoolmeals.procurement.access import parties_in
from schoolmeals.procurement.models import PlanLine
from schoolmeals.procurement.rules.permissions import DRAFT_READERS


def plan_lines(
    work: Work, *, year: int | None = None, organiser_id: UUID | None = None, school_id: UUID | None = None
) -> list[PlanLine]:
    """The lines that the actor may see, by the day on which they are to be announced."""
    found = select(PlanLine)
    for column, wanted in (
        (PlanLine.year, year),
        (PlanLine.organiser_id, organiser_id),
        (PlanLine.school_id, school_id),
    ):
        if wanted is not None:
            found = found.where(column == wanted)
    actor = work.actor
    if not (actor.kind is ActorKind.SYSTEM or actor.has_role(Role.CITY_ADMIN) or actor.has_role(Role.AUDITOR)):
        own = PlanLine.organiser_id.in_(actor.schools_as(Role.PROCUREMENT_OFFICER))
        found = found.where(or_(PlanLine.published_at.is_not(None), own))
    return list(work.session.scalars(found.order_by(PlanLine.announce_on, PlanLine.id)))


def plan_line(work: Work, line_id: UUID) -> PlanLine:
    """One line. Raises NotFound."""
    row = work.session.get(PlanLine, line_id)
    if row is None or (row.published_at is None and parties_in(work, row.organiser_id).isdisjoint(DRAFT_READERS)):
        raise NotFound
    return row
