"""The demo's bank: Stripe's double mounted beside the app, paying into it like the real one would."""

from collections.abc import Mapping
from typing import Any, Final

from flask import Flask
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from schoolmeals.app import create_app
from schoolmeals.clock import Clock, system_clock
from schoolmeals.config import Settings
from schoolmeals.demo.stripe_double import create_double, demo_payments, to_application

MOUNT: Final = "/demo-bank"
WEBHOOK: Final = "/webhooks/stripe"


def create_demo_app(settings: Settings, *, clock: Clock = system_clock) -> Flask:
    """The app of a demo installation, whose top-ups go through the demo bank under ``/demo-bank``."""
    assert settings.demo, "the demo bank serves the demo alone"
    into: list[Flask] = []

    def deliver(body: bytes, headers: Mapping[str, str]) -> int:
        return to_application(into[0].wsgi_app, WEBHOOK, base_url=settings.base_url)(body, headers)

    double = create_double(
        settings.data_folder / "demo-bank",
        public_url=f"{settings.base_url}{MOUNT}",
        secret=settings.secret_key,
        clock=clock,
        deliver=deliver,
        delivers_at_once=True,
    )
    app = create_app(settings, clock=clock, payments=demo_payments(double))
    into.append(app)
    mounted: Any = DispatcherMiddleware(app.wsgi_app, {MOUNT: double})
    app.wsgi_app = mounted  # type: ignore[method-assign]
    return app
