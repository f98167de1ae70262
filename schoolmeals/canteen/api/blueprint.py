"""What all doors of the canteen's API share: the blueprint, who may pass, reading a day."""

from datetime import date
from typing import Final
from uuid import UUID

from flask import url_for

from schoolmeals.actors import Role
from schoolmeals.errors import N_, FieldProblem, Invalid
from schoolmeals.web import ApiBlueprint, frame, now, roles
from schoolmeals.workdays import local_day

api = ApiBlueprint("canteen_api", __name__, url_prefix="/api", description=N_("Menus, tills, meals, a school's day"))

KEEPERS: Final = roles(Role.SCHOOL_OFFICE, Role.CITY_ADMIN)
READERS: Final = roles(Role.SCHOOL_OFFICE, Role.CASHIER, Role.CITY_ADMIN, Role.AUDITOR)
BOOK_READERS: Final = roles(Role.SCHOOL_OFFICE, Role.CITY_ADMIN, Role.AUDITOR)
CITY: Final = roles(Role.CITY_ADMIN, Role.AUDITOR)
GUARDIANS: Final = roles(Role.PARENT)


def today() -> date:
    """The school's day of this request."""
    return local_day(now(), frame().zone)


def read_day(text: str) -> date:
    """A day in an address, ``2026-11-23``. Raises Invalid."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = date.min
    if not date(2000, 1, 1) <= day <= date(2200, 1, 1):
        sentence = N_("Write the day as year-month-day, for example 2026-11-23.")
        raise Invalid("day-unreadable", fields={"day": [FieldProblem.of("day-unreadable", sentence)]})
    return day


def photo_url(school_id: UUID, photo_id: UUID | None) -> str | None:
    """The address of a photo."""
    return None if photo_id is None else url_for("pupils.photo", school_id=school_id, photo_id=photo_id)
