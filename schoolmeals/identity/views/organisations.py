"""The city's schools: the list, a new one, and what is written of each."""

from typing import Any
from uuid import UUID

from flask import url_for
from flask_babel import gettext

from schoolmeals.actors import Role
from schoolmeals.database import reading, transaction
from schoolmeals.errors import Conflict, Invalid, NotFound
from schoolmeals.identity.actions.organisations import edit_organisation, new_organisation
from schoolmeals.identity.queries import OrganisationFacts
from schoolmeals.identity.queries import organisation as organisation_of
from schoolmeals.identity.queries import schools as schools_of
from schoolmeals.identity.views.frame import again, done, form, pages
from schoolmeals.web import actor, guard, language, now, render, roles

FIELDS = ("name_kk", "name_ru", "name_en", "identifier", "district", "address")
CITY = roles(Role.CITY_ADMIN)


@pages.get("/city/schools")
@guard(roles(Role.SCHOOL_OFFICE, Role.CITY_ADMIN))
def schools() -> Any:
    """The schools that the actor looks after."""
    with reading(actor(), now()) as look:
        own = actor().schools_as(Role.SCHOOL_OFFICE)
        found = [one for one in schools_of(look) if actor().has_role(Role.CITY_ADMIN) or one.id in own]
    rows = [{"id": one.id, "name": one.name(language()), "facts": one} for one in found]
    return render("identity/schools.html", schools=rows, may_add=actor().has_role(Role.CITY_ADMIN))


@pages.get("/city/schools/new")
@guard(CITY)
def new_school() -> Any:
    """The form for one more school."""
    return render("identity/school.html", typed={}, school=None)


@pages.post("/city/schools/new")
@guard(CITY)
def add_school() -> Any:
    """Add a school."""
    typed: dict[str, Any] = {**form(*FIELDS)}
    try:
        with transaction(actor(), now()) as work:
            new_organisation(work, kind="school", **typed)
    except (Invalid, Conflict) as refusal:
        return again("identity/school.html", refusal, typed=typed, school=None)
    return done(gettext("The school was added."), url_for("identity.schools"))


@pages.get("/city/schools/<uuid:school_id>")
@guard(CITY)
def school(school_id: UUID) -> Any:
    """What is written of a school."""
    found = _school(school_id)
    return render("identity/school.html", typed={name: getattr(found, name) for name in FIELDS}, school=found)


@pages.post("/city/schools/<uuid:school_id>")
@guard(CITY)
def edit_school(school_id: UUID) -> Any:
    """Describe a school anew."""
    typed, found = form(*FIELDS), _school(school_id)
    try:
        with transaction(actor(), now()) as work:
            edit_organisation(work, school_id, **typed)
    except (Invalid, Conflict) as refusal:
        return again("identity/school.html", refusal, typed=typed, school=found)
    return done(gettext("Saved."), url_for("identity.schools"))


def _school(school_id: UUID) -> OrganisationFacts:
    with reading(actor(), now()) as look:
        found = organisation_of(look, school_id)
    if found.kind != "school":
        raise NotFound
    return found
