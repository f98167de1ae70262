"""The till's own doors: enrolling the device, opening and closing a shift. The browser's side of the key is
``static/js/enrol.js``.
"""

import base64
import binascii
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import jsonify, request, url_for
from flask_babel import gettext

from schoolmeals.actors import PUBLIC
from schoolmeals.database import reading, transaction
from schoolmeals.errors import Invalid
from schoolmeals.identity.actions.devices import close_shift, enrol_device, open_shift
from schoolmeals.identity.queries import cashiers_of, organisation
from schoolmeals.identity.views.frame import again, demo_pin, keyring, pages, see_other
from schoolmeals.identity.visitors import present_device
from schoolmeals.verdicts import Refused
from schoolmeals.web import DEVICE, PUBLIC_POLICY, actor, caller_address, guard, language, now, render, settings
from schoolmeals.web.security import device_cookie_name

COOKIE_FOR = timedelta(days=400)
"""The longest that browsers keep a cookie; a till is enrolled once and used for years."""


@pages.get("/till/enrol")
@guard(PUBLIC_POLICY)
def enrol_page() -> Any:
    """Where a device types its enrolment code."""
    return render("identity/enrol.html")


@pages.post("/till/enrol")
@guard(PUBLIC_POLICY)
def enrol() -> Any:
    """Take the device into use: its public key against the code. Answers with JSON and the device's cookie."""
    sent = request.get_json(silent=True)
    sent = sent if isinstance(sent, dict) else {}
    try:
        public_key = base64.b64decode(str(sent.get("public_key", "")), validate=True)
    except binascii.Error as error:
        raise Invalid from error
    with transaction(PUBLIC, now()) as work:
        outcome = enrol_device(
            work, keys=keyring(), code=str(sent.get("code", "")), public_key=public_key, address=caller_address()
        )
    if isinstance(outcome, Refused):
        status = 429 if "retry_after_s" in outcome.facts else 422
        return jsonify(code=outcome.code, detail=gettext(outcome.sentence) % outcome.facts), status
    answer = jsonify(
        device_id=str(outcome.device_id),
        school_id=str(outcome.school_id),
        name=outcome.name,
        next=url_for("identity.shift"),
    )
    answer.set_cookie(
        device_cookie_name(settings()),
        outcome.token,
        max_age=COOKIE_FOR,
        secure=settings().is_secure,
        httponly=True,
        samesite="Lax",
        path="/",
    )
    return answer


@pages.get("/till/shift")
@guard(DEVICE)
def shift() -> Any:
    """Who works at this till?"""
    return render("identity/shift.html", **_shift())


@pages.post("/till/shift")
@guard(DEVICE)
def open_till() -> Any:
    """Open the till by a cashier's PIN."""
    chosen = request.form.get("cashier", "")
    with transaction(actor(), now()) as work:
        refused = open_shift(work, _id(chosen), request.form.get("pin", ""), keys=keyring())
    if refused is not None:
        return again("identity/shift.html", refused, field="pin", **_shift(chosen))
    return see_other("/till")


@pages.post("/till/shift/close")
@guard(DEVICE)
def close_till() -> Any:
    """Close the till."""
    with transaction(actor(), now()) as work:
        close_shift(work)
    return see_other(url_for("identity.shift"))


def _shift(chosen: str = "") -> dict[str, Any]:
    device = present_device()
    assert device is not None
    with reading(actor(), now()) as look:
        cashiers = [(str(one.id), one.name) for one in cashiers_of(look, device.school_id)]
        school_name = organisation(look, device.school_id).name(language())
    return {
        "device": device,
        "school_name": school_name,
        "cashiers": cashiers,
        "chosen": chosen or _likely(device.cashier_id, [id_ for id_, _ in cashiers]),
        "is_open": actor().cashier_id is not None,
        "demo_pin": demo_pin(),
    }


def _likely(last: UUID | None, cashiers: Sequence[str]) -> str:
    """Whoever had the till last, or the only one who can have it; nobody where there is a choice."""
    return str(last) if last else cashiers[0] if len(cashiers) == 1 else ""


def _id(text: str) -> UUID:
    """The id that was chosen, or one that nobody has: then the PIN is as wrong as any."""
    try:
        return UUID(text)
    except ValueError:
        return UUID(int=0)
