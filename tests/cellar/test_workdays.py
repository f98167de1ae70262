"""School days: the week, and the days that differ from it."""

from datetime import UTC, date, datetime
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schoolmeals.workdays import Calendar, CalendarDay, calendar_from, local_day

MONDAY, FRIDAY, SATURDAY, SUNDAY = date(2026, 11, 23), date(2026, 11, 27), date(2026, 11, 28), date(2026, 11, 29)


def row(day: date, nature: str) -> CalendarDay:
    return CalendarDay(id=uuid4(), school_id=None, day=day, nature=nature, name_kk="", name_ru="", name_en="")


def test_a_week_has_five_or_six_days() -> None:
    assert [Calendar(5).is_school_day(day) for day in (FRIDAY, SATURDAY, SUNDAY)] == [True, False, False]
    assert [Calendar(6).is_school_day(day) for day in (FRIDAY, SATURDAY, SUNDAY)] == [True, True, False]


def test_the_schools_own_day_overrides_the_countrys() -> None:
    country = [row(MONDAY, "holiday"), row(SATURDAY, "school-day")]
    assert not calendar_from(5, country, []).is_school_day(MONDAY)
    assert calendar_from(5, country, []).is_school_day(SATURDAY)
    assert calendar_from(5, country, [row(MONDAY, "school-day")]).is_school_day(MONDAY)


def test_days_are_counted_forwards_and_backwards() -> None:
    calendar = Calendar(5, {date(2026, 11, 25): False})
    assert calendar.school_days(MONDAY, SUNDAY) == [MONDAY, date(2026, 11, 24), date(2026, 11, 26), FRIDAY]
    assert calendar.last_school_days(SUNDAY, 3) == [date(2026, 11, 24), date(2026, 11, 26), FRIDAY]
    assert calendar.next_school_day(FRIDAY) == date(2026, 11, 30)


def test_a_school_that_never_teaches_has_no_next_day() -> None:
    never = Calendar(5, {date.fromordinal(MONDAY.toordinal() + n): False for n in range(400)})
    assert never.next_school_day(MONDAY) is None


@given(st.dates(date(2020, 1, 1), date(2030, 1, 1)), st.integers(1, 30))
def test_the_last_days_are_school_days_in_order(until: date, count: int) -> None:
    days = Calendar(5).last_school_days(until, count)
    assert len(days) == count
    assert days == sorted(days)
    assert all(day.weekday() < 5 and day <= until for day in days)


def test_a_day_begins_at_local_midnight() -> None:
    almaty = ZoneInfo("Asia/Almaty")
    assert local_day(datetime(2026, 11, 22, 18, 59, tzinfo=UTC), almaty) == date(2026, 11, 22)
    assert local_day(datetime(2026, 11, 22, 19, 0, tzinfo=UTC), almaty) == date(2026, 11, 23)


@pytest.mark.parametrize(
    ("instant", "offset_h"), [(datetime(2024, 2, 1, tzinfo=UTC), 6), (datetime(2024, 3, 2, tzinfo=UTC), 5)]
)
def test_kazakhstan_has_one_zone_since_march_2024(instant: datetime, offset_h: int) -> None:
    offset = instant.astimezone(ZoneInfo("Asia/Almaty")).utcoffset()
    assert offset is not None
    assert offset.total_seconds() == offset_h * 3600
