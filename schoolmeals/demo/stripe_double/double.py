"""The double as one WSGI application."""

import hashlib
import hmac
import json
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from flask import Flask
from flask import Response as FlaskResponse

from schoolmeals.clock import Clock, system_clock
from schoolmeals.demo.stripe_double import api, deliveries, pages
from schoolmeals.demo.stripe_double.bank import Bank
from schoolmeals.demo.stripe_double.deliveries import Chaos, Deliver
from schoolmeals.demo.stripe_double.premises import PAGES, Premises
from schoolmeals.demo.stripe_double.problems import ApiProblem
from schoolmeals.demo.stripe_double.sessions import expire_old
from schoolmeals.demo.stripe_double.store import Store

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

MOST_BYTES: Final = 64_000


class Double:
    """A WSGI application: Stripe's API under ``/v1`` and the hosted page under ``/pay``.

    ``deliver`` takes webhook events to their receiver. With ``delivers_at_once`` each page and API call is followed by
    :meth:`deliver_due`: before the answer of a page, so that the payer finds the money on return; beside the answer of
    an API call, since its caller may be in the middle of something. Without, only :meth:`deliver_due` sends.
    """

    def __init__(self, premises: Premises, deliver: Deliver | None = None, *, delivers_at_once: bool = False) -> None:
        self.premises = premises
        self.deliver = deliver
        self._delivers_at_once = delivers_at_once
        self._app = _application(premises)
        self._sending = threading.local()

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        answer = self._app(environ, start_response)
        if self._delivers_at_once and environ["REQUEST_METHOD"] == "POST":
            if environ["PATH_INFO"].startswith(PAGES):
                self.deliver_due()
            else:
                threading.Thread(target=self.deliver_due, daemon=True).start()
        return answer

    def deliver_due(self) -> int:
        """Send the events that are due; gives how many deliveries were tried. What failed is due again later.

        A receiver that calls the double while it is being told does not start a second round inside the first one.
        """
        if self.deliver is None or getattr(self._sending, "is_busy", False):
            return 0
        self._sending.is_busy = True
        try:
            with self.premises.store.working() as shelf:
                bank = Bank(shelf, self.premises.clock(), api_version=self.premises.api_version)
                expire_old(bank)
                deliveries.enqueue(bank)
            secret = self.premises.webhook_secret
            return deliveries.send_due(self.premises.store, self.deliver, self.premises.clock, secret)
        finally:
            self._sending.is_busy = False

    def let_go_wrong(self, chaos: Chaos) -> None:
        """Let this go wrong from now on; ``Chaos()`` ends it."""
        with self.premises.store.working() as shelf:
            deliveries.set_chaos(shelf, chaos)

    def close(self) -> None:
        """Let go of what is held open."""
        self.premises.store.close()


def create_double(
    folder: Path | None,
    *,
    public_url: str,
    secret: str,
    clock: Clock = system_clock,
    deliver: Deliver | None = None,
    delivers_at_once: bool = False,
) -> Double:
    """A double that remembers in ``folder`` (processes may share it), or in memory where it is None.

    ``public_url`` is where browsers reach it, e.g. ``http://127.0.0.1:8000/demo-bank``. Its API key and webhook secret
    are made from ``secret``, so that every process with the same secret has the same ones.
    """
    premises = Premises(
        store=Store(folder),
        clock=clock,
        public_url=public_url.rstrip("/"),
        api_key=f"sk_test_{_derived(secret, 'stripe double api key')}",
        webhook_secret=f"whsec_{_derived(secret, 'stripe double webhook secret')}",
    )
    return Double(premises, deliver, delivers_at_once=delivers_at_once)


def _derived(secret: str, purpose: str) -> str:
    return hmac.new(secret.encode(), purpose.encode(), hashlib.sha256).hexdigest()


def _application(premises: Premises) -> Flask:
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = MOST_BYTES
    app.register_blueprint(api.blueprint(premises))
    app.register_blueprint(pages.blueprint(premises))

    @app.errorhandler(404)
    def unknown(_: Exception) -> FlaskResponse:
        problem = ApiProblem("Unrecognized request URL; the double knows only what we use.", status=404)
        return FlaskResponse(_json(problem), 404, mimetype="application/json")

    @app.after_request
    def protect(response: FlaskResponse) -> FlaskResponse:
        headers = response.headers
        headers.setdefault("Content-Security-Policy", pages.content_policy())
        headers["X-Content-Type-Options"] = "nosniff"
        headers["Referrer-Policy"] = "no-referrer"
        headers["Cross-Origin-Opener-Policy"] = "same-origin"
        headers.setdefault("Cache-Control", "no-store")
        if premises.public_url.startswith("https://"):
            headers["Strict-Transport-Security"] = "max-age=31536000"
        return response

    return app


def _json(problem: ApiProblem) -> str:
    return json.dumps(problem.body)
