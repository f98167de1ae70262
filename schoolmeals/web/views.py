"""Doors that belong to no room: health, version, metrics, the language switch."""

from dataclasses import replace
from typing import Any

from flask import Blueprint, Response, current_app, redirect, request, session, url_for

from schoolmeals import __version__
from schoolmeals.actors import Actor, Role
from schoolmeals.database import db
from schoolmeals.errors import NotFound
from schoolmeals.web.docs import sections
from schoolmeals.web.frame import LANGUAGES, actor, caller_address, frame, render, settings
from schoolmeals.web.guards import PUBLIC_POLICY, guard
from schoolmeals.web.health import metrics_text, readiness
from schoolmeals.web.page import NavItem

navigation: tuple[NavItem, ...] = ()
pages = Blueprint("web", __name__, template_folder="templates", static_folder="static", static_url_path="/static/web")


@pages.get("/")
@guard(PUBLIC_POLICY)
def home() -> Any:
    """The first page of whoever comes: their desk, a choice where their roles have several, or the sign-in page."""
    who = actor()
    found = {desk.endpoint: desk for desk in (_desk(one) for one in _by_role(who)) if desk is not None}
    if len(found) > 1:
        return render("web/desks.html", desks=list(found.values()))
    return redirect(url_for(next(iter(found), "identity.sign_in")), code=303)


def _by_role(who: Actor) -> list[Actor]:
    """``who`` in each of their roles alone, in the order of the roles; ``who`` as they are, where they have none."""
    held = sorted({grant.role for grant in who.grants}, key=list(Role).index)
    return [replace(who, grants=frozenset(one for one in who.grants if one.role is role)) for role in held] or [who]


def _desk(who: Actor) -> NavItem | None:
    """Where ``who`` begins: the first section that is not open to everybody, else the first that there is."""
    items = current_app.extensions["schoolmeals.navigation"]
    admitted = [item for item in items if not item.post and item.policy.admits(who)]
    return next((item for item in admitted if item.policy is not PUBLIC_POLICY), next(iter(admitted), None))


@pages.get("/api/docs")
@guard(PUBLIC_POLICY)
def api_docs() -> Any:
    """What the API can do, for people."""
    return render("web/api.html", sections=sections(current_app.extensions["schoolmeals.api"].spec.to_dict()))


@pages.get("/healthz")
@guard(PUBLIC_POLICY)
def healthz() -> Any:
    """The process is alive."""
    return {"status": "ok"}


@pages.get("/readyz")
@guard(PUBLIC_POLICY)
def readyz() -> Any:
    """The database answers, its migrations are at head, and the worker keeps up."""
    found = readiness(db.engine)
    return found, 200 if found["status"] == "ok" else 503


@pages.get("/version")
@guard(PUBLIC_POLICY)
def version() -> Any:
    """What runs here."""
    return {"version": __version__}


@pages.get("/metrics")
@guard(PUBLIC_POLICY)
def metrics() -> Any:
    """Prometheus metrics, for this machine only."""
    if caller_address() not in settings().metrics_hosts:
        raise NotFound
    return Response(metrics_text(), mimetype="text/plain; version=0.0.4")


@pages.post("/language/<language>")
@guard(PUBLIC_POLICY)
def set_language(language: str) -> Any:
    """Speak ``language`` from now on, on this browser and, for somebody signed in, everywhere."""
    if language not in LANGUAGES:
        raise NotFound
    session["language"] = language
    frame().keep_language(language)
    return redirect(back_to(request.form.get("next")), code=303)


def back_to(target: str | None, otherwise: str = "/") -> str:
    """``target`` where it is a path of ours, else ``otherwise``: nobody is sent to another site."""
    if not target or not target.startswith("/") or target[1:2] in ("/", "\\"):
        return otherwise
    return target
