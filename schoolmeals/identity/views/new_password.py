"""A new password for who has forgotten theirs: asked for by e-mail, or by a code that the office gave."""

from typing import Any

from flask import request, url_for
from flask_babel import gettext

from schoolmeals.actors import PUBLIC
from schoolmeals.database import transaction
from schoolmeals.errors import Invalid, NotFound
from schoolmeals.identity.actions.new_password import ask_new_password, set_new_password
from schoolmeals.identity.views.frame import again, done, form, keyring, pages
from schoolmeals.web import PUBLIC_POLICY, caller_address, guard, now, render, settings


@pages.get("/sign-in/forgotten")
@guard(PUBLIC_POLICY)
def forgotten() -> Any:
    """Where one asks for a letter; where none are sent, how one gets a code."""
    return render("identity/forgotten.html", typed={}, **_around())


@pages.post("/sign-in/forgotten")
@guard(PUBLIC_POLICY)
def ask_for_letter() -> Any:
    """Ask for a letter. The answer is the same for everybody, known or not."""
    if not settings().sends_letters:
        raise NotFound
    typed = form("contact")
    try:
        with transaction(PUBLIC, now()) as work:
            refused = ask_new_password(work, keyring(), contact=typed["contact"], address=caller_address())
    except Invalid as refusal:
        return again("identity/forgotten.html", refusal, typed=typed, **_around())
    if refused is not None:
        return again("identity/forgotten.html", refused, typed=typed, **_around())
    return render("identity/forgotten_asked.html", contact=typed["contact"].strip())


@pages.get("/sign-in/new-password")
@guard(PUBLIC_POLICY)
def new_password() -> Any:
    """Where the link of a letter leads, or a code is typed."""
    return render("identity/new_password.html", typed={"code": request.args.get("code", "")[:60]})


@pages.post("/sign-in/new-password")
@guard(PUBLIC_POLICY)
def save_new_password() -> Any:
    """Set the new password. Nobody is signed in by it: that page asks for the second factor as well."""
    typed = form("code", "new")
    try:
        with transaction(PUBLIC, now()) as work:
            refused = set_new_password(work, keyring(), code=typed["code"], new=typed["new"], address=caller_address())
    except Invalid as refusal:
        return again("identity/new_password.html", refusal, typed=typed)
    if refused is not None:
        return again("identity/new_password.html", refused, typed=typed)
    return done(gettext("The password was changed. Sign in with the new one."), url_for("identity.sign_in"))


def _around() -> dict[str, Any]:
    return {"sends_letters": settings().sends_letters, "shows_letters": settings().demo}
