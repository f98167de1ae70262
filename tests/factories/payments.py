"""Payment providers to be held to their contract: the double in this process and over HTTP, and Stripe's test mode."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import requests
import stripe
from werkzeug.serving import make_server
from werkzeug.test import Client, TestResponse

from schoolmeals.clock import Clock, MovableClock, system_clock
from schoolmeals.demo.stripe_double import Double, create_double
from schoolmeals.demo.stripe_double.deliveries import signed
from schoolmeals.demo.stripe_double.transport import WsgiTransport
from schoolmeals.ids import new_id
from schoolmeals.money import Money
from schoolmeals.wallet.payments import Checkout, CheckoutIntent, PaymentEvent, SavedCard, SavedCharge
from schoolmeals.wallet.stripe_gateway import API_VERSION, StripeGateway

PAYS = "4242424242424242"
ASKS = "4000002500003155"
TOO_POOR = "4000000000009995"
DECLINED = "4000000000000002"
FIVE_THOUSAND = Money.major(5_000)
A_MOMENT = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)


def intent(at: datetime, **changes: Any) -> CheckoutIntent:
    """A top-up of 5,000 tenge that was asked for at ``at``."""
    asked = CheckoutIntent(
        top_up_id=new_id(at),
        amount=FIVE_THOUSAND,
        description="School meals",
        language="kk",
        return_url="http://shop.test/back?session={CHECKOUT_SESSION_ID}",
        cancel_url="http://shop.test/cancel",
        expires_at=at.replace(microsecond=0) + timedelta(hours=1),
    )
    return replace(asked, **changes)


def charge(card: SavedCard, **changes: Any) -> SavedCharge:
    """5,000 tenge from a saved card."""
    asked = SavedCharge(top_up_id=new_id(), amount=FIVE_THOUSAND, card=card, description="School meals")
    return replace(asked, **changes)


@dataclass
class Bench:
    """One adapter on the bench, with a hand on what stands behind it."""

    payments: StripeGateway
    client: stripe.StripeClient
    clock: Clock
    webhook_secret: str

    def intent(self, **changes: Any) -> CheckoutIntent:
        return intent(self.clock(), **changes)

    def saved_card(self, token: str = "pm_card_visa") -> SavedCard:
        """A card of a new payer, by one of Stripe's names for ready-made test cards."""
        payer = self.client.v1.customers.create({"payment_method": token})
        methods = self.client.v1.customers.payment_methods.list(payer.id)
        return SavedCard(payer_ref=payer.id, card_ref=methods.data[0].id)

    def sign(self, body: str, *, at: datetime | None = None, secret: str | None = None) -> Mapping[str, str]:
        """The headers that Stripe would send with ``body``."""
        return signed(body, secret or self.webhook_secret, int((at or self.clock()).timestamp()))


@dataclass
class DoubleBench(Bench):
    """An adapter on the double, where pages can be paid and time can be moved."""

    double: Double
    clock: MovableClock
    sent: list[tuple[bytes, Mapping[str, str]]] = field(default_factory=list)

    def page(self, checkout: Checkout) -> TestResponse:
        return Client(self.double).get(urlsplit(checkout.url).path)

    def pay(self, checkout: Checkout, number: str = PAYS) -> TestResponse:
        """Choose a card on the hosted page."""
        return Client(self.double).post(urlsplit(checkout.url).path, data={"card": number})

    def answer(self, checkout: Checkout, word: str) -> TestResponse:
        """Tell the card's bank ``confirm`` or ``refuse``."""
        return Client(self.double).post(urlsplit(checkout.url).path + "/bank", data={"answer": word})

    def receive(self, body: bytes, headers: Mapping[str, str]) -> int:
        self.sent.append((body, headers))
        return 200

    def events(self) -> list[PaymentEvent]:
        """All events that have arrived so far, in their order of arrival."""
        self.double.deliver_due()
        return [self.payments.parse_webhook(body, headers, self.clock()) for body, headers in self.sent]

    def told(self, top_up_id: UUID) -> list[str]:
        """The kinds of events about one top-up that call for something, as words."""
        return [event.kind.value for event in self.events() if event.top_up_id == top_up_id and event.session_id]


@contextmanager
def in_process(
    clock: MovableClock | None = None, *, app: Any = None, gateway: Any = StripeGateway
) -> Iterator[DoubleBench]:
    """The double without a network. ``app`` wraps it, and ``gateway`` replaces the adapter, to plant a bug."""
    clock = clock or MovableClock(A_MOMENT)
    double = create_double(None, public_url="http://bank.test", secret="only for tests", clock=clock)
    transport = WsgiTransport(app(double) if app else double)
    yield _bench(double, clock, gateway, http_client=transport)
    double.close()


@contextmanager
def over_http() -> Iterator[DoubleBench]:
    """The double behind a real server on loopback, and the SDK's own transport."""
    clock = MovableClock(A_MOMENT)
    double = create_double(None, public_url="http://bank.test", secret="only for tests", clock=clock)
    server = make_server("127.0.0.1", 0, double, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    with requests.Session() as session:
        transport = stripe.RequestsClient(timeout=20, session=session)
        address = f"http://127.0.0.1:{server.server_port}"
        yield _bench(double, clock, StripeGateway, http_client=transport, api_base=address)
    server.shutdown()
    thread.join()
    server.server_close()
    double.close()


@contextmanager
def live(secret_key: str) -> Iterator[Bench]:
    """Stripe's test mode. A key for real money is refused."""
    assert secret_key.startswith(("sk_test_", "rk_test_")), "SCHOOLMEALS_STRIPE_TEST_KEY must be a test key"
    with requests.Session() as session:
        transport = stripe.RequestsClient(timeout=20, session=session)
        client = stripe.StripeClient(secret_key, stripe_version=API_VERSION, http_client=transport)
        gateway = StripeGateway(secret_key=secret_key, webhook_secret="whsec_own", http_client=lambda: transport)
        yield Bench(payments=gateway, client=client, clock=system_clock, webhook_secret="whsec_own")


def _bench(
    double: Double, clock: MovableClock, gateway: Any, *, http_client: stripe.HTTPClient, api_base: str = ""
) -> DoubleBench:
    premises = double.premises
    payments = gateway(
        secret_key=premises.api_key,
        webhook_secret=premises.webhook_secret,
        api_base=api_base,
        http_client=lambda: http_client,
    )
    client = stripe.StripeClient(
        premises.api_key,
        stripe_version=API_VERSION,
        http_client=http_client,
        base_addresses={"api": api_base} if api_base else None,
    )
    bench = DoubleBench(
        payments=payments, client=client, clock=clock, webhook_secret=premises.webhook_secret, double=double
    )
    double.deliver = bench.receive
    return bench
