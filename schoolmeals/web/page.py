"""What every page is given: its navigation, whether this is a demo, and addresses of files that change with their
content.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from flask import Flask, g, request, url_for
from flask_babel import gettext

from schoolmeals.web.frame import actor, now, settings
from schoolmeals.web.guards import Policy


@dataclass(frozen=True, slots=True)
class NavItem:
    """One entry of the navigation, shown to those whom its policy admits. ``label`` is an English message id."""

    endpoint: str
    label: str
    policy: Policy
    post: bool = False
    """Whether it is a deed (sign out), to be sent as a form."""


def register(app: Flask, navigation: Iterable[NavItem]) -> None:
    """Give ``app``'s templates the frame's names, and its files addresses that may be cached for ever."""
    items = tuple(navigation)
    app.extensions["schoolmeals.navigation"] = items

    @app.context_processor
    def names() -> dict[str, Any]:
        return {
            "nav_items": _shown(items),
            "demo": settings().demo,
            "request_id": g.get("request_id"),
            "actor": actor(),
            "now": now(),
        }

    @app.url_defaults
    def name_the_content(endpoint: str, values: dict[str, Any]) -> None:
        if endpoint.endswith(".static") and "filename" in values:
            blueprint = app.blueprints[endpoint.removesuffix(".static")]
            if blueprint.static_folder is not None:
                values.setdefault("v", _fingerprint(Path(blueprint.static_folder) / values["filename"]))


def _shown(items: Iterable[NavItem]) -> list[dict[str, Any]]:
    who = actor()
    return [
        {
            "label": gettext(item.label),
            "href": url_for(item.endpoint),
            "current": request.endpoint == item.endpoint,
            "post": item.post,
        }
        for item in items
        if item.policy.admits(who)
    ]


@lru_cache(maxsize=512)
def _fingerprint(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()[:12]
