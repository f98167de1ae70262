"""Complaints: making one, following it, and the review body's desk."""

from collections.abc import Callable, Mapping
from typing import Any, Final
from uuid import UUID

from flask import Response, flash, redirect, request, url_for
from flask_babel import gettext

from schoolmeals import identity
from schoolmeals.actors import Role
from schoolmeals.database import Work, reading, transaction
from schoolmeals.errors import NotFound, Refusal
from schoolmeals.ids import new_id
from schoolmeals.procurement import showing
from schoolmeals.procurement.actions import complaints as deeds
from schoolmeals.procurement.actions.complaints import Attached, NewComplaint
from schoolmeals.procurement.award_words import (
    ABOUT_NAMES,
    COMPLAINT_KINDS,
    INADMISSIBLE_NAMES,
    OUTCOME_NAMES,
    POST_NAMES,
    REMEDY_NAMES,
)
from schoolmeals.procurement.jobs import legal_clock
from schoolmeals.procurement.queries import complaints as complaint_queries
from schoolmeals.procurement.queries import tenders as tender_queries
from schoolmeals.procurement.queries.complaints import ComplaintFacts, PostFacts
from schoolmeals.procurement.rules.complaints import (
    LONGEST,
    OF_A_LOT,
    STAGE_NAMES,
    ComplaintStage,
)
from schoolmeals.procurement.views.blueprint import pages
from schoolmeals.procurement.views.desk import again
from schoolmeals.procurement.views.drafts import form_id
from schoolmeals.procurement.words import LANGUAGE_NAMES
from schoolmeals.web import PUBLIC_POLICY, SIGNED_IN, actor, frame, guard, language, now, render

SAFE_TYPES: Final = {"application/pdf": "application/pdf", "image/png": "image/png", "image/jpeg": "image/jpeg"}
"""What a browser may show; all else is only downloaded."""


@pages.get("/tenders/<uuid:tender_id>/complain")
@guard(SIGNED_IN)
def complain(tender_id: UUID) -> Any:
    """The form of a complaint."""
    return render("procurement/complain.html", **_form(tender_id))


@pages.post("/tenders/<uuid:tender_id>/complain")
@guard(SIGNED_IN)
def make_complaint(tender_id: UUID) -> Any:
    """Complain; the form's own number makes a second sending harmless."""
    try:
        with transaction(actor(), now()) as work:
            tender_queries.version(work, tender_id)
            complaint_id = deeds.make_complaint(work, tender_id, form_id("complaint_id"), _typed())
    except Refusal as refusal:
        return again(refusal, "procurement/complain.html", **(_form(tender_id) | {"typed": request.form}))
    flash(gettext("Your complaint is with the review body. Follow it here."), "good")
    return redirect(url_for("procurement.complaint", complaint_id=complaint_id), code=303)


@pages.get("/complaints")
@guard(SIGNED_IN)
def complaints() -> Any:
    """The actor's own complaints, and those that wait for the actor's word."""
    with reading(actor(), now()) as work:
        mine = complaint_queries.my_complaints(work)
        reviewed = complaint_queries.to_review(work)
    return render(
        "procurement/complaints.html",
        mine=[shown_complaint(one) for one in mine],
        reviewed=[shown_complaint(one) for one in reviewed],
    )


@pages.get("/complaints/<uuid:complaint_id>")
@guard(PUBLIC_POLICY)
def complaint(complaint_id: UUID) -> Any:
    """One complaint: what everybody may know, and to the sides its words and files."""
    return render("procurement/complaint.html", **_complaint(complaint_id))


@pages.post("/complaints/<uuid:complaint_id>/<complaint_move>")
@guard(SIGNED_IN)
def move_complaint(complaint_id: UUID, complaint_move: str) -> Any:
    """Withdraw it, take it up or refuse it, decide it, say how the decision was carried out."""
    if complaint_move not in MOVES:
        raise NotFound
    try:
        with transaction(actor(), now()) as work:
            found = complaint_queries.complaint(work, complaint_id)
            MOVES[complaint_move](work, found.tender_id, complaint_id)
    except Refusal as refusal:
        context = _complaint(complaint_id) | {"typed": request.form, "open": complaint_move}
        return again(refusal, "procurement/complaint.html", **context)
    flash(gettext("Done."), "good")
    return redirect(url_for("procurement.complaint", complaint_id=complaint_id), code=303)


@pages.get("/complaints/files/<uuid:complaint_file_id>")
@guard(SIGNED_IN)
def complaint_file(complaint_file_id: UUID) -> Any:
    """A file of a complaint, to keep."""
    with reading(actor(), now()) as work:
        facts, content = complaint_queries.complaint_file(work, complaint_file_id)
    answer = Response(content, mimetype=SAFE_TYPES.get(facts.media_type, "application/octet-stream"))
    answer.headers.set("Content-Disposition", "attachment", filename=facts.name)
    return answer


def shown_complaint(one: ComplaintFacts) -> dict[str, Any]:
    """A complaint in words."""
    return {
        "facts": one,
        "about": gettext(ABOUT_NAMES[one.about]),
        "stage": (gettext(STAGE_NAMES[one.stage]), COMPLAINT_KINDS.get(one.stage, "neutral")),
        "posts": [_post(post) for post in one.posts],
    }


def _post(post: PostFacts) -> dict[str, Any]:
    words = [gettext(OUTCOME_NAMES[post.outcome])] if post.outcome else []
    words += [gettext(INADMISSIBLE_NAMES[post.code])] if post.code else []
    return {
        "title": gettext(POST_NAMES[post.kind]),
        "words": words,
        "remedies": [gettext(REMEDY_NAMES[kind]) for kind, _lot_id in post.remedies],
        "text": post.text,
        "at": post.at,
    }


def _typed() -> NewComplaint:
    text = request.form.get
    files = [one for one in request.files.getlist("files") if one.filename]
    return NewComplaint(
        about=text("about", ""),
        text=text("text", ""),
        remedy=text("remedy", ""),
        language=text("language", language()),
        lot_id=form_id("lot_id") if text("lot_id") else None,
        organisation_id=form_id("organisation_id") if text("organisation_id") else None,
        files=tuple(Attached(one.filename or "", one.mimetype, one.read()) for one in files),
    )


def _form(tender_id: UUID) -> dict[str, Any]:
    with reading(actor(), now()) as work:
        version = tender_queries.version(work, tender_id)
        view = tender_queries.tender(work, tender_id)
        mine = sorted(actor().schools_as(Role.SUPPLIER), key=str)
        suppliers = [(one, identity.organisation(work, one).name(language())) for one in mine]
    lots = [(lot["id"], showing.said(lot["school"]["name"])) for lot in version.document["lots"]]
    body = version.document["review_body"]
    number = view.profile.number("complaint_decision")
    return {
        "view": view,
        "title": showing.said(view.line.title),
        "abouts": [(code, gettext(name)) for code, name in ABOUT_NAMES.items()],
        "lots": lots,
        "suppliers": suppliers,
        "languages": [(code, gettext(name)) for code, name in LANGUAGE_NAMES.items()],
        "review_body": showing.said(body["name"]) if body is not None else "",
        "decided_within": showing.shown_number(number),
        "decided_verified": number.verified,
        "complaint_id": new_id(now()),
        "typed": {"language": language()},
        "longest": LONGEST,
    }


def _complaint(complaint_id: UUID) -> dict[str, Any]:
    with reading(actor(), now()) as work:
        found = complaint_queries.complaint(work, complaint_id)
        version = tender_queries.version(work, found.tender_id)
    lots = [(lot["id"], showing.said(lot["school"]["name"])) for lot in version.document["lots"]]
    stage, deeds_now = found.stage, found.deeds
    judged = stage is ComplaintStage.WAITING
    return {
        "one": shown_complaint(found),
        "facts": found,
        "title": showing.said(version.document["sections"]["notice"]["title"]),
        "lot": dict(lots).get(str(found.lot_id), ""),
        "lots": lots,
        "may_withdraw": found.is_mine and stage in {ComplaintStage.WAITING, ComplaintStage.ACCEPTED},
        "may_accept": judged and "accept_complaint" in deeds_now,
        "may_refuse": judged and "refuse_complaint" in deeds_now,
        "may_decide": stage is ComplaintStage.ACCEPTED and "decide_complaint" in deeds_now,
        "may_execute": stage is ComplaintStage.TO_BE_EXECUTED and "execute_decision" in deeds_now,
        "is_overdue": stage is ComplaintStage.ACCEPTED
        and found.decide_until is not None
        and found.decide_until < now(),
        "codes": [(code, gettext(name)) for code, name in INADMISSIBLE_NAMES.items()],
        "outcomes": [(code, gettext(name)) for code, name in OUTCOME_NAMES.items()],
        "remedies": [(code, gettext(name)) for code, name in REMEDY_NAMES.items()],
        "typed": {},
        "open": "",
    }


def _withdraw(work: Work, tender_id: UUID, complaint_id: UUID) -> None:
    reason = request.form.get("reason", "")
    deeds.withdraw_complaint(work, tender_id, complaint_id, reason=reason, zone=frame().zone)


def _accept(work: Work, tender_id: UUID, complaint_id: UUID) -> None:
    deeds.accept_complaint(work, tender_id, complaint_id, zone=frame().zone, clock=legal_clock(frame().clock))


def _refuse(work: Work, tender_id: UUID, complaint_id: UUID) -> None:
    named = {name: request.form.get(name, "") for name in ("code", "reason")}
    deeds.refuse_complaint(work, tender_id, complaint_id, **named)


def _decide(work: Work, tender_id: UUID, complaint_id: UUID) -> None:
    lot_id = request.form.get("lot_id") or None
    kinds = request.form.getlist("remedies")
    remedies = [{"kind": kind, **({"lot_id": lot_id} if kind in OF_A_LOT else {})} for kind in kinds]
    named = {name: request.form.get(name, "") for name in ("outcome", "reasons")}
    deeds.decide_complaint(work, tender_id, complaint_id, **named, remedies=remedies, zone=frame().zone)


def _execute(work: Work, tender_id: UUID, complaint_id: UUID) -> None:
    report = request.form.get("report", "")
    deeds.execute_decision(work, tender_id, complaint_id, report=report, zone=frame().zone)


MOVES: Final[Mapping[str, Callable[[Work, UUID, UUID], None]]] = {
    "withdraw": _withdraw,
    "accept": _accept,
    "refuse": _refuse,
    "decide": _decide,
    "execute": _execute,
}
