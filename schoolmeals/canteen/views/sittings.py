"""When a school serves which meal."""

from typing import Any
from uuid import UUID

from flask import flash, redirect, request, url_for
from flask_babel import gettext

from schoolmeals import identity
from schoolmeals.canteen import queries
from schoolmeals.canteen.actions.menus import KEEPERS, end_sitting, hold_sitting, move_sitting
from schoolmeals.canteen.menus import SittingFacts
from schoolmeals.canteen.views.blueprint import pages
from schoolmeals.canteen.views.forms import read_hours
from schoolmeals.canteen.views.office import OFFICE, again, school_name, today
from schoolmeals.canteen.words import MEALS, hours, sitting_name
from schoolmeals.database import reading, transaction
from schoolmeals.errors import NotFound, Refusal
from schoolmeals.web import actor, guard, now, render


@pages.get("/school/<uuid:school_id>/sittings")
@guard(OFFICE)
def sittings(school_id: UUID) -> Any:
    """The meals of a school and their hours."""
    return render("canteen/sittings.html", typed={"meal": "lunch", "shift": "1"}, **_sittings(school_id))


@pages.post("/school/<uuid:school_id>/sittings")
@guard(OFFICE)
def add_sitting(school_id: UUID) -> Any:
    """Hold another sitting from now on."""
    shift = request.form.get("shift", "")
    try:
        opens_at, closes_at = read_hours(request.form)
        with transaction(actor(), now()) as work:
            meal = request.form.get("meal", "")
            number = int(shift) if shift in ("1", "2", "3") else 0
            hold_sitting(work, school_id, meal=meal, shift=number, opens_at=opens_at, closes_at=closes_at)
    except NotFound:
        raise
    except Refusal as refusal:
        return again(refusal, "canteen/sittings.html", typed=request.form, **_sittings(school_id))
    return _done(school_id, gettext("The meal is served from now on."))


@pages.get("/school/<uuid:school_id>/sittings/<uuid:sitting_id>")
@guard(OFFICE)
def sitting(school_id: UUID, sitting_id: UUID) -> Any:
    """One sitting: other hours, or its end."""
    context = _sittings(school_id)
    chosen = _chosen(context, sitting_id)
    typed = {"opens_at": f"{chosen.opens_at:%H:%M}", "closes_at": f"{chosen.closes_at:%H:%M}"}
    return render("canteen/sitting.html", chosen=chosen, name=sitting_name(chosen), typed=typed, **context)


@pages.post("/school/<uuid:school_id>/sittings/<uuid:sitting_id>")
@guard(OFFICE)
def change_sitting(school_id: UUID, sitting_id: UUID) -> Any:
    """Give a sitting other hours."""
    context = _sittings(school_id)
    chosen = _chosen(context, sitting_id)
    try:
        opens_at, closes_at = read_hours(request.form)
        with transaction(actor(), now()) as work:
            move_sitting(work, school_id, sitting_id, opens_at=opens_at, closes_at=closes_at)
    except NotFound:
        raise
    except Refusal as refusal:
        name = sitting_name(chosen)
        return again(refusal, "canteen/sitting.html", chosen=chosen, name=name, typed=request.form, **context)
    return _done(school_id, gettext("The times are changed."))


@pages.post("/school/<uuid:school_id>/sittings/<uuid:sitting_id>/end")
@guard(OFFICE)
def stop_sitting(school_id: UUID, sitting_id: UUID) -> Any:
    """Serve the meal no longer; today is the first day without it."""
    with transaction(actor(), now()) as work:
        end_sitting(work, school_id, sitting_id, on=today())
    return _done(school_id, gettext("The meal is no longer served."))


def _sittings(school_id: UUID) -> dict[str, Any]:
    with reading(actor(), now()) as work:
        identity.require_role_in(work, school_id, *KEEPERS)
        held = queries.sittings_of(work, school_id, today())
        return {
            "school_id": school_id,
            "school": school_name(work, school_id),
            "sittings": [{"facts": one, "name": sitting_name(one, held), "hours": hours(one)} for one in held],
            "rows": [(sitting_name(one, held), hours(one), _url(school_id, one.id)) for one in held],
            "meals": [(code, gettext(name)) for code, name in MEALS.items()],
            "shifts": [("1", "1"), ("2", "2"), ("3", "3")],
            "as_of": now(),
            "errors": {},
        }


def _url(school_id: UUID, sitting_id: UUID) -> str:
    return url_for("canteen.sitting", school_id=school_id, sitting_id=sitting_id)


def _chosen(context: dict[str, Any], sitting_id: UUID) -> SittingFacts:
    found: SittingFacts | None = next(
        (one["facts"] for one in context["sittings"] if one["facts"].id == sitting_id), None
    )
    if found is None:
        raise NotFound
    return found


def _done(school_id: UUID, sentence: str) -> Any:
    flash(sentence, "good")
    return redirect(url_for("canteen.sittings", school_id=school_id), code=303)
