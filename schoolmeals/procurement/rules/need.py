"""How many meals a lot needs: computed from pupils, school days and meals, never typed.

The planned days of a tender cannot exceed the real school days of the calendar. A city once planned 170 days where the
schools taught 165 at most; the five days between were money for meals that nobody could eat.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from schoolmeals.errors import N_
from schoolmeals.procurement.rules.terms import Days
from schoolmeals.verdicts import Refused

AGE_GROUPS: Final = ("6-10", "11-14", "15-18")
MEALS: Final = ("breakfast", "lunch", "afternoon-snack", "dinner")


@dataclass(frozen=True, slots=True)
class NeedLine:
    """The meals of one age group, and last year's that were really served; None where no till has told yet."""

    age_group: str
    meal: str
    pupils: int
    days: int
    quantity: int
    served_last_year: int | None = None


@dataclass(frozen=True, slots=True)
class Need:
    """What a lot needs between two days, both included."""

    starts_on: date
    ends_on: date
    school_days: int
    lines: tuple[NeedLine, ...]

    @property
    def quantity(self) -> int:
        return sum(line.quantity for line in self.lines)


def age_group_of(grade: int) -> str:
    """The age group of a grade from 0 (pre-school) to 12, as the norms of nutrition have them."""
    if grade <= 4:
        return AGE_GROUPS[0]
    return AGE_GROUPS[1] if grade <= 9 else AGE_GROUPS[2]


def by_age_group(pupils_by_grade: Mapping[int, int]) -> dict[str, int]:
    """Pupils by age group, every group named."""
    found = dict.fromkeys(AGE_GROUPS, 0)
    for grade, pupils in pupils_by_grade.items():
        found[age_group_of(grade)] += pupils
    return found


def need_of(
    pupils: Mapping[str, int],
    meals: Mapping[str, Iterable[str]],
    calendar: Days,
    starts_on: date,
    ends_on: date,
    *,
    planned_days: int | None = None,
    served: Mapping[tuple[str, str], int] | None = None,
) -> Need:
    """The need of ``pupils`` by age group, who get ``meals`` by age group, on the school days of a span.

    ``planned_days`` may be fewer than the calendar has, never more: what is too much is cut. ``served`` are last year's
    meals by age group and meal.
    """
    real = len(calendar.school_days(starts_on, ends_on))
    days = min(planned_days, real) if planned_days is not None else real
    lines = [
        NeedLine(
            age_group=group,
            meal=meal,
            pupils=pupils.get(group, 0),
            days=days,
            quantity=pupils.get(group, 0) * days,
            served_last_year=served.get((group, meal)) if served is not None else None,
        )
        for group in AGE_GROUPS
        for meal in MEALS
        if meal in set(meals.get(group, ()))
    ]
    return Need(starts_on, ends_on, real, tuple(lines))


def days_are_real(planned_days: int, school_days: int) -> Refused | None:
    """Planned days are days on which the schools teach."""
    if planned_days <= school_days:
        return None
    return Refused("more-days-than-school-days", MORE_DAYS, {"planned": planned_days, "real": school_days})


MORE_DAYS: Final = N_("The calendar has %(real)s school days in this span, not %(planned)s.")
