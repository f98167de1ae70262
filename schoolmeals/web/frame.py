"""One request's surroundings: the installation's settings and seams, the present instant, the actor, the language."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

from flask import current_app, g, has_request_context, render_template, request, session
from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header

from schoolmeals.actors import PUBLIC, Actor, ActorKind
from schoolmeals.clock import Clock, in_utc
from schoolmeals.config import Settings

LANGUAGES: Final = {"kk": "Қазақша", "ru": "Русский", "en": "English"}
"""The product's languages, each in its own words, the first one first."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What ``create_app`` was given, and what rooms plug into the doors."""

    settings: Settings
    clock: Clock
    find_actor: Callable[[], Actor]
    """Tells who sends the present request; the identity room's work."""
    keep_language: Callable[[str], None]
    """Remembers the language for a person who is signed in; the identity room's work."""
    payments: Any = None
    """A ``schoolmeals.wallet.payments.PaymentProvider``, or None where only the cash desk takes money."""

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.settings.time_zone)


def frame() -> Frame:
    """The present app's frame."""
    found: Frame = current_app.extensions["schoolmeals"]
    return found


def settings() -> Settings:
    """The installation's settings."""
    return frame().settings


def now() -> datetime:
    """The instant of the present request: asked once, the same to its end."""
    instant: datetime | None = g.get("now")
    if instant is None:
        instant = g.now = in_utc(frame().clock())
    return instant


def actor() -> Actor:
    """Who sends the present request; the public, where nobody is signed in."""
    found: Actor | None = g.get("actor")
    if found is None:
        g.actor = PUBLIC
        found = g.actor = frame().find_actor()
    return found


def language() -> str:
    """The language to answer in: the person's own, else the one chosen on a page, else the browser's, else the
    city's.
    """
    if not has_request_context():
        return "en"
    who = actor()
    if who.kind is ActorKind.PERSON:
        return who.language
    chosen = session.get("language")
    if chosen in LANGUAGES:
        return str(chosen)
    return _best_of(request.headers.get("Accept-Language", "")) or frame().settings.default_language


@lru_cache(maxsize=256)
def _best_of(accepted: str) -> str | None:
    """Which of our languages a browser's header likes best."""
    return parse_accept_header(accepted, LanguageAccept).best_match(list(LANGUAGES))


def public_base() -> str:
    """Scheme and host of the addresses that people are given, without a slash at the end.

    An installation says its own; a request's Host header could lie. The demo follows the request, because it is reached
    by whatever name its machine has, and payment pages and passkeys must stay on that name.
    """
    here = settings()
    return (request.host_url if here.demo else here.base_url).rstrip("/")


def caller_address() -> str:
    """The network address that the request comes from, as far as our own proxies can be trusted to tell."""
    return request.remote_addr or ""


def render(template: str, **context: object) -> str:
    """A page. ``nav_items``, the actor, the language and the demo flag are added by the frame's context processor."""
    return render_template(template, **context)
