"""Passkeys: the browser's side is ``static/js/passkeys.js``, which speaks JSON with these doors."""

from typing import Any
from uuid import UUID

from flask import flash, jsonify, request, session, url_for
from flask_babel import gettext

from schoolmeals.actors import PUBLIC
from schoolmeals.database import reading, transaction
from schoolmeals.errors import Invalid, NotFound
from schoolmeals.identity.actions.passkeys import (
    add_passkey,
    remove_passkey,
    rename_passkey,
    sign_in_by_passkey,
    start_passkey,
    start_passkey_sign_in,
)
from schoolmeals.identity.actions.proof import strengthen_session
from schoolmeals.identity.queries import my_passkeys
from schoolmeals.identity.sites import passkeys_can_work, present_site
from schoolmeals.identity.views.frame import again, caller, carry, done, first_problem, pages
from schoolmeals.identity.views.proof import fresh_proof
from schoolmeals.identity.visitors import present_session_id
from schoolmeals.verdicts import Refused
from schoolmeals.web import PUBLIC_POLICY, SETTING_UP, SIGNED_IN, actor, guard, now, render
from schoolmeals.web.views import back_to

ADDING = "passkey_add"
SIGNING_IN = "passkey_sign_in"


@pages.post("/sign-in/passkey/options")
@guard(PUBLIC_POLICY)
def passkey_sign_in_options() -> Any:
    """A challenge for whatever passkey the person chooses."""
    with transaction(PUBLIC, now()) as work:
        challenge_id, options = start_passkey_sign_in(work, present_site())
    session[SIGNING_IN] = str(challenge_id)
    return jsonify(options)


@pages.post("/sign-in/passkey")
@guard(PUBLIC_POLICY)
def sign_in_with_passkey() -> Any:
    """Sign in by the passkey's answer; tells where to go."""
    sent = _json()
    with transaction(PUBLIC, now()) as work:
        outcome = sign_in_by_passkey(work, present_site(), _challenge(SIGNING_IN), _part(sent, "credential"), caller())
    if isinstance(outcome, Refused):
        return _refused(outcome)
    target = sent.get("next")
    return carry(jsonify(next=back_to(target if isinstance(target, str) else None)), outcome)


@pages.get("/me/passkeys")
@guard(SETTING_UP)
@fresh_proof
def passkeys() -> Any:
    """The person's passkeys."""
    return render("identity/passkeys.html", **_mine())


@pages.post("/me/passkeys/options")
@guard(SETTING_UP)
@fresh_proof
def passkey_options() -> Any:
    """A challenge for a new passkey."""
    with transaction(actor(), now()) as work:
        challenge_id, options = start_passkey(work, present_site())
    session[ADDING] = str(challenge_id)
    return jsonify(options)


@pages.post("/me/passkeys")
@guard(SETTING_UP)
@fresh_proof
def passkey_add() -> Any:
    """Keep the passkey that the browser has made."""
    sent = _json()
    name = sent.get("name")
    with transaction(actor(), now()) as work:
        outcome = add_passkey(
            work,
            present_site(),
            _challenge(ADDING),
            _part(sent, "credential"),
            name if isinstance(name, str) and name.strip() else gettext("Passkey"),
        )
        if not isinstance(outcome, Refused):
            strengthen_session(work, present_session_id(), "passkey")
    if isinstance(outcome, Refused):
        return _refused(outcome)
    flash(gettext("The passkey was added."), "good")
    return jsonify(next=url_for("identity.passkeys"))


@pages.post("/me/passkeys/<uuid:passkey_id>/name")
@guard(SIGNED_IN)
def passkey_rename(passkey_id: UUID) -> Any:
    """Call a passkey something else."""
    try:
        with transaction(actor(), now()) as work:
            rename_passkey(work, passkey_id, request.form.get("name", ""))
    except Invalid as refusal:
        return again("identity/passkeys.html", first_problem(refusal), **_mine())
    return done(gettext("Saved."), url_for("identity.passkeys"))


@pages.post("/me/passkeys/<uuid:passkey_id>/remove")
@guard(SIGNED_IN)
@fresh_proof
def passkey_remove(passkey_id: UUID) -> Any:
    """Sign in by this passkey no more."""
    with transaction(actor(), now()) as work:
        remove_passkey(work, passkey_id)
    return done(gettext("The passkey was removed."), url_for("identity.passkeys"))


def _mine() -> dict[str, Any]:
    with reading(actor(), now()) as look:
        return {"passkeys": my_passkeys(look), "can_work": passkeys_can_work()}


def _json() -> dict[str, Any]:
    sent = request.get_json(silent=True)
    if not isinstance(sent, dict):
        raise Invalid
    return sent


def _part(sent: dict[str, Any], name: str) -> dict[str, Any]:
    part = sent.get(name)
    if not isinstance(part, dict):
        raise Invalid
    return part


def _challenge(name: str) -> UUID:
    """The id of the challenge that this browser was given; it is good for one answer."""
    kept = session.pop(name, None)
    if kept is None:
        raise NotFound
    return UUID(kept)


def _refused(refused: Refused) -> Any:
    return jsonify(code=refused.code, detail=gettext(refused.sentence)), 422
