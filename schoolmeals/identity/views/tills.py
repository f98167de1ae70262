"""A school's tills, for its office."""

from typing import Any
from uuid import UUID

from flask import request, url_for
from flask_babel import gettext

from schoolmeals.actors import Role
from schoolmeals.database import reading, transaction
from schoolmeals.errors import Invalid
from schoolmeals.identity.actions.devices import new_device, renew_enrolment, revoke_device
from schoolmeals.identity.codes import shown_code
from schoolmeals.identity.queries import devices_of, organisation
from schoolmeals.identity.views.frame import again, done, keyring, pages
from schoolmeals.web import actor, guard, language, now, render, roles

OFFICE = roles(Role.SCHOOL_OFFICE, Role.CITY_ADMIN)


@pages.get("/school/<uuid:school_id>/tills")
@guard(OFFICE)
def tills(school_id: UUID) -> Any:
    """The tills of a school."""
    return render("identity/tills.html", typed={}, **_tills(school_id))


@pages.post("/school/<uuid:school_id>/tills")
@guard(OFFICE)
def add_till(school_id: UUID) -> Any:
    """Add a till; its enrolment code is shown once, on the page that answers."""
    name = request.form.get("name", "")
    try:
        with transaction(actor(), now()) as work:
            _, code = new_device(work, school_id, name, keys=keyring())
    except Invalid as refusal:
        return again("identity/tills.html", refusal, typed={"name": name}, **_tills(school_id))
    return _told(school_id, code)


@pages.post("/school/<uuid:school_id>/tills/<uuid:device_id>/code")
@guard(OFFICE)
def renew_till(school_id: UUID, device_id: UUID) -> Any:
    """Another enrolment code."""
    with transaction(actor(), now()) as work:
        code = renew_enrolment(work, school_id, device_id, keys=keyring())
    return _told(school_id, code)


@pages.post("/school/<uuid:school_id>/tills/<uuid:device_id>/revoke")
@guard(OFFICE)
def revoke_till(school_id: UUID, device_id: UUID) -> Any:
    """Take a till out of use."""
    with transaction(actor(), now()) as work:
        revoke_device(work, school_id, device_id)
    return done(gettext("The till was removed. It takes no more taps."), url_for("identity.tills", school_id=school_id))


def _tills(school_id: UUID) -> dict[str, Any]:
    with reading(actor(), now()) as look:
        devices = devices_of(look, school_id)
        name = organisation(look, school_id).name(language())
    return {"school_id": school_id, "school_name": name, "devices": devices}


def _told(school_id: UUID, code: str) -> Any:
    return render(
        "identity/code.html",
        title=gettext("Enrolment code"),
        code=shown_code(code),
        steps=gettext("Open this address on the till itself and type the code. It is good for 15 minutes."),
        address=url_for("identity.enrol_page", _external=True),
        back=url_for("identity.tills", school_id=school_id),
    )
