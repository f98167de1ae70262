"""Gathering what a need is computed from: the school's calendar, its roll, and last year's served meals."""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import func, select

from schoolmeals import identity, pupils
from schoolmeals.database import Work
from schoolmeals.procurement.models import ServedMeals
from schoolmeals.procurement.rules.need import Need, by_age_group, need_of

_A_YEAR = timedelta(days=364)
"""Fifty-two weeks: the same days of the week."""


def need_of_school(
    work: Work,
    school_id: UUID,
    meals: Mapping[str, Iterable[str]],
    starts_on: date,
    ends_on: date,
    *,
    planned_days: int | None = None,
) -> Need:
    """What a school needs between two days: its pupils of today, on the school days of its own calendar."""
    return need_of(
        by_age_group(pupils.pupil_counts(work, school_id)),
        meals,
        identity.calendar_of(work, school_id),
        starts_on,
        ends_on,
        planned_days=planned_days,
        served=served_between(work, school_id, starts_on - _A_YEAR, ends_on - _A_YEAR),
    )


def served_between(work: Work, school_id: UUID, first: date, last: date) -> dict[tuple[str, str], int] | None:
    """Set meals that were really served, by age group and meal; None where no till has told of any."""
    rows = work.session.execute(
        select(ServedMeals.age_group, ServedMeals.meal, func.sum(ServedMeals.meals))
        .where(ServedMeals.school_id == school_id, ServedMeals.day >= first, ServedMeals.day <= last)
        .group_by(ServedMeals.age_group, ServedMeals.meal)
    ).all()
    return {(group, meal): int(count) for group, meal, count in rows} or None
