"""Webhooks as Stripe signs them: what is believed, what is refused, and bugs planted to prove the difference."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import stripe

from schoolmeals.wallet.payments import BadSignature, EventKind, EventUnreadable, NotFresh
from schoolmeals.wallet.stripe_gateway import StripeGateway
from tests.factories import payments as factory
from tests.factories.payments import FIVE_THOUSAND, DoubleBench


@pytest.fixture
def bench() -> Iterator[DoubleBench]:
    with factory.in_process() as double:
        yield double


def _body(top_up_id: UUID, **changes: Any) -> str:
    thing = {
        "id": "cs_test_1",
        "object": "checkout.session",
        "payment_intent": "pi_1",
        "payment_status": "paid",
        "amount_total": 500_000,
        "currency": "kzt",
        "metadata": {"top_up_id": str(top_up_id)},
    }
    event = {
        "id": "evt_1",
        "object": "event",
        "type": "checkout.session.completed",
        "created": 1_795_417_200,
        "data": {"object": thing},
    }
    return json.dumps({**event, **changes})


def test_a_signed_webhook_is_read(bench: DoubleBench) -> None:
    top_up_id = uuid4()
    body = _body(top_up_id)
    headers = {name.upper(): value for name, value in bench.sign(body).items()}
    event = bench.payments.parse_webhook(body.encode(), headers, bench.clock())
    assert (event.id, event.kind, event.provider_type) == ("evt_1", EventKind.PAID, "checkout.session.completed")
    assert (event.session_id, event.payment_ref, event.refund_ref) == ("cs_test_1", "pi_1", None)
    assert (event.amount, event.top_up_id) == (FIVE_THOUSAND, top_up_id)


def test_what_is_not_signed_with_our_secret_is_refused(bench: DoubleBench) -> None:
    body, now = _body(uuid4()), bench.clock()
    good = bench.sign(body)["Stripe-Signature"]
    signature = good.partition("v1=")[2]
    for bad in (
        bench.sign(body, secret="whsec_other")["Stripe-Signature"],
        good.replace("v1=", "v0="),
        f"v1={signature}",
        "t=1,v1=",
        "t=1,v1=é",
        "nonsense",
        "",
    ):
        with pytest.raises(BadSignature):
            bench.payments.parse_webhook(body.encode(), {"Stripe-Signature": bad}, now)
    with pytest.raises(BadSignature):
        bench.payments.parse_webhook(body.encode(), {}, now)
    with pytest.raises(BadSignature):
        bench.payments.parse_webhook(body.replace("500000", "900000").encode(), {"Stripe-Signature": good}, now)
    with pytest.raises(BadSignature):
        bench.payments.parse_webhook(b"\xff\xfe", {"Stripe-Signature": good}, now)


def test_one_good_signature_among_several_is_enough(bench: DoubleBench) -> None:
    """Stripe signs with both secrets while one is being exchanged."""
    body = _body(uuid4())
    old = bench.sign(body, secret="whsec_old")["Stripe-Signature"]
    both = f"{old},{bench.sign(body)['Stripe-Signature'].partition(',')[2]}"
    event = bench.payments.parse_webhook(body.encode(), {"Stripe-Signature": both}, bench.clock())
    assert event.id == "evt_1"


def _accepts(bench: DoubleBench, seconds: int) -> bool:
    body, now = _body(uuid4()), bench.clock()
    try:
        bench.payments.parse_webhook(body.encode(), bench.sign(body, at=now + timedelta(seconds=seconds)), now)
    except NotFresh:
        return False
    return True


def test_a_webhook_is_fresh_for_300_seconds_to_either_side(bench: DoubleBench) -> None:
    assert [_accepts(bench, age) for age in (-301, -300, 0, 300, 301, 86_400)] == [
        False,
        True,
        True,
        True,
        False,
        False,
    ]


class _VerifiesWithoutTolerance(StripeGateway):
    def _verify(self, body: bytes, headers: Any, now: Any) -> None:
        stripe.WebhookSignature.verify_header(body, headers["Stripe-Signature"], self._webhook_secret)


class _LooksBackOnly(StripeGateway):
    """As the SDK does: old is refused, the future is not."""

    def _verify(self, body: bytes, headers: Any, now: Any) -> None:
        signed_at = int(headers["Stripe-Signature"].partition(",")[0].removeprefix("t="))
        if signed_at < now.timestamp() - 300:
            raise NotFresh


@pytest.mark.parametrize("gateway", [_VerifiesWithoutTolerance, _LooksBackOnly])
def test_planted_a_lax_check_of_the_time_is_found_out(gateway: type[StripeGateway]) -> None:
    with factory.in_process(gateway=gateway) as bench, pytest.raises(AssertionError):
        test_a_webhook_is_fresh_for_300_seconds_to_either_side(bench)


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        "null",
        "{}",
        '{"object": "v2.core.event"}',
        '{"object": "event"}',
        _body(uuid4(), created="noon"),
        _body(uuid4(), created=10**30),
    ],
)
def test_a_signed_webhook_that_is_no_event_is_unreadable(bench: DoubleBench, body: str) -> None:
    with pytest.raises(EventUnreadable):
        bench.payments.parse_webhook(body.encode(), bench.sign(body), bench.clock())


def test_what_is_not_ours_is_other_or_without_our_id(bench: DoubleBench) -> None:
    """Whatever else the account does must not stop its webhooks."""
    for changes in (
        {"type": "invoice.paid"},
        {
            "type": "checkout.session.completed",
            "data": {"object": {"object": "checkout.session", "payment_status": "unpaid"}},
        },
    ):
        body = _body(uuid4(), **changes)
        assert bench.payments.parse_webhook(body.encode(), bench.sign(body), bench.clock()).kind is EventKind.OTHER
    body = _body(uuid4()).replace('"top_up_id": "', '"top_up_id": "not one of ours ')
    event = bench.payments.parse_webhook(body.encode(), bench.sign(body), bench.clock())
    assert (event.kind, event.top_up_id) == (EventKind.PAID, None)
