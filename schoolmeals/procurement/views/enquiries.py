"""Questions about a tender: the form for whoever is signed in, and the officers' page for answers."""

from typing import Any
from uuid import UUID

from flask import flash, redirect, request, url_for
from flask_babel import gettext

from schoolmeals.database import reading, transaction
from schoolmeals.errors import N_, Invalid, Refusal
from schoolmeals.ids import new_id
from schoolmeals.procurement import showing
from schoolmeals.procurement.actions import enquiries as deeds
from schoolmeals.procurement.queries import enquiries as enquiry_queries
from schoolmeals.procurement.queries import tenders as tender_queries
from schoolmeals.procurement.queries.enquiries import EnquiryFacts
from schoolmeals.procurement.queries.tenders import TenderView
from schoolmeals.procurement.rules.drafting import LANGUAGES
from schoolmeals.procurement.rules.enquiries import LONGEST, OBJECTION, QUESTION, NewEnquiry
from schoolmeals.procurement.rules.stages import TenderStage
from schoolmeals.procurement.views.blueprint import pages
from schoolmeals.procurement.views.desk import READERS, WRITERS, again
from schoolmeals.procurement.views.drafts import form_id
from schoolmeals.procurement.words import ENQUIRY_NAMES, LANGUAGE_NAMES
from schoolmeals.web import SIGNED_IN, actor, guard, language, now, render


@pages.get("/tenders/<uuid:tender_id>/ask")
@guard(SIGNED_IN)
def ask(tender_id: UUID) -> Any:
    """The form of a question or an objection."""
    return render("procurement/ask.html", **_form(tender_id))


@pages.post("/tenders/<uuid:tender_id>/ask")
@guard(SIGNED_IN)
def ask_enquiry(tender_id: UUID) -> Any:
    """Ask; the form's own number makes a second sending harmless."""
    try:
        with transaction(actor(), now()) as work:
            tender_queries.version(work, tender_id)
            deeds.ask_enquiry(work, tender_id, _typed())
    except Refusal as refusal:
        return again(refusal, "procurement/ask.html", **(_form(tender_id) | {"typed": request.form}))
    flash(gettext("Your question is on the tender's page. Nobody reads there who asked it."), "good")
    return redirect(url_for("procurement.tender", tender_id=tender_id, _anchor="questions"), code=303)


@pages.get("/procurement/tenders/<uuid:draft_id>/enquiries")
@guard(READERS)
def draft_enquiries(draft_id: UUID) -> Any:
    """What was asked, with a form for each answer that is missing."""
    return render("procurement/answers.html", **_answers(draft_id))


@pages.post("/procurement/tenders/<uuid:draft_id>/enquiries/<uuid:enquiry_id>")
@guard(WRITERS)
def answer_enquiry(draft_id: UUID, enquiry_id: UUID) -> Any:
    """Answer one for everybody."""
    # Each form of the page has names of its own.
    text = {code: request.form.get(f"{enquiry_id}.{code}", "") for code in LANGUAGES}
    leads = request.form.get(f"{enquiry_id}.amend") == "yes"
    try:
        with transaction(actor(), now()) as work:
            deeds.answer_enquiry(work, draft_id, enquiry_id, text, leads_to_amendment=leads)
    except Refusal as refusal:
        named = _named(refusal, enquiry_id) if isinstance(refusal, Invalid) else refusal
        return again(named, "procurement/answers.html", **(_answers(draft_id) | {"typed": request.form}))
    flash(gettext("The answer is on the tender's page."), "good")
    return redirect(url_for("procurement.draft_enquiries", draft_id=draft_id), code=303)


def shown_enquiries(found: list[EnquiryFacts], document: Any) -> list[dict[str, Any]]:
    """Enquiries in words; ``document`` names the lots that they are about."""
    schools = {lot["id"]: showing.said(lot["school"]["name"]) for lot in document["lots"]}
    return [
        {
            "facts": one,
            "kind": gettext(ENQUIRY_NAMES[one.kind]),
            "lot": schools.get(str(one.lot_id), ""),
            "answer": showing.said(one.answer),
            "in_language": gettext(LANGUAGE_NAMES[one.language]),
        }
        for one in found
    ]


def _named(refusal: Invalid, enquiry_id: UUID) -> Invalid:
    return Invalid(fields={f"{enquiry_id}.{name.removeprefix('text.')}": one for name, one in refusal.fields.items()})


def _typed() -> NewEnquiry:
    lot = request.form.get("lot_id", "")
    return NewEnquiry(
        id=form_id("enquiry_id"),
        kind=request.form.get("kind", ""),
        text=request.form.get("text", ""),
        language=request.form.get("language", ""),
        lot_id=form_id("lot_id") if lot else None,
    )


def _form(tender_id: UUID) -> dict[str, Any]:
    with reading(actor(), now()) as work:
        version = tender_queries.version(work, tender_id)
        view = tender_queries.tender(work, tender_id)
    lots = [(lot["id"], showing.said(lot["school"]["name"])) for lot in version.document["lots"]]
    return {
        "view": view,
        "title": showing.said(view.line.title),
        "kinds": _kinds(view),
        "lots": lots if len(lots) > 1 else [],
        "languages": [(code, gettext(LANGUAGE_NAMES[code])) for code in LANGUAGES],
        "until": showing.when(view.terms["questions"].until) if "questions" in view.terms else "",
        "enquiry_id": new_id(now()),
        "typed": {"kind": QUESTION, "language": language()},
        "longest": LONGEST,
    }


def _kinds(view: TenderView) -> list[tuple[str, str, str]]:
    kinds = [(QUESTION, gettext(ENQUIRY_NAMES[QUESTION]), gettext(N_("Something in the terms is not clear to you.")))]
    if view.line.stage is TenderStage.DISCUSSION:
        hint = gettext(N_("A term is unlawful, keeps suppliers out, or should be otherwise."))
        kinds.append((OBJECTION, gettext(ENQUIRY_NAMES[OBJECTION]), hint))
    return kinds


def _answers(draft_id: UUID) -> dict[str, Any]:
    with reading(actor(), now()) as work:
        # Whose tender it is comes first.
        tender_queries.task_list(work, draft_id)
        view = tender_queries.tender(work, draft_id)
        found = enquiry_queries.enquiries(work, draft_id)
    return {
        "view": view,
        "draft_id": draft_id,
        "title": showing.said(view.line.title),
        "enquiries": shown_enquiries(found, view.document or {"lots": []}),
        "can_answer": "answer_enquiry" in view.deeds,
        "typed": {},
        "longest": LONGEST,
    }
