"""Writing the annual plan, and noting what canteens served."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select

from schoolmeals import audit, identity
from schoolmeals.audit import Subject
from schoolmeals.database import Work
from schoolmeals.errors import N_, Conflict, FieldProblem, Invalid, NotFound
from schoolmeals.ids import new_id
from schoolmeals.procurement import profiles
from schoolmeals.procurement.access import parties_in, permitted_in
from schoolmeals.procurement.acting import ID_USED, hold_name
from schoolmeals.procurement.models import PlanLine, ServedMeals
from schoolmeals.procurement.rules.drafting import NEEDED
from schoolmeals.procurement.rules.need import AGE_GROUPS, MEALS, days_are_real
from schoolmeals.procurement.rules.permissions import DRAFT_READERS
from schoolmeals.procurement.rules.planning import NewPlanLine, plan_line_problems


def add_plan_line(work: Work, organiser_id: UUID, line: NewPlanLine, *, id: UUID | None = None) -> UUID:
    """Write a line into an organiser's plan; nobody else sees it before it is published. The same ``id`` again, by the
    same person, writes no second one. Raises Invalid, Conflict ``id-used``.
    """
    permitted_in(work, "add_plan_line", organiser_id)
    if id is not None:
        hold_name(work, f"plan-line-{id}")
        if (known := work.session.get(PlanLine, id)) is not None:
            if (known.organiser_id, known.made_by) != (organiser_id, work.actor.id):
                raise Conflict("id-used", ID_USED)
            return known.id
    values = _checked(work, line)
    row = PlanLine(
        id=id or new_id(work.now), organiser_id=organiser_id, made_by=work.actor.id, made_at=work.now, **values
    )
    work.session.add(row)
    work.session.flush()
    _record(work, "procurement.add-plan-line", row, values)
    return row.id


def change_plan_line(work: Work, line_id: UUID, line: NewPlanLine) -> None:
    """Write a line anew, published or not; the log keeps what it said before. Raises Invalid, Conflict, NotFound."""
    row = _own_line(work, "change_plan_line", line_id)
    values = _checked(work, line)
    before = {name: getattr(row, name) for name in values if getattr(row, name) != values[name]}
    for name, value in values.items():
        setattr(row, name, value)
    work.session.flush()
    _record(work, "procurement.change-plan-line", row, {"before": before, **values})


def publish_plan_line(work: Work, line_id: UUID) -> None:
    """Show a line to everybody. Publishing it again changes nothing. Raises Conflict for a withdrawn line, NotFound."""
    row = _own_line(work, "publish_plan_line", line_id)
    if row.published_at is None:
        row.published_at = work.now
        work.session.flush()
        _record(work, "procurement.publish-plan-line", row, {})


def withdraw_plan_line(work: Work, line_id: UUID, reason: str) -> None:
    """Say that a line will not be bought, and why. It stays to be read. Raises Invalid, Conflict, NotFound."""
    row = _own_line(work, "withdraw_plan_line", line_id)
    if not reason.strip():
        raise Invalid(fields={"reason": [NEEDED]})
    row.withdrawn_at, row.withdrawal_reason = work.now, reason.strip()
    work.session.flush()
    _record(work, "procurement.withdraw-plan-line", row, {"reason": row.withdrawal_reason})


def note_served_meals(work: Work, school_id: UUID, day: date, counts: Mapping[tuple[str, str], int]) -> None:
    """Note how many set meals a school served on a day, by age group and meal. Telling it anew replaces the whole day,
    and the same once more changes nothing.
    """
    permitted_in(work, "note_served_meals", school_id)
    assert all(group in AGE_GROUPS and meal in MEALS for group, meal in counts), "words of this room"
    of_day = (ServedMeals.school_id == school_id, ServedMeals.day == day)
    known = {(row.age_group, row.meal): row.meals for row in work.session.scalars(select(ServedMeals).where(*of_day))}
    if known == counts:
        return
    work.session.execute(delete(ServedMeals).where(*of_day))
    for (group, meal), meals in sorted(counts.items()):
        work.session.add(ServedMeals(school_id=school_id, day=day, age_group=group, meal=meal, meals=meals))
    work.session.flush()
    told = {f"{group} {meal}": meals for (group, meal), meals in sorted(counts.items())}
    payload = {"day": day, "meals": told}
    audit.record(work, "procurement.note-served-meals", Subject("school", school_id), payload, school_id=school_id)


def _checked(work: Work, line: NewPlanLine) -> dict[str, Any]:
    """The columns of a line. Raises Invalid, also where it plans more days than the school teaches."""
    problems = plan_line_problems(line, profiles.codes(), work.today.year)
    if problems:
        raise Invalid(fields=problems)
    if identity.organisation(work, line.school_id).kind != "school":
        raise NotFound
    real = len(identity.calendar_of(work, line.school_id).school_days(line.starts_on, line.ends_on))
    planned = line.planned_days if line.planned_days is not None else real
    refused = days_are_real(planned, real)
    if refused is not None or planned == 0:
        problem = FieldProblem.of(refused.code, refused.sentence, **refused.facts) if refused else NEEDED
        raise Invalid(fields={"planned_days": [problem]})
    return {
        **asdict(line),
        "title": dict(line.title),
        "pupils": dict(line.pupils),
        "meals": sorted(set(line.meals), key=MEALS.index),
        "planned_days": planned,
    }


def _own_line(work: Work, deed: str, line_id: UUID) -> PlanLine:
    row = work.session.get(PlanLine, line_id, with_for_update=True)
    if row is None or (row.published_at is None and parties_in(work, row.organiser_id).isdisjoint(DRAFT_READERS)):
        raise NotFound
    permitted_in(work, deed, row.organiser_id)
    if row.withdrawn_at is not None:
        raise Conflict("plan-line-withdrawn", N_("This line was withdrawn. Write a new one."))
    return row


def _record(work: Work, action: str, row: PlanLine, payload: Mapping[str, Any]) -> None:
    audit.record(work, action, Subject("plan-line", row.id), payload, school_id=row.school_id)
