"""Gathering what a need is computed from: the school's calendar, its roll, and last year's served meals."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import func, select

from schoolmeals import identity, pupils
from schoolmeals.database import Work
from schoolmeals.procurement.models import ServedMeals
from schoolmeals.procurement.rules.need import Need, by_age_group, need_of

_A_YEAR = timedelta(days=364)
"""Fifty-two weeks: the same days of the week."""


@dataclass(frozen=True, slots=True)
class Served:
    """Set meals that tills have told of, and on how many days."""

    meals: int
    days: int
    first: date
    last: date

    @property
    def per_day(self) -> int:
        return round(self.meals / self.days)


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
        served=served_between(work, school_id, *same_span_before(starts_on, ends_on)),
    )


def same_span_before(starts_on: date, ends_on: date) -> tuple[date, date]:
    """The same weeks of the year before."""
    return starts_on - _A_YEAR, ends_on - _A_YEAR


def served_between(work: Work, school_id: UUID, first: date, last: date) -> dict[tuple[str, str], int] | None:
    """Set meals that were really served, by age group and meal; None where no till has told of any."""
    rows = work.session.execute(
        select(ServedMeals.age_group, ServedMeals.meal, func.sum(ServedMeals.meals))
        .where(ServedMeals.school_id == school_id, ServedMeals.day >= first, ServedMeals.day <= last)
        .group_by(ServedMeals.age_group, ServedMeals.meal)
    ).all()
    return {(group, meal): int(count) for group, meal, count in rows} or None


def served_in_all(work: Work, school_id: UUID, first: date, last: date) -> Served | None:
    """All set meals that a school really served from ``first`` to ``last``; None where no till has told of any."""
    row = work.session.execute(
        select(
            func.sum(ServedMeals.meals),
            func.count(ServedMeals.day.distinct()),
            func.min(ServedMeals.day),
            func.max(ServedMeals.day),
        ).where(ServedMeals.school_id == school_id, ServedMeals.day >= first, ServedMeals.day <= last)
    ).one()
    return Served(int(row[0]), row[1], row[2], row[3]) if row[1] else None


def served_a_year_before(work: Work, school_id: UUID, starts_on: date, ends_on: date) -> Served | None:
    """What was served in the same weeks of the year before a span."""
    return served_in_all(work, school_id, *same_span_before(starts_on, ends_on))


def served_lately(work: Work, school_id: UUID, until: date) -> Served | None:
    """What was served in the year that ends on ``until``: all that a young till can tell."""
    return served_in_all(work, school_id, until - _A_YEAR, until)


def pupils_of_school(work: Work, school_id: UUID) -> dict[str, int]:
    """How many pupils are on a school's roll today, by age group."""
    return by_age_group(pupils.pupil_counts(work, school_id))
