"""What every adapter of the payments port promises. Beside a promise stands a planted bug that breaks it.

The same tests run on the double inside this process, on the double over HTTP, and, with ``pytest -m stripe_live`` and a
test key in ``SCHOOLMEALS_STRIPE_TEST_KEY``, on Stripe's test mode, as far as no page needs to be paid there by hand.
"""

import os
from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from schoolmeals.demo.stripe_double import Chaos
from schoolmeals.ids import new_id
from schoolmeals.money import Money
from schoolmeals.wallet.payments import (
    AmountRefused,
    EventKind,
    PaymentIdReused,
    PaymentNotFound,
    PaymentState,
    PaymentStatus,
    RefundOrder,
    RefundStatus,
    RefundTooLarge,
)
from tests.factories import payments as factory
from tests.factories.payments import FIVE_THOUSAND, Bench, DoubleBench

THE_DOUBLES = ["in process", "over http"]
EVERYONE = [*THE_DOUBLES, pytest.param("live", marks=[pytest.mark.stripe_live, pytest.mark.enable_socket])]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """``bench``: every adapter, Stripe only when it is asked for. ``double_bench``: those whose page can be paid."""
    if "bench" in metafunc.fixturenames:
        is_asked_for = "stripe_live" in metafunc.config.option.markexpr
        metafunc.parametrize("bench", EVERYONE if is_asked_for else THE_DOUBLES, indirect=True)
    if "double_bench" in metafunc.fixturenames:
        metafunc.parametrize("double_bench", THE_DOUBLES, indirect=True)


@pytest.fixture
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    if request.param == "live":
        key = os.environ.get("SCHOOLMEALS_STRIPE_TEST_KEY", "")
        assert key, "set SCHOOLMEALS_STRIPE_TEST_KEY to a test key of Stripe's"
        with factory.live(key) as live:
            yield live
        return
    with factory.in_process() if request.param == "in process" else factory.over_http() as double:
        yield double


@pytest.fixture
def double_bench(request: pytest.FixtureRequest) -> Iterator[DoubleBench]:
    with factory.in_process() if request.param == "in process" else factory.over_http() as double:
        yield double


# Checkout


def test_a_checkout_is_open_and_says_what_it_is_for(bench: Bench) -> None:
    asked = bench.intent()
    checkout = bench.payments.checkout(asked)
    assert checkout.expires_at == asked.expires_at
    assert bench.payments.fetch(checkout.session_id) == PaymentState(
        session_id=checkout.session_id,
        status=PaymentStatus.OPEN,
        amount=FIVE_THOUSAND,
        top_up_id=asked.top_up_id,
        payment_ref=None,
    )


def test_the_same_intent_twice_is_one_checkout(bench: Bench) -> None:
    asked = bench.intent()
    assert bench.payments.checkout(asked) == bench.payments.checkout(asked)


def test_another_intent_under_the_same_id_is_refused(bench: Bench) -> None:
    asked = bench.intent()
    checkout = bench.payments.checkout(asked)
    with pytest.raises(PaymentIdReused) as refused:
        bench.payments.checkout(bench.intent(top_up_id=asked.top_up_id, amount=Money.major(6_000)))
    assert refused.value.code == "payment-id-reused"
    assert bench.payments.fetch(checkout.session_id).amount == FIVE_THOUSAND


def _deaf_to_keys(app: Any) -> Any:
    """A provider that ignores idempotency keys."""

    def without_key(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        environ.pop("HTTP_IDEMPOTENCY_KEY", None)
        answer: Iterable[bytes] = app(environ, start_response)
        return answer

    return without_key


def test_planted_a_provider_that_ignores_keys_is_found_out() -> None:
    with factory.in_process(app=_deaf_to_keys) as bench:
        with pytest.raises(AssertionError):
            test_the_same_intent_twice_is_one_checkout(bench)
        with pytest.raises(pytest.fail.Exception, match="DID NOT RAISE"):
            test_another_intent_under_the_same_id_is_refused(bench)
        with pytest.raises(AssertionError):
            test_a_charge_sent_twice_is_one_charge(bench)
        with pytest.raises(AssertionError):
            test_a_refund_sent_twice_is_one_refund(bench)


def test_a_sum_that_the_provider_does_not_take_is_refused(bench: Bench) -> None:
    with pytest.raises(AmountRefused):
        bench.payments.checkout(bench.intent(amount=Money(1)))
    with pytest.raises(AmountRefused):
        bench.payments.checkout(bench.intent(amount=Money(100_000_000)))


@pytest.mark.parametrize("language", ["kk", "ru", "en"])
def test_a_page_opens_in_each_of_our_languages(bench: Bench, language: str) -> None:
    assert bench.payments.checkout(bench.intent(language=language)).url.startswith("http")


def test_an_unknown_payment_is_not_found(bench: Bench) -> None:
    for unknown in ("cs_test_unknown", "pi_unknown"):
        with pytest.raises(PaymentNotFound):
            bench.payments.fetch(unknown)


# Paying on the page


def test_a_paid_page_pays_its_top_up_once(double_bench: DoubleBench) -> None:
    asked = double_bench.intent()
    checkout = double_bench.payments.checkout(asked)
    gone_back = double_bench.pay(checkout)
    assert (gone_back.status_code, gone_back.headers["Location"]) == (
        303,
        f"http://shop.test/back?session={checkout.session_id}",
    )
    state = double_bench.payments.fetch(checkout.session_id)
    assert state.pays(asked.top_up_id, FIVE_THOUSAND)
    assert not state.pays(uuid4(), FIVE_THOUSAND)
    assert not state.pays(asked.top_up_id, Money.major(5_001))
    assert state.card is None
    # Both the payment and the page tell of it; each leads to the same answer.
    assert double_bench.told(asked.top_up_id) == ["paid", "paid"]
    for event in double_bench.events():
        if event.kind is EventKind.PAID:
            assert event.session_id is not None
            assert event.amount == FIVE_THOUSAND
            assert event.payment_ref == state.payment_ref
            assert event.occurred_at == double_bench.clock()
            assert double_bench.payments.fetch(event.session_id).pays(asked.top_up_id, FIVE_THOUSAND)
    assert double_bench.pay(checkout).status_code == 303
    assert double_bench.told(asked.top_up_id) == ["paid", "paid"]


@pytest.mark.parametrize("number", [factory.TOO_POOR, factory.DECLINED])
def test_a_declined_card_leaves_the_page_open_for_another(double_bench: DoubleBench, number: str) -> None:
    asked = double_bench.intent()
    checkout = double_bench.payments.checkout(asked)
    assert double_bench.pay(checkout, number).status_code == 422
    state = double_bench.payments.fetch(checkout.session_id)
    assert state.status is PaymentStatus.OPEN
    assert state.payment_ref is not None
    assert double_bench.payments.fetch(state.payment_ref).status is PaymentStatus.OPEN
    assert double_bench.told(asked.top_up_id) == []
    assert double_bench.pay(checkout).status_code == 303
    assert double_bench.payments.fetch(checkout.session_id).pays(asked.top_up_id, FIVE_THOUSAND)


def test_a_card_may_ask_for_confirmation(double_bench: DoubleBench) -> None:
    asked = double_bench.intent()
    checkout = double_bench.payments.checkout(asked)
    assert double_bench.pay(checkout, factory.ASKS).status_code == 200
    assert double_bench.payments.fetch(checkout.session_id).status is PaymentStatus.OPEN
    assert double_bench.answer(checkout, "refuse").status_code == 422
    assert double_bench.told(asked.top_up_id) == []
    assert double_bench.pay(checkout, factory.ASKS).status_code == 200
    assert double_bench.answer(checkout, "confirm").status_code == 303
    assert double_bench.payments.fetch(checkout.session_id).pays(asked.top_up_id, FIVE_THOUSAND)


def test_a_page_closes_when_its_time_is_over(double_bench: DoubleBench) -> None:
    asked = double_bench.intent()
    checkout = double_bench.payments.checkout(asked)
    double_bench.clock.move(timedelta(minutes=61))
    assert double_bench.told(asked.top_up_id) == ["expired"]
    assert double_bench.payments.fetch(checkout.session_id).status is PaymentStatus.EXPIRED
    double_bench.pay(checkout)
    assert double_bench.payments.fetch(checkout.session_id).status is PaymentStatus.EXPIRED


def test_an_answer_that_is_lost_after_the_work_costs_nothing(double_bench: DoubleBench) -> None:
    asked = double_bench.intent()
    double_bench.double.let_go_wrong(Chaos(fail_after_commit=1))
    checkout = double_bench.payments.checkout(asked)
    assert double_bench.payments.checkout(asked) == checkout


# Saved cards


def test_a_saved_card_pays_without_the_payer(bench: Bench) -> None:
    asked = factory.charge(bench.saved_card())
    state = bench.payments.charge_saved(asked)
    assert state.pays(asked.top_up_id, FIVE_THOUSAND)
    assert bench.payments.fetch(state.session_id) == state


def test_a_charge_sent_twice_is_one_charge(bench: Bench) -> None:
    asked = factory.charge(bench.saved_card())
    assert bench.payments.charge_saved(asked) == bench.payments.charge_saved(asked)


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        ("pm_card_chargeCustomerFail", "card-declined"),
        ("pm_card_authenticationRequired", "authentication-required"),
    ],
)
def test_a_declined_charge_is_an_answer_with_a_reason(bench: Bench, token: str, reason: str) -> None:
    asked = factory.charge(bench.saved_card(token))
    state = bench.payments.charge_saved(asked)
    assert (state.status, state.reason, state.top_up_id) == (PaymentStatus.FAILED, reason, asked.top_up_id)
    assert bench.payments.charge_saved(asked) == state
    assert bench.payments.fetch(state.session_id) == state


def test_a_declined_charge_is_told(double_bench: DoubleBench) -> None:
    asked = factory.charge(double_bench.saved_card("pm_card_chargeCustomerFail"))
    double_bench.payments.charge_saved(asked)
    assert double_bench.told(asked.top_up_id) == ["failed"]


def test_a_card_saved_on_the_page_can_be_charged_later(double_bench: DoubleBench) -> None:
    checkout = double_bench.payments.checkout(double_bench.intent(save_card=True))
    double_bench.pay(checkout, factory.ASKS)
    double_bench.answer(checkout, "confirm")
    card = double_bench.payments.fetch(checkout.session_id).card
    assert card is not None
    assert double_bench.payments.charge_saved(factory.charge(card)).status is PaymentStatus.PAID
    again = double_bench.payments.checkout(double_bench.intent(payer_ref=card.payer_ref, save_card=True))
    double_bench.pay(again)
    saved = double_bench.payments.fetch(again.session_id).card
    assert saved is not None
    assert saved.payer_ref == card.payer_ref


# Refunds


def _paid(bench: Bench) -> str:
    ref = bench.payments.charge_saved(factory.charge(bench.saved_card())).payment_ref
    assert ref is not None
    return ref


def test_a_payment_can_be_refunded_up_to_its_amount(bench: Bench) -> None:
    payment_ref = _paid(bench)
    part = bench.payments.refund(RefundOrder(refund_id=new_id(), payment_ref=payment_ref, amount=Money.major(2_000)))
    assert (part.payment_ref, part.status, part.amount) == (payment_ref, RefundStatus.REFUNDED, Money.major(2_000))
    with pytest.raises(RefundTooLarge):
        bench.payments.refund(RefundOrder(refund_id=new_id(), payment_ref=payment_ref, amount=Money.major(3_001)))
    bench.payments.refund(RefundOrder(refund_id=new_id(), payment_ref=payment_ref, amount=Money.major(3_000)))
    with pytest.raises(RefundTooLarge):
        bench.payments.refund(RefundOrder(refund_id=new_id(), payment_ref=payment_ref, amount=Money.major(1)))


def test_a_refund_sent_twice_is_one_refund(bench: Bench) -> None:
    order = RefundOrder(refund_id=new_id(), payment_ref=_paid(bench), amount=Money.major(2_000))
    assert bench.payments.refund(order) == bench.payments.refund(order)


def test_a_refund_of_an_unknown_payment_is_not_found(bench: Bench) -> None:
    with pytest.raises(PaymentNotFound):
        bench.payments.refund(RefundOrder(refund_id=new_id(), payment_ref="pi_unknown", amount=Money.major(1)))


def test_a_refund_is_told(double_bench: DoubleBench) -> None:
    payment_ref = _paid(double_bench)
    order = RefundOrder(refund_id=new_id(), payment_ref=payment_ref, amount=Money.major(2_000))
    refund = double_bench.payments.refund(order)
    told = [event for event in double_bench.events() if event.kind is EventKind.REFUNDED]
    assert [(event.refund_ref, event.payment_ref, event.session_id, event.amount) for event in told] == [
        (refund.refund_ref, payment_ref, payment_ref, Money.major(2_000))
    ]
