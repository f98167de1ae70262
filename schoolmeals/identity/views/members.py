"""Who holds which role in an organisation, invitations, and cashiers' PINs."""

from typing import Any
from uuid import UUID

from flask import request, url_for
from flask_babel import gettext

from schoolmeals.actors import Role
from schoolmeals.database import Work, reading, transaction
from schoolmeals.errors import Invalid, NotFound
from schoolmeals.identity.actions.devices import set_pin
from schoolmeals.identity.actions.invitations import invite, withdraw_invitation
from schoolmeals.identity.actions.organisations import NEEDED
from schoolmeals.identity.actions.people import revoke_role
from schoolmeals.identity.codes import shown_code
from schoolmeals.identity.queries import (
    OrganisationFacts,
    members,
    organisations_to_staff,
    standing_invitations,
)
from schoolmeals.identity.rules import roles_to_give
from schoolmeals.identity.views.frame import again, done, first_problem, form, keyring, pages, see_other
from schoolmeals.identity.views.proof import fresh_proof
from schoolmeals.identity.views.words import KIND_NAMES, role_name
from schoolmeals.web import actor, guard, language, now, render, roles

STAFF = roles(Role.SCHOOL_OFFICE, Role.CITY_ADMIN)


@pages.get("/people")
@guard(STAFF)
def people() -> Any:
    """The organisations whose people the actor looks after; straight to it where there is one."""
    with reading(actor(), now()) as look:
        found = organisations_to_staff(look)
    if len(found) == 1:
        return see_other(url_for("identity.people_of", organisation_id=found[0].id))
    return render("identity/organisations_to_staff.html", organisations=_named(found))


@pages.get("/people/<uuid:organisation_id>")
@guard(STAFF)
def people_of(organisation_id: UUID) -> Any:
    """The people of one organisation and the invitations that wait."""
    return render("identity/people.html", typed={}, **_people(organisation_id))


@pages.post("/people/<uuid:organisation_id>/invitations")
@guard(STAFF)
@fresh_proof
def invite_person(organisation_id: UUID) -> Any:
    """Invite somebody; the code is shown once, on the page that answers."""
    typed = form("name", "role")
    with reading(actor(), now()) as look:
        _mine(look, organisation_id)
    try:
        with transaction(actor(), now()) as work:
            _, code = invite(work, organisation_id, _role(typed["role"]), typed["name"], keys=keyring())
    except Invalid as refusal:
        return again("identity/people.html", refusal, typed=typed, **_people(organisation_id))
    return render(
        "identity/code.html",
        title=gettext("Invitation"),
        code=shown_code(code),
        steps=gettext("%(name)s opens this address and types the code. It is good for 7 days.", name=typed["name"]),
        address=url_for("identity.join_page", _external=True),
        back=url_for("identity.people_of", organisation_id=organisation_id),
    )


@pages.post("/people/<uuid:organisation_id>/invitations/<uuid:invitation_id>/withdraw")
@guard(STAFF)
def withdraw(organisation_id: UUID, invitation_id: UUID) -> Any:
    """Make an invitation's code worthless."""
    with transaction(actor(), now()) as work:
        withdraw_invitation(work, organisation_id, invitation_id)
    return _back(organisation_id, gettext("The invitation was withdrawn."))


@pages.post("/people/<uuid:organisation_id>/members/<uuid:person_id>/revoke")
@guard(STAFF)
@fresh_proof
def revoke(organisation_id: UUID, person_id: UUID) -> Any:
    """Take a role away; the person is signed out everywhere."""
    try:
        role = _role(request.form.get("role", ""))
    except Invalid as refusal:
        raise NotFound from refusal
    with transaction(actor(), now()) as work:
        revoke_role(work, person_id, role, organisation_id)
    return _back(organisation_id, gettext("The role was taken away."))


@pages.post("/people/<uuid:organisation_id>/members/<uuid:person_id>/pin")
@guard(STAFF)
def give_pin(organisation_id: UUID, person_id: UUID) -> Any:
    """Give a cashier a PIN."""
    try:
        with transaction(actor(), now()) as work:
            set_pin(work, organisation_id, person_id, request.form.get("pin", ""))
    except Invalid as refusal:
        return again("identity/people.html", first_problem(refusal), typed={}, **_people(organisation_id))
    return _back(organisation_id, gettext("The PIN was saved."))


def _people(organisation_id: UUID) -> dict[str, Any]:
    with reading(actor(), now()) as look:
        place = _mine(look, organisation_id)
        given = roles_to_give(actor(), place.kind, organisation_id)
        return {
            "place": place,
            "place_name": place.name(language()),
            "members": [
                {"member": one, "role": role_name(one.role), "may_revoke": one.role in given}
                for one in members(look, organisation_id)
            ],
            "invitations": [
                {"invitation": one, "role": role_name(Role(one.role))}
                for one in standing_invitations(look, organisation_id)
            ],
            "roles": [(role.value, role_name(role)) for role in Role if role in given - {Role.PARENT}],
        }


def _mine(look: Work, organisation_id: UUID) -> OrganisationFacts:
    """The organisation, if the actor looks after its people. Raises NotFound."""
    found = next((one for one in organisations_to_staff(look) if one.id == organisation_id), None)
    if found is None:
        raise NotFound
    return found


def _named(found: list[OrganisationFacts]) -> list[dict[str, Any]]:
    return [{"id": one.id, "name": one.name(language()), "kind": gettext(KIND_NAMES[one.kind])} for one in found]


def _role(text: str) -> Role:
    """The role of that code. Raises Invalid with the field role."""
    try:
        return Role(text)
    except ValueError as error:
        raise Invalid(fields={"role": [NEEDED]}) from error


def _back(organisation_id: UUID, sentence: str) -> Any:
    return done(sentence, url_for("identity.people_of", organisation_id=organisation_id))
