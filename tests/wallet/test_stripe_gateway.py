"""The Stripe adapter's own affairs: its settings, what it sends, and what it says when Stripe is away."""

import socket
import subprocess
import sys
from collections.abc import Iterable
from typing import Any, get_args, get_type_hints
from unittest.mock import patch

import pytest
import stripe
from stripe.params.checkout import SessionCreateParams

from schoolmeals.config import Settings
from schoolmeals.money import Money
from schoolmeals.wallet import stripe_gateway
from schoolmeals.wallet.payments import PaymentProvider, PaymentStatus, PaymentsUnavailable, RefundOrder, SavedCard
from schoolmeals.wallet.stripe_gateway import API_VERSION, PAGE_LANGUAGES, StripeGateway, build_payments
from schoolmeals.wallet.stripe_objects import state_of_session
from tests.factories import payments as factory


def test_without_a_key_there_are_no_payments() -> None:
    assert build_payments(Settings()) is None


def test_with_a_key_stripe_takes_the_payments() -> None:
    payments: PaymentProvider | None = build_payments(
        Settings(stripe_secret_key="sk_test_x", stripe_webhook_secret="whsec_x")
    )
    assert isinstance(payments, StripeGateway)


def test_the_api_version_is_that_of_the_sdk() -> None:
    """A new SDK brings a new version; taking it over is a decision, with the webhook endpoint to be changed too."""
    assert stripe.api_version == API_VERSION


def test_the_page_languages_are_ones_that_stripe_has() -> None:
    hints = get_type_hints(SessionCreateParams, localns={"StripeContext": object, "Mapping": dict})
    known = {locale for part in get_args(hints["locale"]) for locale in get_args(part)}
    assert "kk" not in known, "Stripe has learnt Kazakh: use it"
    assert set(PAGE_LANGUAGES.values()) <= known


def test_the_wallet_can_be_imported_without_loading_stripe() -> None:
    code = (
        "import sys, schoolmeals.wallet, schoolmeals.wallet.stripe_gateway, schoolmeals.demo.stripe_double;"
        "sys.exit('stripe' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_nothing_about_this_machine_is_told() -> None:
    seen: list[dict[str, Any]] = []

    def watched(app: Any) -> Any:
        def call(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            seen.append(environ)
            answer: Iterable[bytes] = app(environ, start_response)
            return answer

        return call

    with factory.in_process(app=watched) as bench:
        asked = bench.intent()
        bench.payments.checkout(asked)
        bench.payments.checkout(asked)
    assert [environ["HTTP_IDEMPOTENCY_KEY"] for environ in seen] == [str(asked.top_up_id)] * 2
    assert {environ["HTTP_STRIPE_VERSION"] for environ in seen} == {API_VERSION}
    for environ in seen:
        assert "HTTP_X_STRIPE_CLIENT_TELEMETRY" not in environ
        assert "telemetry_id" not in environ["HTTP_X_STRIPE_CLIENT_USER_AGENT"]


def _failing(status: int) -> Any:
    def wrap(_: Any) -> Any:
        def call(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            start_response(f"{status} X", [("Content-Type", "application/json")])
            return [b'{"error": {"type": "api_error", "message": "no"}}']

        return call

    return wrap


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (429, "payments-unavailable"),
        (500, "payments-unavailable"),
        (503, "payments-unavailable"),
        (401, "payments-misconfigured"),
        (403, "payments-misconfigured"),
        (400, "payments-misconfigured"),
    ],
)
def test_when_stripe_fails_it_is_unavailable(status: int, code: str) -> None:
    with factory.in_process(app=_failing(status)) as bench:
        card = SavedCard(payer_ref="cus_1", card_ref="pm_1")
        order = RefundOrder(refund_id=bench.intent().top_up_id, payment_ref="pi_1", amount=Money.major(1))
        for deed in (
            lambda: bench.payments.checkout(bench.intent()),
            lambda: bench.payments.charge_saved(factory.charge(card)),
            lambda: bench.payments.refund(order),
            lambda: bench.payments.fetch("cs_1"),
        ):
            with pytest.raises(PaymentsUnavailable) as refused:
                deed()
            assert refused.value.code == code


def test_when_nobody_answers_it_is_unavailable() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{closed.getsockname()[1]}"
        gateway = StripeGateway(secret_key="sk_test_x", webhook_secret="whsec_x", api_base=address)
        with patch.object(stripe_gateway, "NETWORK_RETRIES", 0), pytest.raises(PaymentsUnavailable) as refused:
            gateway.fetch("cs_1")
    assert refused.value.code == "payments-unavailable"


def test_planted_a_misspelt_parameter_is_found_out() -> None:
    """The SDK would send it; only the double's check of names tells."""
    real = stripe_gateway._session_params

    def misspelt(intent: Any) -> Any:
        params: Any = real(intent)
        params["line_items"][0]["price_data"]["currncy"] = params["line_items"][0]["price_data"].pop("currency")
        return params

    with (
        factory.in_process() as bench,
        patch.object(stripe_gateway, "_session_params", misspelt),
        pytest.raises(PaymentsUnavailable) as refused,
    ):
        bench.payments.checkout(bench.intent())
    assert refused.value.code == "payments-misconfigured"


@pytest.mark.parametrize(
    ("payment_status", "payment", "status"),
    [
        ("unpaid", {"id": "pi_1", "status": "processing"}, PaymentStatus.PROCESSING),
        ("unpaid", {"id": "pi_1", "status": "requires_payment_method"}, PaymentStatus.FAILED),
        ("paid", {"id": "pi_1", "status": "succeeded", "amount_received": 500_000}, PaymentStatus.PAID),
    ],
)
def test_a_completed_page_may_still_wait_for_its_money(
    payment_status: str, payment: dict[str, Any], status: PaymentStatus
) -> None:
    session = {
        "id": "cs_1",
        "status": "complete",
        "payment_status": payment_status,
        "amount_total": 500_000,
        "currency": "kzt",
        "payment_intent": payment,
    }
    state = state_of_session(session)
    assert (state.status, state.amount, state.top_up_id) == (status, Money.major(5_000), None)


def test_what_was_received_counts_and_not_what_was_asked_for() -> None:
    payment = {"id": "pi_1", "status": "succeeded", "amount_received": 499_900}
    session = {"id": "cs_1", "status": "complete", "payment_status": "paid", "amount_total": 500_000, "currency": "kzt"}
    assert state_of_session({**session, "payment_intent": payment}).amount == Money(499_900)
