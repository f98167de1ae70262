"""A stand-in for Stripe: a stateful double of the calls that we use, with a hosted page, for the demo and the tests.

It checks parameters against the installed SDK's own types, honours idempotency keys, knows the test cards, signs its
webhooks and can, on request, do all that Stripe may do to us: :class:`Chaos`. It never sees real money and accepts no
real card. What it shows is double-verified, not Stripe-verified.

::

    deliver = to_application(app, "/webhooks/stripe")
    double = create_double(folder, public_url=".../demo-bank", secret=..., deliver=deliver, delivers_at_once=True)
    payments = demo_payments(double)  # the real Stripe adapter, talking to the double inside this process
    DispatcherMiddleware(app, {"/demo-bank": double})
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from werkzeug.test import Client

from schoolmeals.demo.stripe_double.deliveries import Chaos, Deliver
from schoolmeals.demo.stripe_double.double import Double, create_double
from schoolmeals.wallet.payments import PaymentProvider
from schoolmeals.wallet.stripe_gateway import StripeGateway

if TYPE_CHECKING:
    import stripe
    from _typeshed.wsgi import WSGIApplication

__all__ = ["Chaos", "Deliver", "Double", "create_double", "demo_payments", "to_application"]

_TRIES: Final = 3


def demo_payments(double: Double) -> PaymentProvider:
    """The Stripe adapter on top of ``double``, inside this process."""

    def transport() -> "stripe.HTTPClient":
        # Loads the SDK: only once somebody pays.
        from schoolmeals.demo.stripe_double.transport import WsgiTransport

        return WsgiTransport(double)

    return StripeGateway(
        secret_key=double.premises.api_key, webhook_secret=double.premises.webhook_secret, http_client=transport
    )


def to_application(app: "WSGIApplication", path: str, *, base_url: str = "http://127.0.0.1") -> Deliver:
    """Takes events to ``path`` of a WSGI application in this process, three times at once where it answers 5xx."""

    def deliver(body: bytes, headers: Mapping[str, str]) -> int:
        status = 0
        for _ in range(_TRIES):
            with Client(app, use_cookies=False).post(
                path, base_url=base_url, data=body, headers=dict(headers)
            ) as answer:
                status = answer.status_code
            if status < 500:
                break
        return status

    return deliver
