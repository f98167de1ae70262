"""The till's page, and the faces that it shows when somebody is looked for by class and name."""

from typing import Any, Final
from uuid import UUID

from flask import redirect, request, session, url_for
from flask_babel import gettext

from schoolmeals import identity, pupils
from schoolmeals.canteen.views.blueprint import till_pages
from schoolmeals.canteen.words import MEALS
from schoolmeals.database import Work, reading
from schoolmeals.errors import NotAllowed
from schoolmeals.web import DEVICE, actor, guard, language, now, render, settings
from schoolmeals.web.guards import SignInNeeded

MOST_FACES: Final = 60
"""The largest class has far fewer; a search that finds more needs another letter."""


@till_pages.get("/till")
@guard(DEVICE)
def counter() -> Any:
    """The till, full screen; the page for the PIN where no shift is open."""
    who = actor()
    if who.cashier_id is None:
        return redirect(url_for("identity.shift"), code=303)
    school_id = _school()
    with reading(who, now()) as work:
        _speak_as(work, who.cashier_id)
        device = identity.present_device()
        assert device is not None, "the door admits devices only"
        return render(
            "canteen/till.html",
            school=identity.organisation(work, school_id).name(language()),
            device=identity.till_name(device.name),
            cashier=device.cashier_name,
            classes=[one for one in pupils.classes_of_school(work, school_id) if one.pupils],
            zone=settings().time_zone,
            meals=[(code, gettext(name)) for code, name in MEALS.items()],
        )


@till_pages.get("/till/faces")
@guard(DEVICE)
def faces() -> Any:
    """A grid of children by class or by the beginnings of their names."""
    if actor().cashier_id is None:
        raise NotAllowed
    class_id, search = request.args.get("class_id"), request.args.get("search", "")
    with reading(actor(), now()) as work:
        found = pupils.pupils_of_school(
            work, _school(), class_id=_uuid(class_id), search=search.strip() or None, per_page=MOST_FACES
        )
    return render("canteen/faces.html", page=found)


@till_pages.errorhandler(SignInNeeded)
@till_pages.errorhandler(NotAllowed)
def no_till_here(_refusal: Exception) -> Any:
    """This browser is no till, or no longer one: say what a till is and how to make one."""
    return render("canteen/no_till.html"), 403


def _speak_as(work: Work, cashier_id: UUID) -> None:
    """Begin a shift in the cashier's own language; the switch on the page may change it for this browser."""
    if session.get("till_cashier") != str(cashier_id):
        session["till_cashier"] = str(cashier_id)
        session["language"] = identity.people(work, [cashier_id])[cashier_id].language


def _school() -> UUID:
    school_id = actor().school_id
    assert school_id is not None, "a device acts in a school"
    return school_id


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return UUID(int=0)
