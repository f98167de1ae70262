"""Whatever order API answers, payers, webhooks, losses and crashes come in: a paid top-up is credited once, others
never.

A small reference handler stands for the wallet: it keeps event ids, asks the API before it credits, and credits a
top-up once. The real one is held to the same by the wallet's own tests.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schoolmeals.demo.stripe_double import Chaos
from schoolmeals.money import Money
from schoolmeals.wallet.payments import (
    Checkout,
    CheckoutIntent,
    EventKind,
    NotFresh,
    PaymentEvent,
    PaymentStatus,
)
from tests.factories import payments as factory
from tests.factories.payments import DoubleBench

LONG_ENOUGH = timedelta(hours=8)
"""All retries of a delivery fit in."""


@dataclass
class Desk:
    """The reference handler: what it asked for, which events it knows, and what it credited."""

    bench: DoubleBench
    asked: dict[UUID, CheckoutIntent] = field(default_factory=dict)
    opened: dict[UUID, Checkout] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    credits: list[tuple[UUID, Money]] = field(default_factory=list)
    crashes: int = 0

    def receive(self, body: bytes, headers: Mapping[str, str]) -> int:
        """The webhook's door. A crash comes after the work, so that the answer is lost and the event comes again."""
        try:
            event = self.bench.payments.parse_webhook(body, headers, self.bench.clock())
        except NotFresh:
            return 403
        if event.id not in self.seen:
            self.handle(event)
        self.seen.add(event.id)
        if self.crashes:
            self.crashes -= 1
            return 500
        return 200

    def handle(self, event: PaymentEvent) -> None:
        if event.kind is EventKind.PAID and event.session_id:
            self.settle(event.session_id)

    def settle(self, session_id: str) -> None:
        """Ask the API, and credit the top-up if it is paid in full and not credited yet."""
        state = self.bench.payments.fetch(session_id)
        intent = self.asked.get(state.top_up_id) if state.top_up_id else None
        if intent and state.pays(intent.top_up_id, intent.amount) and not self.is_credited(intent.top_up_id):
            self.credits.append((intent.top_up_id, state.amount))

    def is_credited(self, top_up_id: UUID) -> bool:
        return top_up_id in dict(self.credits)


class CreditsEachEvent(Desk):
    """Planted: forgets that two events can speak of one payment."""

    def is_credited(self, top_up_id: UUID) -> bool:
        return False


class BelievesTheEvent(Desk):
    """Planted: credits what the webhook says without asking the API."""

    def handle(self, event: PaymentEvent) -> None:
        if event.kind is EventKind.PAID and event.top_up_id and event.amount and not self.is_credited(event.top_up_id):
            self.credits.append((event.top_up_id, event.amount))


class ForgetsEarlyEvents(Desk):
    """Planted: marks an event as known before the work, which then fails the first time."""

    def receive(self, body: bytes, headers: Mapping[str, str]) -> int:
        event = self.bench.payments.parse_webhook(body, headers, self.bench.clock())
        if event.id in self.seen:
            return 200
        self.seen.add(event.id)
        if event.kind is EventKind.PAID and self.crashes:
            self.crashes -= 1
            return 500
        self.handle(event)
        return 200


NUMBERS = [factory.PAYS, factory.ASKS, factory.TOO_POOR, factory.DECLINED]
WHICH = st.integers(0, 2)
STEPS = st.one_of(
    st.tuples(st.just("ask"), WHICH),
    st.tuples(st.just("pay"), WHICH, st.sampled_from(NUMBERS)),
    st.tuples(st.just("answer"), WHICH, st.sampled_from(["confirm", "refuse"])),
    st.tuples(st.just("look"), WHICH),
    st.tuples(st.just("deliver")),
    st.tuples(st.just("wait"), st.sampled_from([1, 61, 700, 4_000])),
    st.tuples(st.just("crash"), st.integers(1, 4)),
    st.tuples(
        st.just("chaos"),
        st.builds(
            Chaos,
            duplicate=st.booleans(),
            reorder=st.booleans(),
            delay_s=st.sampled_from([0, 30, 900]),
            drop_first=st.integers(0, 3),
            fail_after_commit=st.integers(0, 2),
            stale_by_s=st.sampled_from([0, 0, 400, -400]),
        ),
    ),
)


def play(bench: DoubleBench, desk: Desk, steps: list[tuple[Any, ...]]) -> None:
    """Run the steps, then let everything calm down: all that is on its way arrives."""
    bench.double.deliver = desk.receive
    intents = [bench.intent(amount=Money.major(1_000 * (n + 1))) for n in range(3)]
    doings: dict[str, Callable[..., object]] = {
        "ask": lambda n: _ask(desk, intents[n]),
        "pay": lambda n, number: _at(desk, intents[n], lambda checkout: bench.pay(checkout, number)),
        "answer": lambda n, word: _at(desk, intents[n], lambda checkout: bench.answer(checkout, word)),
        "look": lambda n: _at(desk, intents[n], lambda checkout: desk.settle(checkout.session_id)),
        "deliver": bench.double.deliver_due,
        "wait": lambda seconds: bench.clock.move(timedelta(seconds=seconds)),
        "crash": lambda count: setattr(desk, "crashes", count),
        "chaos": bench.double.let_go_wrong,
    }
    for name, *args in steps:
        doings[name](*args)
    bench.double.let_go_wrong(Chaos())
    for _ in range(16):
        bench.double.deliver_due()
        bench.clock.move(LONG_ENOUGH / 16)
    bench.double.deliver_due()


def _ask(desk: Desk, intent: CheckoutIntent) -> None:
    if intent.top_up_id not in desk.opened and desk.bench.clock() > intent.expires_at - timedelta(minutes=31):
        return
    desk.asked[intent.top_up_id] = intent
    checkout = desk.bench.payments.checkout(intent)
    assert desk.opened.setdefault(intent.top_up_id, checkout) == checkout


def _at(desk: Desk, intent: CheckoutIntent, deed: Callable[[Checkout], object]) -> None:
    if intent.top_up_id in desk.opened:
        deed(desk.opened[intent.top_up_id])


def check(bench: DoubleBench, desk: Desk) -> None:
    """Credits equal what the provider took: each paid top-up once, with its own sum, and nothing else."""
    states = {one: bench.payments.fetch(checkout.session_id) for one, checkout in desk.opened.items()}
    paid = [(one, desk.asked[one].amount) for one, state in states.items() if state.status is PaymentStatus.PAID]
    assert Counter(desk.credits) == Counter(paid)
    charges = Counter(bench.payments.fetch(checkout.session_id).payment_ref for checkout in desk.opened.values())
    assert all(count == 1 for ref, count in charges.items() if ref)


@settings(max_examples=120, deadline=None)
@given(st.lists(STEPS, max_size=25))
def test_every_interleaving_credits_each_paid_top_up_once(steps: list[tuple[Any, ...]]) -> None:
    with factory.in_process() as bench:
        desk = Desk(bench)
        play(bench, desk, steps)
        check(bench, desk)


def test_all_that_can_go_wrong_at_once() -> None:
    everything = Chaos(duplicate=True, reorder=True, delay_s=30, drop_first=2, fail_after_commit=1, stale_by_s=400)
    with factory.in_process() as bench:
        desk = Desk(bench)
        steps: list[tuple[Any, ...]] = [
            ("chaos", everything),
            ("ask", 0),
            ("ask", 0),
            ("pay", 0, factory.TOO_POOR),
            ("pay", 0, factory.PAYS),
            ("crash", 3),
            ("wait", 61),
            ("deliver",),
            ("look", 0),
        ]
        play(bench, desk, steps)
        check(bench, desk)
        assert [amount for _, amount in desk.credits] == [Money.major(1_000)]


@pytest.mark.parametrize("planted", [CreditsEachEvent, ForgetsEarlyEvents])
def test_planted_a_careless_handler_is_found_out(planted: type[Desk]) -> None:
    with factory.in_process() as bench:
        desk = planted(bench)
        play(bench, desk, [("ask", 0), ("pay", 0, factory.PAYS), ("crash", 4), ("deliver",)])
        with pytest.raises(AssertionError):
            check(bench, desk)


def test_planted_a_handler_that_believes_the_event_is_found_out() -> None:
    """Whoever has our webhook secret can sign a payment that never was. The API knows better."""
    for desk_kind, credited in ((Desk, []), (BelievesTheEvent, [Money.major(9_000)])):
        with factory.in_process() as bench:
            desk = desk_kind(bench)
            play(bench, desk, [("ask", 0), ("pay", 0, factory.DECLINED), ("deliver",)])
            body = _forged(desk, Money.major(9_000))
            assert desk.receive(body.encode(), bench.sign(body)) == 200
            assert [amount for _, amount in desk.credits] == credited


def _forged(desk: Desk, amount: Money) -> str:
    [(top_up_id, checkout)] = desk.opened.items()
    thing = (
        f'{{"id": "{checkout.session_id}", "object": "checkout.session", "payment_status": "paid", "currency": "kzt", '
        f'"amount_total": {amount.minor}, "metadata": {{"top_up_id": "{top_up_id}"}}}}'
    )
    event = '{"id": "evt_forged", "object": "event", "type": "checkout.session.completed", "created": 1, '
    return f'{event}"data": {{"object": {thing}}}}}'
