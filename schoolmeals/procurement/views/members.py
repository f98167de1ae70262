"""A commission member's pages: my seats, the answer to an appointment, and the key for opening bids.

The key is made and tried by ``static/js/member_key.js``; its private half never comes here unwrapped.
"""

from typing import Any, Final
from uuid import UUID

from flask import flash, jsonify, redirect, request, url_for
from flask_babel import gettext

from schoolmeals.actors import Role
from schoolmeals.database import Work, reading, transaction
from schoolmeals.errors import N_, FieldProblem, Invalid, NotFound, Refusal
from schoolmeals.procurement import showing
from schoolmeals.procurement.actions import commission
from schoolmeals.procurement.actions.commission import KeptKey
from schoolmeals.procurement.queries import members as member_queries
from schoolmeals.procurement.queries.members import MySeat, SeatView
from schoolmeals.procurement.rules.quorum import SeatFacts
from schoolmeals.procurement.rules.stages import OVER, STAGE_NAMES, UNPUBLISHED, TenderStage
from schoolmeals.procurement.views.blueprint import pages
from schoolmeals.procurement.views.desk import again, errors_of
from schoolmeals.procurement.words import CONSTITUENCY_NAMES, PART_NAMES
from schoolmeals.web import actor, guard, now, render, roles
from schoolmeals.web.problems import status_of

MEMBERS: Final = roles(Role.COMMISSION_MEMBER)
TO_DO: Final = {
    "answer": (N_("Accept or decline the seat"), "care"),
    "key": (N_("Make your key"), "care"),
    "wait": (N_("Nothing to do now"), "neutral"),
    "come": (N_("Come to the opening"), "care"),
    "open": (N_("Open your shares now"), "care"),
    "declare": (N_("Declare your interests"), "care"),
    "work": (N_("The commission is at work"), "info"),
    "done": (N_("You have opened your shares"), "good"),
    "over": (N_("Finished"), "good"),
    "left": (N_("Seat ended"), "neutral"),
}


@pages.get("/commission")
@guard(MEMBERS)
def my_seats() -> Any:
    """The actor's seats in all commissions, with what is to do in each."""
    with reading(actor(), now()) as look:
        found = member_queries.my_seats(look)
    return render("procurement/my_seats.html", seats=[_line(one) for one in found])


@pages.get("/commission/<uuid:commission_id>")
@guard(MEMBERS)
def my_seat(commission_id: UUID) -> Any:
    """One seat: the answer to the appointment, the key, and the way to the opening."""
    return render("procurement/my_seat.html", **_seat(commission_id))


@pages.post("/commission/<uuid:commission_id>/answer")
@guard(MEMBERS)
def answer_appointment(commission_id: UUID) -> Any:
    """Accept or decline the seat."""
    try:
        with transaction(actor(), now()) as work:
            is_late = member_queries.seat_view(work, commission_id).published_at is not None
            _answer(work, commission_id)
    except Refusal as refusal:
        return again(refusal, "procurement/my_seat.html", **(_seat(commission_id) | {"typed": request.form}))
    if request.form["answer"] == "decline":
        flash(gettext("You gave the seat back. An alternate is called."), "good")
        return redirect(url_for("procurement.my_seats"), code=303)
    if is_late:
        flash(gettext("You accepted the seat. Now declare your interests."), "good")
        return redirect(url_for("procurement.declarations", commission_id=commission_id), code=303)
    flash(gettext("You accepted the seat. Now make your key."), "good")
    return redirect(url_for("procurement.my_key", commission_id=commission_id), code=303)


@pages.get("/commission/<uuid:commission_id>/key")
@guard(MEMBERS)
def my_key(commission_id: UUID) -> Any:
    """Make a key, try it, and publish its public half; or try the one that is published."""
    with reading(actor(), now()) as look:
        view = member_queries.seat_view(look, commission_id)
        kept = member_queries.kept_files(look, commission_id)
    return render("procurement/my_key.html", **named_seat(view), kept=kept, may_publish="publish_key" in view.deeds)


@pages.post("/commission/<uuid:commission_id>/key")
@guard(MEMBERS)
def publish_my_key(commission_id: UUID) -> Any:
    """Publish the key that the browser has made. Speaks JSON."""
    told = request.get_json(silent=True)
    try:
        recipient, kept = _made(told if isinstance(told, dict) else {})
        with transaction(actor(), now()) as work:
            commission.publish_key(work, commission_id, recipient, kept=kept)
    except Refusal as refusal:
        return told_refusal(refusal)
    flash(gettext("Your key is published. Keep the paper with the passphrase until the bids are opened."), "good")
    return jsonify({"next": url_for("procurement.my_seat", commission_id=commission_id)})


def told_refusal(refusal: Refusal) -> Any:
    """A refusal for a page's own script."""
    found = errors_of(refusal).values()
    detail = " ".join(" ".join([one] if isinstance(one, str) else one) for one in found)
    return jsonify({"code": refusal.code, "detail": detail}), status_of(refusal)


def to_do(stage: TenderStage, seat: SeatFacts, *, has_done: bool) -> str:
    """What a seat's holder has to do next; ``has_done``: the own part of this stage is done."""
    if not seat.stands:
        return "left"
    if seat.accepted_at is None:
        return "answer"
    if stage in UNPUBLISHED:
        return "key" if seat.key_public is None else "wait"
    if stage in OVER:
        return "over"
    if has_done:
        return "done" if stage is TenderStage.OPENING else "work"
    at_work = {TenderStage.CLOSED: "come", TenderStage.OPENING: "open", TenderStage.ADMISSION: "declare"}
    busy = "work" if stage not in (TenderStage.DISCUSSION, TenderStage.BIDDING, TenderStage.SUSPENDED) else "wait"
    return at_work.get(stage, busy) if seat.votes else "wait"


def _answer(work: Work, commission_id: UUID) -> None:
    match request.form.get("answer"):
        case "accept":
            commission.accept_appointment(work, commission_id)
        case "decline":
            commission.decline_appointment(work, commission_id, request.form.get("reason", ""))
        case _:
            # Whose seat it is comes before what was typed.
            member_queries.seat_view(work, commission_id)
            raise Invalid(fields={"answer": [CHOOSE]})


def _made(told: dict[str, Any]) -> tuple[str, KeptKey]:
    """What the script sends. Raises Invalid."""
    passkey = told.get("passkey")
    names = ("recipient", "key_file")
    if not all(isinstance(told.get(name), str) for name in names) or not isinstance(passkey, dict | None):
        raise Invalid(fields={"key_file": [commission.NOT_WRAPPED]})
    files = {name: (passkey or {}).get(name) for name in ("credential", "file")}
    if not all(isinstance(value, str) for value in files.values()) and passkey is not None:
        raise Invalid(fields={"key_file": [commission.NOT_WRAPPED]})
    return told["recipient"], KeptKey(told["key_file"], files["credential"], files["file"])


def _line(one: MySeat) -> dict[str, Any]:
    text, kind = TO_DO[to_do(one.stage, one.seat, has_done=one.has_done)]
    hidden = one.stage in UNPUBLISHED and not one.seat.stands
    return {
        "label": showing.said(one.title),
        "href": None if hidden else url_for("procurement.my_seat", commission_id=one.tender_id),
        "hint": ", ".join(filter(None, (_part(one.seat), _number(one.number), showing.stage_tag(one.stage)[0]))),
        "state": gettext(text),
        "kind": kind,
    }


def _seat(commission_id: UUID) -> dict[str, Any]:
    with reading(actor(), now()) as look:
        view = member_queries.seat_view(look, commission_id)
    if view.stage in UNPUBLISHED and not view.seat.stands:
        raise NotFound
    return {**named_seat(view), "desks": _desks(view), "typed": {}}


def _desks(view: SeatView) -> list[tuple[str, str]]:
    """Where the commission works at this stage, and has worked before."""
    if not view.seat.votes or view.stage in UNPUBLISHED:
        return []
    reached = {stage for opens, stage in _OPENED_BY if getattr(view, opens) is not None}
    found = [(gettext(DESK_NAMES[stage]), endpoint) for stage, endpoint in DESKS.items() if stage in reached]
    return [one for one in found if one[1] != DESKS[TenderStage.AWARDING] or view.chairs]


def named_seat(view: SeatView) -> dict[str, Any]:
    """A seat in words."""
    seat, task = view.seat, to_do(view.stage, view.seat, has_done=view.has_done)
    return {
        "view": view,
        "commission_id": view.tender_id,
        "title": showing.said(view.title),
        "stage": showing.stage_tag(view.stage),
        "part": gettext(CHAIR) if view.chairs else _part(seat),
        "constituency": gettext(CONSTITUENCY_NAMES[seat.constituency]) if seat.constituency else "",
        "task": task,
        "task_text": gettext(TO_DO[task][0]),
        "task_kind": TO_DO[task][1],
        "fingerprint": shown_fingerprint(view.fingerprint),
        "shares_needed": view.shares_needed,
    }


def shown_fingerprint(fingerprint: str | None) -> str:
    """The part of a fingerprint that people compare: eight groups of four."""
    return " ".join(fingerprint[at : at + 4] for at in range(0, 32, 4)) if fingerprint else ""


def _part(seat: SeatFacts) -> str:
    text = CALLED if seat.part != "member" and seat.seated_at is not None else PART_NAMES[seat.part]
    return str(gettext(text))


def _number(number: str | None) -> str:
    return str(gettext("No. %(number)s", number=number)) if number else ""


DESKS: Final = {
    TenderStage.ADMISSION: "procurement.admission_matrix",
    TenderStage.EVALUATION: "procurement.scoring_board",
    TenderStage.AWARDING: "procurement.award_to_sign",
}
DESK_NAMES: Final = {
    TenderStage.ADMISSION: STAGE_NAMES[TenderStage.ADMISSION],
    TenderStage.EVALUATION: STAGE_NAMES[TenderStage.EVALUATION],
    TenderStage.AWARDING: N_("Protocol of the award"),
}
_OPENED_BY: Final = (
    ("opened_at", TenderStage.ADMISSION),
    ("admitted_at", TenderStage.EVALUATION),
    ("evaluated_at", TenderStage.AWARDING),
)
CHAIR: Final = PART_NAMES["chair"]
CALLED: Final = N_("Alternate, called in")
CHOOSE: Final = FieldProblem.of("choose", N_("Choose whether you accept the seat."))
