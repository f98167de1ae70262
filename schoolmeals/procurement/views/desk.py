"""What the officers' pages share: their doors, and forms that come back with their errors."""

from typing import Any, Final
from uuid import UUID

from flask import make_response
from flask_babel import gettext

from schoolmeals import identity
from schoolmeals.actors import Role
from schoolmeals.database import Work
from schoolmeals.errors import Invalid, NotFound, Refusal
from schoolmeals.web import actor, render, roles
from schoolmeals.web.problems import spoken, status_of

READERS: Final = roles(Role.PROCUREMENT_OFFICER, Role.CITY_ADMIN, Role.AUDITOR)
WRITERS: Final = roles(Role.PROCUREMENT_OFFICER, Role.CITY_ADMIN)


def own_organiser() -> UUID:
    """The organisation that the actor buys for. Raises NotFound."""
    mine = sorted(actor().schools_as(Role.PROCUREMENT_OFFICER), key=str)
    if not mine:
        raise NotFound
    return mine[0]


def school_choices(work: Work, language: str) -> list[tuple[UUID, str]]:
    """All schools, for a list to choose from."""
    return [(one.id, one.name(language)) for one in identity.organisations(work, ["school"])]


def errors_of(refusal: Refusal) -> dict[str, Any]:
    """What is wrong, by field; under "" what belongs to no field."""
    fields = spoken(refusal.fields) if isinstance(refusal, Invalid) else {}
    return fields or {"": gettext(refusal.sentence) % refusal.params}


def again(refusal: Refusal, template: str, **context: Any) -> Any:
    """The page once more, with what is wrong on top. What is not there stays not found."""
    if isinstance(refusal, NotFound):
        raise refusal
    return make_response(render(template, **(context | {"errors": errors_of(refusal)})), status_of(refusal))
