"""What all pages of this room share: the blueprint, the keys, cookies, and forms that come back with their errors."""

from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, flash, make_response, redirect, request, session
from flask_babel import gettext

from schoolmeals.errors import Invalid, Refusal
from schoolmeals.identity.actions.sessions import Caller, SignedIn
from schoolmeals.identity.devices import browser_name, till_name
from schoolmeals.identity.keyring import Keyring
from schoolmeals.identity.visitors import present_token_hash
from schoolmeals.verdicts import Refused
from schoolmeals.web import caller_address, render, settings
from schoolmeals.web.problems import spoken, status_of
from schoolmeals.web.security import session_cookie_name
from schoolmeals.web.views import back_to

pages = Blueprint(
    "identity",
    __name__.rsplit(".", 2)[0],
    template_folder="templates",
    static_folder="static",
    static_url_path="/static/identity",
)
DEMO_PIN = "4719"
"""What the demo's cashiers type. Visitors of a demo have to find it where it is asked for."""


def demo_pin() -> str:
    """The PIN to be shown; nothing outside a demo."""
    return DEMO_PIN if settings().demo else ""


pages.add_app_template_filter(till_name)
pages.add_app_template_filter(browser_name)


def keyring() -> Keyring:
    """The room's keys of this installation."""
    return Keyring.of(settings().secret_key)


def caller(carried_by: str = "cookie") -> Caller:
    """Where this request comes from. A sign-in by cookie ends the session that the browser had."""
    return Caller(
        address=caller_address(),
        user_agent=request.headers.get("User-Agent", ""),
        longest=timedelta(days=settings().session_longest_days),
        carried_by=carried_by,
        replaces=present_token_hash() if carried_by == "cookie" else None,
    )


def carry(answer: Response, signed: SignedIn) -> Response:
    """Give the browser its session's token, and nothing else of what it had before but the language."""
    language = session.get("language")
    session.clear()
    if language is not None:
        session["language"] = language
    answer.set_cookie(
        session_cookie_name(settings()),
        signed.token,
        expires=signed.expires_at,
        secure=settings().is_secure,
        httponly=True,
        samesite="Lax",
        path="/",
    )
    return answer


def forget_cookie(answer: Response, name: str) -> Response:
    """Take a cookie of ours away from the browser."""
    answer.delete_cookie(name, path="/", secure=settings().is_secure, httponly=True, samesite="Lax")
    return answer


def let_in(signed: SignedIn, target: str | None) -> Response:
    """To where somebody wanted to go, signed in."""
    return carry(see_other(back_to(target)), signed)


def see_other(target: str) -> Response:
    """To another page after a form was taken."""
    return make_response(redirect(target, code=303))


def done(sentence: str, target: str) -> Response:
    """Tell in the reader's language that something was done, on the next page."""
    flash(sentence, "good")
    return see_other(target)


def form(*names: str) -> dict[str, str]:
    """These fields of the form, "" for what is missing. What was not asked for is not read."""
    return {name: request.form.get(name, "") for name in names}


def first_problem(refusal: Invalid) -> Refused:
    """The first thing that is wrong, where a page has the same field many times and none to point at."""
    problem = next(problem for problems in refusal.fields.values() for problem in problems)
    return Refused(problem.code, problem.sentence, problem.params)


def again(template: str, refusal: Refusal | Refused, field: str = "", **context: Any) -> Response:
    """The page once more with what was typed and what is wrong with it; at ``field``, where it is one's fault alone."""
    if isinstance(refusal, Refused):
        wait = refusal.facts.get("retry_after_s")
        status = 429 if wait is not None else 422
        errors: dict[str, Any] = {field: gettext(refusal.sentence) % refusal.facts}
    else:
        wait, status = None, status_of(refusal)
        errors = spoken(refusal.fields) if isinstance(refusal, Invalid) else {}
        errors = errors or {"": gettext(refusal.sentence) % refusal.params}
    answer = make_response(render(template, errors=errors, **context), status)
    if wait is not None:
        answer.headers["Retry-After"] = str(wait)
    return answer
