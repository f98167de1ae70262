"""School days and working days. The calendar is data: seeded from public holidays, edited by the school.

The most special row that speaks of a day decides: the school's own, else the country's, else its place in the week.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import CheckConstraint, Index, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from schoolmeals.database import Model


class CalendarDay(Model):
    """A day that is not what its place in the week says. ``school_id`` None: for the whole country."""

    __tablename__ = "calendar_day"
    __table_args__ = (
        Index("uq_calendar_day", "school_id", "day", unique=True, postgresql_nulls_not_distinct=True),
        CheckConstraint("nature IN ('holiday', 'break', 'school-day')", name="nature"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    school_id: Mapped[UUID | None]
    day: Mapped[date]
    nature: Mapped[str]
    """``holiday`` and ``break`` are free, ``school-day`` is a moved working day."""
    name_kk: Mapped[str]
    name_ru: Mapped[str]
    name_en: Mapped[str]


class SchoolWeek(Model):
    """How many days a week a school teaches: five or six, from Monday."""

    __tablename__ = "school_week"
    __table_args__ = (CheckConstraint("days IN (5, 6)", name="days"),)

    school_id: Mapped[UUID] = mapped_column(primary_key=True)
    days: Mapped[int] = mapped_column(SmallInteger)


@dataclass(frozen=True, slots=True)
class Calendar:
    """A school's calendar: the week, and the days that differ from it (True: taught, False: free)."""

    days_a_week: int = 5
    exceptions: Mapping[date, bool] = field(default_factory=dict)

    def is_school_day(self, day: date) -> bool:
        """Whether the school teaches on ``day``."""
        return self.exceptions.get(day, day.weekday() < self.days_a_week)

    def school_days(self, first: date, last: date) -> list[date]:
        """The school days from ``first`` to ``last``, both included."""
        span = (last - first).days + 1
        return [day for day in (first + timedelta(days=n) for n in range(span)) if self.is_school_day(day)]

    def last_school_days(self, until: date, count: int) -> list[date]:
        """The last ``count`` school days up to and including ``until``, earliest first. Looks back one year at most."""
        days = (until - timedelta(days=n) for n in range(366))
        found = [day for day in days if self.is_school_day(day)][:count]
        return found[::-1]

    def next_school_day(self, after: date) -> date | None:
        """The first school day later than ``after``, within a year."""
        days = (after + timedelta(days=n) for n in range(1, 367))
        return next((day for day in days if self.is_school_day(day)), None)


def calendar_from(days_a_week: int, country: Iterable[CalendarDay], school: Iterable[CalendarDay]) -> Calendar:
    """A calendar from its rows; the school's rows override the country's."""
    exceptions = {row.day: row.nature == "school-day" for rows in (country, school) for row in rows}
    return Calendar(days_a_week, exceptions)


def local_day(instant: datetime, zone: ZoneInfo) -> date:
    """The calendar day of an instant in ``zone``."""
    return instant.astimezone(zone).date()
