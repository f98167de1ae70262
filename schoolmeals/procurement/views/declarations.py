"""Declarations of interest, one for each bidder, and leaving the commission of a tender."""

from typing import Any, Final
from uuid import UUID

from flask import flash, redirect, request, url_for
from flask_babel import gettext

from schoolmeals.database import Work, reading, transaction
from schoolmeals.errors import N_, FieldProblem, Invalid, NotFound, Refusal
from schoolmeals.procurement.actions import commission
from schoolmeals.procurement.queries import interests, members
from schoolmeals.procurement.rules.conflicts import HitKind
from schoolmeals.procurement.showing import said
from schoolmeals.procurement.views.blueprint import pages
from schoolmeals.procurement.views.desk import again
from schoolmeals.procurement.views.members import MEMBERS, named_seat
from schoolmeals.web import actor, guard, now, render

TEMPLATE: Final = "procurement/declarations.html"
NATURE_NAMES: Final = {
    "none": N_("I have no interest in this bidder"),
    "relative": N_("A relative of mine works there or owns it"),
    "work": N_("I work or worked for it"),
    "money": N_("I have a share in it, or it owes me money"),
    "other": N_("Another interest"),
}
HIT_NAMES: Final = {
    HitKind.ADDRESS: N_("Same address: %(what)s"),
    HitKind.PHONE: N_("Same telephone: %(what)s"),
    HitKind.NAME: N_("Same surname and patronymic: %(what)s"),
    HitKind.EMPLOYER: N_("Your employer: %(what)s"),
    HitKind.FOUNDER: N_("You founded it: %(what)s"),
}


@pages.get("/commission/<uuid:commission_id>/declarations")
@guard(MEMBERS)
def declarations(commission_id: UUID) -> Any:
    """Each bidder with what was found in common, and what the member has declared."""
    return render(TEMPLATE, **_declarations(commission_id))


@pages.post("/commission/<uuid:commission_id>/declarations")
@guard(MEMBERS)
def declare(commission_id: UUID) -> Any:
    """Declare about one bidder. Whoever has an interest leaves, and an alternate is called."""
    try:
        with transaction(actor(), now()) as work:
            _declare(work, commission_id)
    except Refusal as refusal:
        return again(refusal, TEMPLATE, **(_declarations(commission_id) | {"typed": request.form}))
    flash(gettext("Your declaration is recorded."), "good")
    return redirect(url_for("procurement.declarations", commission_id=commission_id), code=303)


@pages.post("/commission/<uuid:commission_id>/recuse")
@guard(MEMBERS)
def leave_commission(commission_id: UUID) -> Any:
    """Leave the commission of this tender for good."""
    try:
        with transaction(actor(), now()) as work:
            own = members.seat_view(work, commission_id).seat
            commission.recuse(work, commission_id, own.id, request.form.get("reason", ""))
    except Refusal as refusal:
        return again(refusal, TEMPLATE, **(_declarations(commission_id) | {"typed": request.form}))
    flash(gettext("You left the commission. An alternate is called."), "good")
    return redirect(url_for("procurement.my_seats"), code=303)


def _declare(work: Work, commission_id: UUID) -> None:
    form = request.form
    known = {str(one.tenderer_id): one.tenderer_id for one in interests.to_declare(work, commission_id)}
    if form.get("tenderer_id") not in known:
        raise NotFound
    nature = form.get("nature", "")
    if nature not in commission.NATURES:
        raise Invalid(fields={"nature": [CHOOSE]})
    commission.declare_interest(
        work,
        commission_id,
        known[form["tenderer_id"]],
        has_interest=nature != "none",
        nature=nature,
        statement=form.get("statement", ""),
    )


def _declarations(commission_id: UUID) -> dict[str, Any]:
    with reading(actor(), now()) as look:
        view = members.seat_view(look, commission_id)
        known = view.seat.stands and view.opening_started_at is not None
        found = interests.to_declare(look, commission_id) if known else []
    return {
        **named_seat(view),
        "may_declare": "declare_interest" in view.deeds,
        "may_leave": "recuse" in view.deeds,
        "tenderers": [
            {
                "id": one.tenderer_id,
                "name": said(one.name),
                "identifier": one.identifier or "",
                "declared": one.declared,
                "has_interest": one.has_interest,
                "hits": [gettext(HIT_NAMES[hit.kind]) % {"what": hit.what} for hit in one.hits],
            }
            for one in found
        ],
        "natures": [(code, gettext(name)) for code, name in NATURE_NAMES.items()],
        "typed": {},
    }


CHOOSE: Final = FieldProblem.of("choose-nature", N_("Choose whether you have an interest in this bidder."))
