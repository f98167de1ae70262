"""A school's calendar: its week, free days and moved days."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from flask import request, url_for
from flask_babel import gettext

from schoolmeals.actors import Role
from schoolmeals.database import reading, transaction
from schoolmeals.errors import Invalid, NotFound
from schoolmeals.identity.actions.calendar import (
    MOST_DAYS_AT_ONCE,
    NATURES,
    clear_calendar_day,
    edit_calendar,
    set_school_week,
)
from schoolmeals.identity.queries import calendar_days, calendar_of, organisation, require_role_in
from schoolmeals.identity.views.frame import again, done, form, pages
from schoolmeals.identity.views.words import nature_name
from schoolmeals.web import actor, frame, guard, language, now, render, roles
from schoolmeals.workdays import CalendarDay, local_day

OFFICE = roles(Role.SCHOOL_OFFICE, Role.CITY_ADMIN)
NAMES = ("name_kk", "name_ru", "name_en")


@pages.get("/school/<uuid:school_id>/calendar")
@guard(OFFICE)
def school_calendar(school_id: UUID) -> Any:
    """The days that differ from the week, from today on."""
    return render("identity/calendar.html", typed={}, **_calendar(school_id))


@pages.post("/school/<uuid:school_id>/calendar")
@guard(OFFICE)
def add_calendar_days(school_id: UUID) -> Any:
    """Say what some days are."""
    typed = form("first", "last", "nature", *NAMES)
    names = {name: typed[name] for name in NAMES}
    try:
        with transaction(actor(), now()) as work:
            edit_calendar(work, school_id, _days(typed["first"], typed["last"]), nature=typed["nature"], **names)
    except Invalid as refusal:
        return again("identity/calendar.html", refusal, typed=typed, **_calendar(school_id))
    return done(gettext("Saved."), url_for("identity.school_calendar", school_id=school_id))


@pages.post("/school/<uuid:school_id>/calendar/remove")
@guard(OFFICE)
def remove_calendar_day(school_id: UUID) -> Any:
    """Forget what the school said of a day."""
    day = _day(request.form.get("day", ""))
    if day is None:
        raise NotFound
    with transaction(actor(), now()) as work:
        clear_calendar_day(work, school_id, day)
    return done(gettext("Saved."), url_for("identity.school_calendar", school_id=school_id))


@pages.post("/school/<uuid:school_id>/week")
@guard(OFFICE)
def school_week(school_id: UUID) -> Any:
    """Teach five or six days a week."""
    days = request.form.get("days", "")
    try:
        with transaction(actor(), now()) as work:
            set_school_week(work, school_id, int(days) if days in ("5", "6") else 0)
    except Invalid as refusal:
        return again("identity/calendar.html", refusal, typed={}, **_calendar(school_id))
    return done(gettext("Saved."), url_for("identity.school_calendar", school_id=school_id))


def _calendar(school_id: UUID) -> dict[str, Any]:
    today = local_day(now(), frame().zone)
    with reading(actor(), now()) as look:
        require_role_in(look, school_id, Role.SCHOOL_OFFICE, Role.CITY_ADMIN)
        days = [day for day in calendar_days(look, school_id) if day.day >= today]
        return {
            "school_id": school_id,
            "school_name": organisation(look, school_id).name(language()),
            "days_a_week": calendar_of(look, school_id).days_a_week,
            "days": [
                {
                    "day": day.day,
                    "nature": nature_name(day.nature),
                    "name": _name(day),
                    "own": day.school_id is not None,
                }
                for day in days
            ],
            "natures": [(nature, nature_name(nature)) for nature in NATURES],
        }


def _name(day: CalendarDay) -> str:
    return {"kk": day.name_kk, "ru": day.name_ru}.get(language(), day.name_en)


def _days(first: str, last: str) -> list[date]:
    """The days from first to last; none where that is no span, one too many where it is too long."""
    start, end = _day(first), _day(last or first)
    if start is None or end is None or end < start:
        return []
    count = min((end - start).days, MOST_DAYS_AT_ONCE) + 1
    return [start + timedelta(days=n) for n in range(count)]


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
