"""Signing in and out, and joining by an invitation."""

from itertools import groupby
from typing import Any
from uuid import UUID

from flask import request, session, url_for
from flask_babel import gettext

from schoolmeals.actors import PUBLIC, ActorKind
from schoolmeals.database import reading, transaction
from schoolmeals.errors import Conflict, Invalid, NotFound
from schoolmeals.identity.actions.invitations import Newcomer, accept_invitation, join
from schoolmeals.identity.actions.sessions import (
    DEMO_DOMAIN,
    SecondFactorNeeded,
    end_session,
    finish_sign_in,
    sign_in_demo_person,
)
from schoolmeals.identity.actions.sessions import sign_in as sign_in_by_password
from schoolmeals.identity.queries import DemoPerson, demo_people
from schoolmeals.identity.sites import passkeys_can_work
from schoolmeals.identity.views.frame import again, caller, done, forget_cookie, form, keyring, let_in, pages, see_other
from schoolmeals.identity.views.words import role_name
from schoolmeals.identity.visitors import present_session_id
from schoolmeals.verdicts import Refused
from schoolmeals.web import HALF_SIGNED_IN, PUBLIC_POLICY, actor, guard, language, now, render, settings
from schoolmeals.web.security import session_cookie_name
from schoolmeals.web.views import back_to

PENDING = "second_factor"
NEXT = "next"


@pages.get("/sign-in")
@guard(PUBLIC_POLICY)
def sign_in() -> Any:
    """The sign-in page; in a demo with everybody who can be signed in by one tap."""
    return render("identity/sign_in.html", typed={}, **_around(request.args.get(NEXT)))


@pages.post("/sign-in")
@guard(PUBLIC_POLICY)
def sign_in_with_password() -> Any:
    """Sign in by e-mail or phone and password; where there is a second factor, ask for it."""
    typed = form("contact", "password", NEXT)
    with transaction(PUBLIC, now()) as work:
        outcome = sign_in_by_password(
            work, keyring(), contact=typed["contact"], password=typed["password"], caller=caller()
        )
    if isinstance(outcome, Refused):
        return again("identity/sign_in.html", outcome, typed=typed, **_around(typed[NEXT]))
    if isinstance(outcome, SecondFactorNeeded):
        session[PENDING] = outcome.token
        return see_other(url_for("identity.second_factor", next=typed[NEXT] or None))
    return let_in(outcome, typed[NEXT])


@pages.get("/sign-in/code")
@guard(PUBLIC_POLICY)
def second_factor() -> Any:
    """Ask for a code of the authenticator app."""
    if PENDING not in session:
        return see_other(url_for("identity.sign_in"))
    return render("identity/second_factor.html", target=request.args.get(NEXT))


@pages.post("/sign-in/code")
@guard(PUBLIC_POLICY)
def sign_in_with_code() -> Any:
    """Finish signing in by a code."""
    typed = form("code", NEXT)
    with transaction(PUBLIC, now()) as work:
        outcome = finish_sign_in(work, keyring(), token=session.get(PENDING, ""), code=typed["code"], caller=caller())
    if not isinstance(outcome, Refused):
        return let_in(outcome, typed[NEXT])
    if outcome.code == "sign-in-expired":
        session.pop(PENDING, None)
        return again("identity/sign_in.html", outcome, typed={}, **_around(typed[NEXT]))
    return again("identity/second_factor.html", outcome, target=typed[NEXT])


@pages.post("/sign-in/demo")
@guard(PUBLIC_POLICY)
def sign_in_as_demo_person() -> Any:
    """Sign in as an invented person by one tap, in a demo."""
    if not settings().demo:
        raise NotFound
    try:
        person_id = UUID(request.form.get("person_id", ""))
    except ValueError as error:
        raise NotFound from error
    with transaction(PUBLIC, now()) as work:
        signed = sign_in_demo_person(work, person_id, caller())
    return let_in(signed, request.form.get(NEXT))


@pages.post("/sign-out")
@guard(HALF_SIGNED_IN)
def sign_out() -> Any:
    """End this session, here and on the server."""
    session_id = present_session_id()
    assert session_id is not None
    with transaction(actor(), now()) as work:
        end_session(work, session_id)
    session.clear()
    return forget_cookie(see_other(url_for("identity.sign_in")), session_cookie_name(settings()))


@pages.get("/join")
@guard(PUBLIC_POLICY)
def join_page() -> Any:
    """Where an invited person types the code."""
    return render("identity/join.html", typed={})


@pages.post("/join")
@guard(PUBLIC_POLICY)
def join_by_code() -> Any:
    """Take the role of an invitation: with the account that is signed in, or with a new one."""
    typed = form("code", "name", "contact", "password")
    try:
        if actor().kind is ActorKind.PERSON:
            with transaction(actor(), now()) as work:
                refused = accept_invitation(work, typed["code"], keys=keyring(), address=caller().address)
            return again("identity/join.html", refused, typed=typed) if refused else _welcome()
        newcomer = Newcomer(typed["name"], typed["contact"], typed["password"], language())
        with transaction(PUBLIC, now()) as work:
            outcome = join(work, typed["code"], newcomer, keys=keyring(), caller=caller())
    except (Invalid, Conflict) as refusal:
        return again("identity/join.html", refusal, typed=typed)
    if isinstance(outcome, Refused):
        return again("identity/join.html", outcome, typed=typed)
    return let_in(outcome, None)


def _welcome() -> Any:
    return done(gettext("You have the new role."), "/")


def _around(target: str | None) -> dict[str, Any]:
    """What the sign-in page shows beside its form."""
    with reading(PUBLIC, now()) as look:
        people = demo_people(look, DEMO_DOMAIN) if settings().demo else []
    return {
        "target": back_to(target, ""),
        "passkeys": passkeys_can_work(),
        "demo_groups": _by_role(people),
    }


def _by_role(people: list[DemoPerson]) -> list[tuple[str, list[dict[str, Any]]]]:
    """Demo people under the name of their role, the roles in the order in which they were invented."""
    order = {role: place for place, role in reversed(list(enumerate(person.role for person in people)))}
    people = sorted(people, key=lambda person: order[person.role])
    return [
        (role_name(role) if role is not None else gettext("No role yet"), _once_each(list(group)))
        for role, group in groupby(people, key=lambda person: person.role)
    ]


def _once_each(people: list[DemoPerson]) -> list[dict[str, Any]]:
    """Each person once, with all places at which they hold the role."""
    places: dict[tuple[UUID, str], list[str]] = {}
    for one in people:
        places.setdefault((one.id, one.name), []).extend([one.place.name(language())] if one.place else [])
    return [{"id": id, "name": name, "place": ", ".join(at)} for (id, name), at in places.items()]
