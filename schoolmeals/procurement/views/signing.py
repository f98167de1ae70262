"""Signing contracts and changes by passkey; the browser's side is ``static/js/sign_contract.js``."""

from typing import Any
from uuid import UUID

from flask import flash, jsonify, request, url_for
from flask_babel import gettext

from schoolmeals import identity
from schoolmeals.database import Work, reading, transaction
from schoolmeals.errors import Conflict, Invalid, NotFound, Refusal
from schoolmeals.procurement.actions import changes, signing
from schoolmeals.procurement.award_words import finding_words
from schoolmeals.procurement.queries import contracts as contract_queries
from schoolmeals.procurement.views.blueprint import pages
from schoolmeals.procurement.views.contracts import SIDES, shown_contract
from schoolmeals.verdicts import Refused
from schoolmeals.web import actor, frame, guard, now, render
from schoolmeals.web.problems import status_of


@pages.get("/contracts/<uuid:contract_id>/sign")
@guard(SIDES)
def contract_sign(contract_id: UUID) -> Any:
    """What is to be signed, whole, and the button; ``?change=`` for a proposed change."""
    change_id = _change_id()
    with reading(actor(), now()) as look:
        digest = contract_queries.digest_to_sign(look, contract_id, change_id)
        has_passkey = identity.signing_options(look, identity.present_site(), digest) is not None
    context = shown_contract(contract_id)
    change = next((one for one in context["changes"] if one["facts"].id == change_id), None)
    can_work = identity.passkeys_can_work()
    return render(
        "procurement/contract_sign.html",
        **context,
        digest=digest.hex(),
        change=change,
        can_work=can_work,
        has_passkey=has_passkey,
    )


@pages.post("/contracts/<uuid:contract_id>/sign/options")
@guard(SIDES)
def contract_sign_options(contract_id: UUID) -> Any:
    """A challenge for the actor's passkeys: the digest of the text."""
    with reading(actor(), now()) as look:
        digest = contract_queries.digest_to_sign(look, contract_id, _change_id())
        options = identity.signing_options(look, identity.present_site(), digest)
    if options is None:
        raise Conflict("no-passkey", gettext("Make a passkey first: open your own page and add one."))
    return jsonify(options)


@pages.post("/contracts/<uuid:contract_id>/sign")
@guard(SIDES)
def contract_signed(contract_id: UUID) -> Any:
    """Take the browser's answer; tells where to go."""
    sent = request.get_json(silent=True)
    credential = sent.get("credential") if isinstance(sent, dict) else None
    if not isinstance(credential, dict):
        raise Invalid
    try:
        with transaction(actor(), now()) as work:
            outcome = _sign(work, contract_id, credential)
    except NotFound:
        raise
    except Refusal as refusal:
        return jsonify(code=refusal.code, detail=gettext(refusal.sentence) % refusal.params), status_of(refusal)
    if isinstance(outcome, Refused):
        with reading(actor(), now()) as look:
            found = contract_queries.contract(look, contract_id).findings
        words = "; ".join(finding_words(one) for one in found)
        return jsonify(code=outcome.code, detail=f"{gettext(outcome.sentence)} {words}"), 409
    flash(gettext("Your signature is kept."), "good")
    return jsonify(next=url_for("procurement.contract", contract_id=contract_id))


def _sign(work: Work, contract_id: UUID, credential: dict[str, Any]) -> signing.Signed | Refused | bool:
    found = contract_queries.contract(work, contract_id)
    if found.side is None:
        raise NotFound
    tender_id = found.line.tender_id
    change_id, site = _change_id(), identity.present_site()
    if change_id is not None:
        return changes.sign_change(work, tender_id, contract_id, change_id, site=site, credential=credential)
    return signing.sign_contract(work, tender_id, contract_id, site=site, credential=credential, zone=frame().zone)


def _change_id() -> UUID | None:
    text = request.args.get("change", "")
    try:
        return UUID(text) if text else None
    except ValueError as error:
        raise NotFound from error
