"""Securities of a tender's bids and contracts: the officers' page, and the papers for whom they concern."""

from datetime import date
from typing import Any, Final
from uuid import UUID

from flask import flash, redirect, request, url_for
from flask_babel import gettext

from schoolmeals import identity
from schoolmeals.actors import Role
from schoolmeals.database import Work, reading, transaction
from schoolmeals.errors import N_, NotFound, Refusal
from schoolmeals.ids import new_id
from schoolmeals.procurement import showing
from schoolmeals.procurement.actions import securities
from schoolmeals.procurement.queries import securities as queries
from schoolmeals.procurement.queries import tenders as tender_queries
from schoolmeals.procurement.queries.securities import Secured, SecurityFacts
from schoolmeals.procurement.rules.securities import END_REASONS, KINDS, NewSecurity
from schoolmeals.procurement.rules.suppliers import EVIDENCE_BYTES
from schoolmeals.procurement.views.blueprint import pages
from schoolmeals.procurement.views.contract_steps import minor_of, needed_day
from schoolmeals.procurement.views.desk import READERS, WRITERS, again
from schoolmeals.procurement.views.drafts import form_id
from schoolmeals.procurement.views.supplier_frame import paper_to_keep
from schoolmeals.procurement.views.suppliers import evidence_key
from schoolmeals.web import actor, frame, guard, language, now, render, roles
from schoolmeals.web.formats import date_alone, money

PAPER_READERS: Final = roles(Role.SUPPLIER, Role.SCHOOL_OFFICE, Role.PROCUREMENT_OFFICER, Role.CITY_ADMIN, Role.AUDITOR)
TEMPLATE: Final = "procurement/securities.html"
KIND_NAMES: Final = {"bank-guarantee": N_("Bank guarantee"), "deposit": N_("Money on the organiser's account")}
OUTCOME_NAMES: Final = {"returned": N_("Returned"), "kept": N_("Kept")}
REASON_NAMES: Final = {
    "fulfilled": N_("The obligations are fulfilled"),
    "lost": N_("The bid did not win"),
    "cancelled": N_("The tender was cancelled"),
    "replaced": N_("Another security has taken its place"),
    "bid-withdrawn": N_("The supplier took its bid back after the opening"),
    "contract-refused": N_("The winner did not sign the contract"),
    "contract-broken": N_("The contract was broken"),
    "other": N_("Another reason"),
}


@pages.get("/procurement/tenders/<uuid:draft_id>/securities")
@guard(READERS)
def tender_securities(draft_id: UUID) -> Any:
    """What is asked for, what was given, what became of it, for each bid and contract."""
    return render(TEMPLATE, **_shown(draft_id))


@pages.post("/procurement/tenders/<uuid:draft_id>/securities/<security_step>")
@guard(WRITERS)
def security_do(draft_id: UUID, security_step: str) -> Any:
    """Write down a security that was given, or what became of one."""
    if security_step not in ("bid", "contract", "end"):
        raise NotFound
    try:
        with transaction(actor(), now()) as work:
            _do(work, draft_id, security_step)
    except Refusal as refusal:
        context = _shown(draft_id) | {"typed": request.form, "open": request.form.get("about", "")}
        return again(refusal, TEMPLATE, **context)
    flash(gettext("Written down."), "good")
    return redirect(url_for("procurement.tender_securities", draft_id=draft_id), code=303)


@pages.get("/securities/<uuid:security_id>")
@guard(PAPER_READERS)
def security_paper(security_id: UUID) -> Any:
    """The paper itself."""
    with reading(actor(), now()) as look:
        row, content = queries.security_paper(look, security_id, key=evidence_key())
        return paper_to_keep(content, row.media_type, row.file_name)


def shown_security(one: SecurityFacts) -> dict[str, Any]:
    """A security in words; ``until_over`` where it is valid no more and nothing has become of it."""
    today = now().astimezone(frame().zone).date()
    ended = f"{gettext(OUTCOME_NAMES[one.outcome])}: {gettext(REASON_NAMES[one.reason_code])}" if one.outcome else ""
    return {
        "id": one.id,
        "kind": gettext(KIND_NAMES[one.kind]),
        "number": one.number,
        "issuer": one.issuer,
        "amount": money(one.amount_minor, one.currency, language()),
        "until": date_alone(one.valid_until, language()),
        "over": one.outcome is None and one.valid_until < today,
        "ended": ended,
        "ended_at": one.ended_at,
        "note": one.note,
        "by": one.recorded_by,
        "at": one.recorded_at,
        "sha256": one.sha256,
    }


def _do(work: Work, draft_id: UUID, step: str) -> None:
    text = request.form.get
    if step == "end":
        outcome, _, reason_code = text("outcome", "").partition(".")
        said = {"outcome": outcome, "reason_code": reason_code, "note": text("note", "")}
        securities.end_security(work, draft_id, form_id("about"), **said)
    elif step == "bid":
        securities.record_bid_security(
            work, draft_id, form_id("about"), form_id("security_id"), _typed(), key=evidence_key(), zone=frame().zone
        )
    else:
        securities.record_contract_security(
            work, draft_id, form_id("about"), form_id("security_id"), _typed(), key=evidence_key()
        )


def _typed() -> NewSecurity:
    file, text = request.files.get("file"), request.form.get
    valid_until: date = needed_day("valid_until")
    return NewSecurity(
        kind=text("kind", ""),
        number=text("number", ""),
        issuer=text("issuer", ""),
        amount_minor=minor_of(text("amount", ""), "amount"),
        valid_until=valid_until,
        file_name=(file.filename or "") if file is not None else "",
        content=file.stream.read(EVIDENCE_BYTES + 1) if file is not None else b"",
    )


def _shown(draft_id: UUID) -> dict[str, Any]:
    with reading(actor(), now()) as look:
        found = queries.securities(look, draft_id)
        view = tender_queries.tender(look, draft_id)
        names = {id: identity.organisation(look, id).name(language()) for id in {one.supplier_id for one in found}}
    lots = {lot["id"]: lot for lot in (view.document or {"lots": []})["lots"]}
    numbers = {purpose: view.profile.number(f"{purpose}_security_permille") for purpose in ("bid", "contract")}
    return {
        "draft_id": draft_id,
        "title": showing.said(view.line.title),
        "lines": [_line(one, names[one.supplier_id], lots.get(str(one.lot_id))) for one in found],
        "asked": [
            (purpose, f"{one.value / 10:g} %", showing.said(one.legal_ref), one.verified)
            for purpose, one in numbers.items()
        ],
        "deeds": view.deeds,
        "kinds": [(code, gettext(KIND_NAMES[code])) for code in KINDS],
        "outcomes": [
            (f"{outcome}.{code}", f"{gettext(OUTCOME_NAMES[outcome])}: {gettext(REASON_NAMES[code])}")
            for outcome, codes in END_REASONS.items()
            for code in codes
        ],
        "security_id": new_id(now()),
        "typed": {},
        "open": "",
        "errors": {},
    }


def _line(one: Secured, supplier: str, lot: Any) -> dict[str, Any]:
    return {
        "purpose": one.purpose,
        "about_id": one.about_id,
        "number": one.number,
        "supplier": supplier,
        "school": showing.said(lot["school"]["name"]) if lot is not None else "",
        "asked": money(one.asked_minor, one.currency, language()) if one.asked_minor else "",
        "given": [shown_security(each) for each in one.given],
        "waits": one.waits,
    }
