"""What people see and change about themselves."""

import io
from typing import Any
from uuid import UUID

import pyotp
import segno
from flask import request, url_for
from flask_babel import gettext
from markupsafe import Markup

from schoolmeals.actors import ActorKind
from schoolmeals.database import reading, transaction
from schoolmeals.errors import Invalid
from schoolmeals.identity.actions.devices import set_pin
from schoolmeals.identity.actions.profile import change_password, describe_me
from schoolmeals.identity.actions.proof import strengthen_session
from schoolmeals.identity.actions.second_factor import (
    confirm_totp,
    pending_totp,
    remove_totp,
    renew_recovery_codes,
    start_totp,
)
from schoolmeals.identity.actions.sessions import end_session, end_sessions_of
from schoolmeals.identity.codes import shown_code
from schoolmeals.identity.queries import me as my_row
from schoolmeals.identity.queries import my_passkeys, my_sessions, my_tills, organisation, recovery_codes_left
from schoolmeals.identity.rules import needs_second_factor
from schoolmeals.identity.sites import present_site
from schoolmeals.identity.views.frame import again, demo_pin, done, form, keyring, pages, see_other
from schoolmeals.identity.views.proof import fresh_proof, proof_first
from schoolmeals.identity.views.words import role_name
from schoolmeals.identity.visitors import present_session_id
from schoolmeals.verdicts import Refused
from schoolmeals.web import SETTING_UP, SIGNED_IN, actor, guard, language, now, render


@pages.get("/me")
@guard(SIGNED_IN)
def me() -> Any:
    """All about the person on one page, with the ways to change it."""
    with reading(actor(), now()) as look:
        person = my_row(look)
        passkeys = my_passkeys(look)
        roles = [
            (role_name(grant.role), organisation(look, grant.organisation_id).name(language()))
            for grant in sorted(actor().grants, key=lambda grant: (grant.role, str(grant.organisation_id)))
        ]
        tills = my_tills(look)
        sessions = len(my_sessions(look))
    second = person.totp_confirmed_at is not None or bool(passkeys)
    nudge = needs_second_factor([grant.role for grant in actor().grants], has_second_factor=second)
    return render(
        "identity/me.html",
        person=person,
        passkeys=len(passkeys),
        roles=roles,
        tills=tills,
        sessions=sessions,
        nudge=nudge,
        demo_pin=demo_pin(),
    )


@pages.route("/me/name", methods=["GET", "POST"])
@guard(SIGNED_IN)
def my_name() -> Any:
    """Name and language."""
    if request.method == "GET":
        with reading(actor(), now()) as look:
            person = my_row(look)
        return render("identity/my_name.html", typed={"name": person.name, "language": person.language})
    typed = form("name", "language")
    try:
        with transaction(actor(), now()) as work:
            describe_me(work, name=typed["name"], language=typed["language"])
    except Invalid as refusal:
        return again("identity/my_name.html", refusal, typed=typed)
    return done(gettext("Saved."), url_for("identity.me"))


@pages.route("/me/password", methods=["GET", "POST"])
@guard(SIGNED_IN)
def my_password() -> Any:
    """Change the password; all other sessions end."""
    with reading(actor(), now()) as look:
        has_one = my_row(look).password_hash is not None
    # Whoever has a password proves themselves by it, on the form itself.
    if not has_one and (first := proof_first()) is not None:
        return first
    if request.method == "GET":
        return render("identity/my_password.html", has_one=has_one)
    typed = form("old", "new")
    try:
        with transaction(actor(), now()) as work:
            refused = change_password(
                work, old=typed["old"], new=typed["new"], keys=keyring(), session_id=present_session_id()
            )
    except Invalid as refusal:
        return again("identity/my_password.html", refusal, has_one=has_one)
    if refused is not None:
        return again("identity/my_password.html", refused, has_one=has_one)
    return done(gettext("The password was changed. All other sessions have ended."), url_for("identity.me"))


@pages.get("/me/second-factor")
@guard(SETTING_UP)
def my_second_factor() -> Any:
    """The authenticator app: set it up, or see that it is."""
    return render("identity/my_second_factor.html", **_second_factor())


@pages.post("/me/second-factor")
@guard(SETTING_UP)
@fresh_proof
def start_second_factor() -> Any:
    """Make a secret for an authenticator app."""
    with transaction(actor(), now()) as work:
        start_totp(work, keyring())
    return see_other(url_for("identity.my_second_factor"))


@pages.post("/me/second-factor/confirm")
@guard(SETTING_UP)
def confirm_second_factor() -> Any:
    """Count the app from now on, and show the recovery codes once."""
    with transaction(actor(), now()) as work:
        codes = confirm_totp(work, keyring(), request.form.get("code", ""))
        if not isinstance(codes, Refused):
            strengthen_session(work, present_session_id(), "totp")
    return _codes_or_again(codes)


@pages.post("/me/second-factor/codes")
@guard(SIGNED_IN)
def fresh_recovery_codes() -> Any:
    """Ten fresh recovery codes instead of the old ones."""
    with transaction(actor(), now()) as work:
        codes = renew_recovery_codes(work, keyring(), request.form.get("code", ""))
    return _codes_or_again(codes)


@pages.post("/me/second-factor/remove")
@guard(SIGNED_IN)
def remove_second_factor() -> Any:
    """Do without the app."""
    with transaction(actor(), now()) as work:
        removed = remove_totp(work, keyring(), request.form.get("code", ""))
    if removed is not None:
        return again("identity/my_second_factor.html", removed, **_second_factor())
    return done(gettext("The authenticator app was removed."), url_for("identity.me"))


@pages.get("/me/sessions")
@guard(SIGNED_IN)
def my_sessions_page() -> Any:
    """Where the person is signed in."""
    with reading(actor(), now()) as look:
        sessions = my_sessions(look)
    return render("identity/my_sessions.html", sessions=sessions, present=present_session_id())


@pages.post("/me/sessions/<uuid:session_id>/end")
@guard(SIGNED_IN)
def end_my_session(session_id: UUID) -> Any:
    """End one session."""
    with transaction(actor(), now()) as work:
        end_session(work, session_id)
    return done(gettext("The session has ended."), url_for("identity.my_sessions_page"))


@pages.post("/me/sessions/end-others")
@guard(SIGNED_IN)
def end_my_other_sessions() -> Any:
    """End all sessions but this one."""
    person_id = actor().id
    assert person_id is not None
    with transaction(actor(), now()) as work:
        end_sessions_of(work, person_id, but=present_session_id())
    return done(gettext("All other sessions have ended."), url_for("identity.my_sessions_page"))


@pages.route("/me/pin/<uuid:school_id>", methods=["GET", "POST"])
@guard(SIGNED_IN)
def my_pin(school_id: UUID) -> Any:
    """A cashier's own PIN in a school."""
    assert actor().kind is ActorKind.PERSON
    with reading(actor(), now()) as look:
        school = next((one for one in my_tills(look) if one.id == school_id), None)
    if school is None:
        return see_other(url_for("identity.me"))
    name = school.name(language())
    if request.method == "GET":
        return render("identity/my_pin.html", school_name=name)
    person_id = actor().id
    assert person_id is not None
    try:
        with transaction(actor(), now()) as work:
            set_pin(work, school_id, person_id, request.form.get("pin", ""))
    except Invalid as refusal:
        return again("identity/my_pin.html", refusal, school_name=name)
    return done(gettext("The PIN was saved."), url_for("identity.me"))


def _second_factor() -> dict[str, Any]:
    with reading(actor(), now()) as look:
        person = my_row(look)
        left = recovery_codes_left(look)
    secret = pending_totp(keyring(), person)
    return {
        "is_on": person.totp_confirmed_at is not None,
        "codes_left": left,
        "secret": secret,
        "picture": _qr(secret, person.email or person.phone or "") if secret is not None else None,
    }


def _codes_or_again(codes: list[str] | Refused) -> Any:
    if isinstance(codes, Refused):
        return again("identity/my_second_factor.html", codes, **_second_factor())
    return render("identity/recovery_codes.html", codes=[shown_code(code) for code in codes])


def _qr(secret: str, name: str) -> Markup:
    """The set-up address of the secret as an SVG that stands in the page itself."""
    address = pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=present_site().name)
    out = io.BytesIO()
    segno.make(address, micro=False).save(
        out, kind="svg", xmldecl=False, svgns=False, scale=5, border=4, light="#fff", title=gettext("QR code")
    )
    return Markup(out.getvalue().decode())  # noqa: S704 (our own library's drawing of an address that it escaped)
