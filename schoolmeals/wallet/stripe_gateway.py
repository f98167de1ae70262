"""The Stripe adapter of :mod:`schoolmeals.wallet.payments`.

It speaks to Checkout (for top-ups that a parent pays on a page) and to PaymentIntents (for saved cards). Stripe's words
stay in this file. What is known of Stripe here was checked against its SDK and against our own double, and by ``pytest
-m stripe_live`` where a test key is set.
"""

import json
import logging
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Final
from uuid import UUID

from schoolmeals.config import Settings
from schoolmeals.wallet.payments import (
    AmountRefused,
    BadSignature,
    Checkout,
    CheckoutIntent,
    EventUnreadable,
    NotFresh,
    PaymentEvent,
    PaymentIdReused,
    PaymentNotFound,
    PaymentProvider,
    PaymentState,
    PaymentsUnavailable,
    Refund,
    RefundOrder,
    RefundStatus,
    RefundTooLarge,
    SavedCharge,
)
from schoolmeals.wallet.stripe_objects import (
    REFUND_STATUS,
    event_of,
    instant_of,
    money_of,
    state_of_declined,
    state_of_payment,
    state_of_session,
)

if TYPE_CHECKING:
    import stripe
    from stripe.params import PaymentIntentCreateParams
    from stripe.params.checkout import SessionCreateParams

API_VERSION: Final = "2026-10-28.endive"
"""Set the webhook endpoint to the same version when it is made."""
WEBHOOK_TOLERANCE_S: Final = 300
TIMEOUT_S: Final = 10
"""A worker must not hang as long as the SDK's own 80 seconds."""
NETWORK_RETRIES: Final = 2

PAGE_LANGUAGES: Final = {"kk": "ru", "ru": "ru", "en": "en"}
"""Checkout has no Kazakh; of its languages, Russian is the one that most readers of Kazakh read."""

_AMOUNT_CODES: Final = frozenset({"amount_too_small", "amount_too_large"})
_REFUND_CODES: Final = frozenset({"charge_already_refunded", "refund_amount_too_large"})

_log = logging.getLogger(__name__)


def build_payments(settings: Settings) -> PaymentProvider | None:
    """The gateway of these settings, or None where no key is set."""
    if not settings.stripe_secret_key:
        return None
    return StripeGateway(
        secret_key=settings.stripe_secret_key,
        webhook_secret=settings.stripe_webhook_secret,
        api_base=settings.stripe_api_base,
    )


class StripeGateway:
    """Payments by Stripe. ``http_client`` makes the SDK's transport; the default one goes over the network."""

    def __init__(
        self,
        *,
        secret_key: str,
        webhook_secret: str,
        api_base: str = "",
        http_client: "Callable[[], stripe.HTTPClient] | None" = None,
    ) -> None:
        self._secret_key = secret_key
        self._webhook_secret = webhook_secret
        self._api_base = api_base
        self._http_client = http_client

    def checkout(self, intent: CheckoutIntent) -> Checkout:
        with _refusals():
            session = self._client.v1.checkout.sessions.create(
                _session_params(intent), {"idempotency_key": _key(intent.top_up_id)}
            )
        if session.url is None:
            raise PaymentsUnavailable("payments-misconfigured")
        return Checkout(session_id=session.id, url=session.url, expires_at=instant_of(session.expires_at))

    def charge_saved(self, charge: SavedCharge) -> PaymentState:
        import stripe  # Takes half a second and 30 MB, so only those who talk to Stripe load it.

        try:
            with _refusals():
                payment = self._client.v1.payment_intents.create(
                    _charge_params(charge), {"idempotency_key": _key(charge.top_up_id)}
                )
        except stripe.CardError as declined:
            return state_of_declined(charge, declined.json_body)
        return state_of_payment(payment.to_dict())

    def refund(self, order: RefundOrder) -> Refund:
        with _refusals():
            refund = self._client.v1.refunds.create(
                {
                    "payment_intent": order.payment_ref,
                    "amount": order.amount.minor,
                    "reason": "requested_by_customer",
                    "metadata": {"refund_id": str(order.refund_id)},
                },
                {"idempotency_key": _key(order.refund_id)},
            )
        return Refund(
            refund_ref=refund.id,
            payment_ref=order.payment_ref,
            status=REFUND_STATUS.get(refund.status or "", RefundStatus.PENDING),
            amount=money_of(refund.amount, refund.currency),
        )

    def parse_webhook(self, body: bytes, headers: Mapping[str, str], now: datetime) -> PaymentEvent:
        self._verify(body, headers, now)
        try:
            return event_of(json.loads(body))
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
            raise EventUnreadable from error

    def fetch(self, session_id: str) -> PaymentState:
        with _refusals():
            if session_id.startswith("pi_"):
                return state_of_payment(self._client.v1.payment_intents.retrieve(session_id).to_dict())
            session = self._client.v1.checkout.sessions.retrieve(session_id, {"expand": ["payment_intent"]})
        return state_of_session(session.to_dict())

    @cached_property
    def _client(self) -> "stripe.StripeClient":
        import stripe  # As above.

        # Telemetry would write an id into the home folder and tell Stripe about this machine.
        stripe.enable_telemetry = False
        return stripe.StripeClient(
            self._secret_key,
            stripe_version=API_VERSION,
            max_network_retries=NETWORK_RETRIES,
            base_addresses={"api": self._api_base} if self._api_base else None,
            http_client=self._http_client() if self._http_client else stripe.RequestsClient(timeout=TIMEOUT_S),
        )

    def _verify(self, body: bytes, headers: Mapping[str, str], now: datetime) -> None:
        """The SDK checks the signature. The age is checked here, since it lets pass what is signed for the future."""
        import stripe  # As above.

        signature = next((value for name, value in headers.items() if name.lower() == "stripe-signature"), "")
        signed_at = re.search(r"(?:^|,)t=([0-9]{1,11})(?:,|$)", signature)
        if signed_at is None or not signature.isascii():
            raise BadSignature
        try:
            stripe.WebhookSignature.verify_header(body, signature, self._webhook_secret, tolerance=None)
        except (stripe.SignatureVerificationError, UnicodeDecodeError) as error:
            raise BadSignature from error
        if abs(int(now.timestamp()) - int(signed_at[1])) > WEBHOOK_TOLERANCE_S:
            raise NotFresh


def _session_params(intent: CheckoutIntent) -> "SessionCreateParams":
    mine = {"top_up_id": str(intent.top_up_id), "way": "checkout", "language": intent.language}
    params: SessionCreateParams = {
        "mode": "payment",
        "ui_mode": "hosted_page",
        "allowed_payment_method_types": ["card"],
        "line_items": [
            {
                "quantity": 1,
                "price_data": {
                    "currency": intent.amount.currency.lower(),
                    "unit_amount": intent.amount.minor,
                    "product_data": {"name": intent.description},
                },
            }
        ],
        "client_reference_id": str(intent.top_up_id),
        "metadata": mine,
        "payment_intent_data": {"metadata": mine, "description": intent.description},
        "locale": PAGE_LANGUAGES.get(intent.language, "auto"),
        "success_url": intent.return_url,
        "cancel_url": intent.cancel_url,
        "expires_at": int(intent.expires_at.timestamp()),
    }
    if intent.payer_ref:
        params["customer"] = intent.payer_ref
    if intent.save_card:
        params["payment_intent_data"]["setup_future_usage"] = "off_session"
        if not intent.payer_ref:
            params["customer_creation"] = "always"
    return params


def _charge_params(charge: SavedCharge) -> "PaymentIntentCreateParams":
    return {
        "amount": charge.amount.minor,
        "currency": charge.amount.currency.lower(),
        "customer": charge.card.payer_ref,
        "payment_method": charge.card.card_ref,
        "allowed_payment_method_types": ["card"],
        "confirm": True,
        "off_session": True,
        "description": charge.description,
        "metadata": {"top_up_id": str(charge.top_up_id), "way": "saved"},
    }


def _key(own_id: UUID) -> str:
    return str(own_id)


@contextmanager
def _refusals() -> Iterator[None]:
    """Stripe's errors as ours. A CardError passes: it is an answer about a card, and its caller knows what to say."""
    import stripe  # As above.

    try:
        yield
    except stripe.CardError:
        raise
    except stripe.IdempotencyError as error:
        raise PaymentIdReused from error
    except stripe.InvalidRequestError as error:
        raise _refusal_of(error) from error
    except (stripe.APIConnectionError, stripe.RateLimitError, stripe.APIError) as error:
        _log.warning("Stripe is away: %s", error)
        raise PaymentsUnavailable from error
    except stripe.StripeError as error:
        _log.exception("Stripe refuses our key or our way of asking")
        raise PaymentsUnavailable("payments-misconfigured") from error


def _refusal_of(error: "stripe.InvalidRequestError") -> Exception:
    if error.code in _AMOUNT_CODES:
        return AmountRefused()
    if error.code in _REFUND_CODES or (error.param == "amount" and error.code is None):
        return RefundTooLarge()
    if error.code == "resource_missing":
        return PaymentNotFound()
    _log.error("Stripe does not accept our request: %s", error)
    return PaymentsUnavailable("payments-misconfigured")
