"""Rules of the house for every door."""

from dataclasses import replace
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient

from schoolmeals.app import create_app
from schoolmeals.config import Settings
from schoolmeals.web import Policy
from schoolmeals.web.security import CONTENT_SECURITY_POLICY

METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE"}


def doors(app: Flask) -> list[tuple[str, str]]:
    """Every endpoint and method of ours; files and the API's own document are open to all."""
    found = {
        (rule.endpoint, method)
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) & METHODS
        if not rule.endpoint.endswith("static") and not rule.endpoint.startswith("api-docs")
    }
    return sorted(found)


def policy_of(app: Flask, endpoint: str, method: str) -> Policy | None:
    """The policy that guards a door."""
    view = app.view_functions[endpoint]
    methods = getattr(view, "view_class", None)
    found = getattr(methods, method.lower()) if methods is not None else view
    policy: Policy | None = getattr(found, "guard_policy", None)
    return policy


def test_every_route_has_a_guard(app: Flask) -> None:
    assert [door for door in doors(app) if policy_of(app, *door) is None] == []


def test_a_route_without_a_guard_is_found(app: Flask) -> None:
    hole = Flask("hole")
    hole.add_url_rule("/open", "open", lambda: "come in")
    assert policy_of(hole, "open", "GET") is None
    assert ("open", "GET") in doors(hole)


def test_every_answer_carries_the_security_headers(app: Flask, client: FlaskClient) -> None:
    for rule in app.url_map.iter_rules():
        if rule.endpoint.endswith("static"):
            continue
        values = {name: _any_value(rule, name) for name in rule.arguments - set(rule.defaults or {})}
        with app.test_request_context():
            path = rule.build(values)
        assert path is not None, rule
        for method in sorted((rule.methods or set()) & METHODS):
            answer = client.open(path[1], method=method)
            told = {name: answer.headers.get(name) for name in ("X-Content-Type-Options", "Cross-Origin-Opener-Policy")}
            assert told == {"X-Content-Type-Options": "nosniff", "Cross-Origin-Opener-Policy": "same-origin"}, path
            assert answer.headers["Strict-Transport-Security"].startswith("max-age=63072000"), path
            assert "unsafe" not in answer.headers["Content-Security-Policy"], path
            assert answer.headers["Content-Security-Policy"].startswith(CONTENT_SECURITY_POLICY), path
            assert answer.status_code < 500, (path, method, answer.status_code)


def _any_value(rule: object, name: str) -> object:
    converter = rule._converters[name]  # type: ignore[attr-defined]
    return {"UUIDConverter": UUID(int=7), "IntegerConverter": 1, "DateConverter": "2026-11-23"}.get(
        type(converter).__name__, "x"
    )


@pytest.mark.parametrize("path", ["/sign-in", "/language/kk"])
def test_an_unsafe_method_without_a_token_is_refused(client: FlaskClient, path: str) -> None:
    assert client.post(path).status_code == 400


def test_production_cookies_are_bound_to_the_host(settings: Settings) -> None:
    strict = create_app(replace(settings, demo=False, base_url="https://meals.example"))
    assert strict.config["SESSION_COOKIE_NAME"] == "__Host-visit"
    assert strict.config["SESSION_COOKIE_SECURE"] is True
    assert strict.config["SESSION_COOKIE_HTTPONLY"] is True
    assert strict.config["SESSION_COOKIE_SAMESITE"] == "Lax"
