"""What every answer carries and every request must: security headers, a request id, a CSRF token on unsafe methods."""

import secrets
from typing import Any, Final, TypeVar

from flask import Flask, Response, current_app, g, request
from flask.sessions import SecureCookieSessionInterface
from flask_wtf.csrf import CSRFError, CSRFProtect
from itsdangerous import URLSafeTimedSerializer
from werkzeug.middleware.proxy_fix import ProxyFix

from schoolmeals.config import Settings

CONTENT_SECURITY_POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "media-src 'self' data:",
        "connect-src 'self'",
        "font-src 'self'",
        "manifest-src 'self'",
        "worker-src 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)

_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})

csrf = CSRFProtect()

View = TypeVar("View")


def register(app: Flask, settings: Settings) -> None:
    """Harden the app: cookies, headers, CSRF, the size of what is sent, trusted proxies."""
    prefix = "__Host-" if settings.is_secure else ""
    app.config.update(
        SECRET_KEY=settings.secret_key,
        SESSION_COOKIE_NAME=f"{prefix}visit",
        SESSION_COOKIE_SECURE=settings.is_secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_PATH="/",
        MAX_CONTENT_LENGTH=settings.upload_max_bytes,
        MAX_FORM_MEMORY_SIZE=2_000_000,
        MAX_FORM_PARTS=1_000,
        WTF_CSRF_CHECK_DEFAULT=False,
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_SSL_STRICT=settings.is_secure,
    )
    app.session_interface = _Visits()
    csrf.init_app(app)
    app.before_request(_name_the_request)
    app.before_request(_check_csrf)
    app.after_request(_put_headers)
    app.extensions["schoolmeals.csp"] = f"{CONTENT_SECURITY_POLICY}; form-action 'self'{_payment_page(settings)}"
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]


class _Visits(SecureCookieSessionInterface):
    """Flask's own signed cookies; what signs them is made once and not twice in each request."""

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        """What signs and reads them."""
        key = (app.secret_key, app.config["SECRET_KEY_FALLBACKS"])
        if self._made is None or self._made[0] != key:
            self._made = key, super().get_signing_serializer(app)
        return self._made[1]

    _made: tuple[Any, URLSafeTimedSerializer | None] | None = None


def session_cookie_name(settings: Settings) -> str:
    """The name of the cookie that carries a sign-in session's token."""
    return "__Host-session" if settings.is_secure else "session"


def device_cookie_name(settings: Settings) -> str:
    """The name of the cookie that carries a till device's token."""
    return "__Host-till" if settings.is_secure else "till"


def exempt_from_csrf(view: View) -> View:
    """Mark a view whose caller proves itself otherwise in every request: a signature over the body."""
    view.csrf_exempt = True  # type: ignore[attr-defined]
    return view


def _payment_page(settings: Settings) -> str:
    """Where a form of ours may lead besides ourselves: a top-up is answered with a redirect to the hosted page."""
    return " https://checkout.stripe.com" if settings.stripe_secret_key and not settings.stripe_api_base else ""


def _name_the_request() -> None:
    g.request_id = secrets.token_hex(8)


def _check_csrf() -> None:
    """A browser sends cookies by itself, so what they authorise must also carry a token that only our pages know."""
    method, endpoint = request.method, request.endpoint
    if method in _SAFE_METHODS or endpoint is None or getattr(_view_of(endpoint, method), "csrf_exempt", False):
        return
    sent = request.authorization
    if sent is not None and sent.type == "bearer":
        return
    csrf.protect()


def _view_of(endpoint: str, method: str) -> object:
    view = current_app.view_functions[endpoint]
    methods = getattr(view, "view_class", None)
    return getattr(methods, method.lower(), view) if methods is not None else view


_ALWAYS: Final = (
    ("Strict-Transport-Security", "max-age=63072000; includeSubDomains"),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(self), microphone=(), geolocation=(), payment=()"),
    ("Cache-Control", "no-store"),
)
"""What an answer carries where its view has not said otherwise."""


def _put_headers(answer: Response) -> Response:
    headers = answer.headers
    said = {name.lower() for name, _ in headers}
    changing = (
        ("Content-Security-Policy", current_app.extensions["schoolmeals.csp"]),
        ("X-Request-Id", g.get("request_id", "")),
    )
    for name, value in (*changing, *_ALWAYS):
        if name.lower() not in said:
            headers.add(name, value)
    return answer


__all__ = [
    "CONTENT_SECURITY_POLICY",
    "CSRFError",
    "device_cookie_name",
    "exempt_from_csrf",
    "register",
    "session_cookie_name",
]
