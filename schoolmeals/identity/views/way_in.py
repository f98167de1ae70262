"""The office helps somebody who cannot sign in: with a code for a new password, or by removing a lost second factor."""

from typing import Any
from uuid import UUID

from flask import url_for
from flask_babel import gettext

from schoolmeals.database import reading, transaction
from schoolmeals.identity.actions.mending import give_password_code, reset_second_factor
from schoolmeals.identity.codes import shown_code
from schoolmeals.identity.views.frame import done, keyring, pages
from schoolmeals.identity.views.members import STAFF
from schoolmeals.identity.views.proof import fresh_proof
from schoolmeals.identity.ways_in import WaysIn, ways_in
from schoolmeals.web import actor, guard, now, render

PATH = "/people/<uuid:organisation_id>/members/<uuid:person_id>/way-in"


@pages.get(PATH)
@guard(STAFF)
def way_in(organisation_id: UUID, person_id: UUID) -> Any:
    """How somebody signs in, and what the office may do about it."""
    found = _found(organisation_id, person_id)
    return render("identity/way_in.html", found=found, organisation_id=organisation_id)


@pages.post(f"{PATH}/code")
@guard(STAFF)
@fresh_proof
def give_code(organisation_id: UUID, person_id: UUID) -> Any:
    """A code for a new password, shown once."""
    found = _found(organisation_id, person_id)
    with transaction(actor(), now()) as work:
        code = give_password_code(work, keyring(), person_id)
    return render(
        "identity/code.html",
        title=gettext("Code for a new password"),
        code=shown_code(code),
        steps=gettext("%(name)s opens this address and types the code. It is good for 24 hours.", name=found.name),
        address=url_for("identity.new_password", _external=True),
        back=url_for("identity.way_in", organisation_id=organisation_id, person_id=person_id),
    )


@pages.post(f"{PATH}/second-factor/remove")
@guard(STAFF)
@fresh_proof
def take_second_factor(organisation_id: UUID, person_id: UUID) -> Any:
    """Remove a lost second factor; the person is signed out everywhere."""
    _found(organisation_id, person_id)
    with transaction(actor(), now()) as work:
        reset_second_factor(work, keyring(), person_id)
    sentence = gettext("The second factor was removed.")
    return done(sentence, url_for("identity.way_in", organisation_id=organisation_id, person_id=person_id))


def _found(organisation_id: UUID, person_id: UUID) -> WaysIn:
    with reading(actor(), now()) as look:
        return ways_in(look, organisation_id, person_id)
