"""Proving once more who one is: before dangerous deeds, and before the roles of staff count at all."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Final, TypeVar, cast
from urllib.parse import urlsplit

from flask import Response, jsonify, make_response, redirect, request, url_for
from flask_babel import gettext

from schoolmeals.database import reading, transaction
from schoolmeals.identity.actions.proof import prove_again
from schoolmeals.identity.queries import me as my_row
from schoolmeals.identity.queries import my_passkeys
from schoolmeals.identity.sites import passkeys_can_work
from schoolmeals.identity.views.frame import again, keyring, pages, see_other
from schoolmeals.identity.visitors import present_session_id, proved_lately
from schoolmeals.web import HALF_SIGNED_IN, SETTING_UP, actor, guard, now, render
from schoolmeals.web.views import back_to

View = TypeVar("View", bound=Callable[..., Any])

PROOF: Final = "proof"
TARGET: Final = "proof_target"
KEPT: Final = "proof_kept"
"""Whether the form that was interrupted travels along, to be sent on afterwards."""
OWN: Final = (PROOF, TARGET, KEPT, "csrf_token")


def fresh_proof(view: View) -> View:
    """Let nobody through whose last proof is older than ten minutes: they prove themselves and go on where they were.
    Stands below ``guard``.
    """

    @wraps(view)
    def asked(*args: Any, **kwargs: Any) -> Any:
        return proof_first() or view(*args, **kwargs)

    return cast(View, asked)


def proof_first() -> Response | None:
    """What asks for a proof in place of this request's own answer; None where the last one is fresh enough."""
    if proved_lately():
        return None
    if request.method == "GET":
        return see_other(url_for("identity.prove", proof_target=request.full_path.rstrip("?")))
    if request.is_json:
        answer = jsonify(code="proof-needed", detail=gettext("Load the page anew and prove who you are."))
        return make_response(answer, 403)
    kept = {name: value for name, value in request.form.items() if name not in OWN}
    return make_response(render("identity/prove.html", **_around(request.path, kept)), 403)


@pages.get("/me/prove")
@guard(SETTING_UP)
def prove() -> Any:
    """Ask for a proof, and then lead on to a page."""
    return render("identity/prove.html", **_around(request.args.get(TARGET), None))


@pages.post("/me/prove")
@guard(SETTING_UP)
def prove_by_secret() -> Any:
    """Take a code or the password, then open the page or send the form that was interrupted."""
    target = back_to(request.form.get(TARGET), "/me")
    kept = None
    if request.form.get(KEPT):
        kept = {name: value for name, value in request.form.items() if name not in OWN}
    with transaction(actor(), now()) as work:
        proof = request.form.get(PROOF, "")
        refused = prove_again(work, keyring(), proof, session_id=present_session_id())
    if refused is not None:
        return again("identity/prove.html", refused, **_around(target, kept))
    # 307: the browser sends the same form to where it was meant to go; nothing of it need be kept here.
    return see_other(target) if kept is None else redirect(target, code=307)


@pages.get("/me/second-step")
@guard(HALF_SIGNED_IN)
def second_step() -> Any:
    """What staff must do before their roles count: set up a second factor, or use the one that they have."""
    awaits = actor().awaits
    if awaits is None:
        return see_other("/")
    return render("identity/second_step.html", awaits=awaits, passkeys=passkeys_can_work())


def _around(target: str | None, kept: dict[str, str] | None) -> dict[str, Any]:
    """What the page needs. A passkey signs in anew, which cannot carry a form along: it leads back to its page."""
    with reading(actor(), now()) as look:
        person = my_row(look)
        has_passkey = bool(my_passkeys(look))
    target = back_to(target, "/me")
    came_from = urlsplit(request.referrer or "").path
    return {
        "asks": "code" if person.totp_confirmed_at is not None else "password" if person.password_hash else None,
        "has_passkey": has_passkey and passkeys_can_work(),
        "target": target,
        "kept": kept,
        "back": target if kept is None else back_to(came_from, "/me"),
    }
