"""What the school office's pages share: the school in question, days, and forms that come back with their errors."""

from datetime import date
from typing import Any, Final
from uuid import UUID

from flask import make_response, request, url_for
from flask_babel import gettext

from schoolmeals import identity
from schoolmeals.actors import Role
from schoolmeals.canteen.views.forms import read_day
from schoolmeals.database import Work, reading
from schoolmeals.errors import Invalid, NotFound, Refusal
from schoolmeals.web import actor, frame, language, now, render, roles
from schoolmeals.web.problems import spoken, status_of
from schoolmeals.workdays import local_day

OFFICE: Final = roles(Role.SCHOOL_OFFICE, Role.CITY_ADMIN)


def today() -> date:
    """The school's present day."""
    return local_day(now(), frame().zone)


def asked_day() -> date:
    """The day that the address asks for; today, where it asks for none. Raises NotFound."""
    text = request.args.get("day", "")
    return read_day(text) if text else today()


def own_school() -> UUID:
    """The school whose page to show where the address names none: the first one that the actor works in."""
    with reading(actor(), now()) as work:
        found = identity.schools(work)
    if not found:
        raise NotFound
    mine = actor().schools_as(Role.SCHOOL_OFFICE)
    return next((school.id for school in found if school.id in mine), found[0].id)


def school_name(work: Work, school_id: UUID) -> str:
    """The school's name in the reader's language."""
    return identity.organisation(work, school_id).name(language())


def errors_of(refusal: Refusal) -> dict[str, Any]:
    """What is wrong, by field; under "" what belongs to no field."""
    fields = spoken(refusal.fields) if isinstance(refusal, Invalid) else {}
    return fields or {"": gettext(refusal.sentence) % refusal.params}


def again(refusal: Refusal, template: str, **context: Any) -> Any:
    """The page once more, with what is wrong on top."""
    return make_response(render(template, **(context | {"errors": errors_of(refusal)})), status_of(refusal))


def menu_url(school_id: UUID, day: date) -> str:
    """The address of a day's menu."""
    return url_for("canteen.menu", school_id=school_id, day=day.isoformat())


def day_url(school_id: UUID, day: date) -> str:
    """The address of a school's day."""
    return url_for("canteen.day", school_id=school_id, day=day.isoformat())
