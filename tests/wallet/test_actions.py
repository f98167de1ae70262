"""Money comes in once, whatever is sent how often; on a real PostgreSQL."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import permutations
from typing import Any, Final
from uuid import UUID, uuid4

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from schoolmeals import ledger, wallet
from schoolmeals.actors import SYSTEM
from schoolmeals.audit import AuditEvent
from schoolmeals.clock import MovableClock
from schoolmeals.database import Work, transaction
from schoolmeals.errors import Conflict, Invalid, NotFound, NotNow, Refusal
from schoolmeals.ledger import Account
from schoolmeals.money import Money
from schoolmeals.wallet.actions import record_payment_event
from schoolmeals.wallet.models import PaymentEventSeen, Purse, SchoolPolicy, TopUp
from schoolmeals.wallet.payments import EventKind, PaymentState, PaymentStatus
from schoolmeals.wallet.rules import PaymentOutcome, fill_movements
from tests.factories.identity import PersonFactory, actor_of
from tests.factories.wallet import (
    CASH,
    SCHOOL,
    Do,
    Family,
    balances,
    count,
    eat,
    event,
    money_of,
    new_family,
    new_pupil,
    paid,
    pupil_with,
    start,
)

ID = UUID("01985e1e-0000-7000-8000-000000000001")


def recorded(do: Do, action: str) -> int:
    """How many events of one kind the audit log has."""
    wanted = select(func.count()).select_from(AuditEvent).where(AuditEvent.action == action)
    found: int = do(lambda work: work.session.scalar(wanted))
    return found


def all_at_once(app: Flask, deeds: list[Callable[[], Any]]) -> list[Any]:
    """Run deeds in threads that start together; what each gave or raised, in their order."""
    gate = threading.Barrier(len(deeds))
    results: list[Any] = [None] * len(deeds)

    def run(place: int) -> None:
        gate.wait()
        with app.app_context():
            try:
                results[place] = deeds[place]()
            except Refusal as refusal:
                results[place] = refusal

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(deeds))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


# Purses


def test_a_purse_is_opened_when_it_is_first_needed(do: Do) -> None:
    first, second = new_pupil(), new_pupil()
    opened = do(wallet.lock_purses, SCHOOL, [first, second])
    assert opened[first].purse_id != opened[second].purse_id
    assert (opened[first].money.purpose, opened[first].money.floor_minor) == ("purse", 0)
    assert (opened[first].grace.purpose, opened[first].grace.ceiling_minor) == ("grace", 1_700_00)
    assert do(wallet.lock_purses, SCHOOL, [first]) == {first: opened[first]}
    assert recorded(do, "wallet.open_purse") == 2


def test_the_schools_policy_says_how_far_grace_goes(do: Do, clock: MovableClock) -> None:
    do(
        lambda work: work.session.add(
            SchoolPolicy(school_id=SCHOOL, grace_limit_minor=900_00, currency="KZT", changed_at=clock())
        )
    )
    pupil_id = new_pupil()
    assert do(wallet.lock_purses, SCHOOL, [pupil_id])[pupil_id].grace.ceiling_minor == 900_00


def test_locking_takes_two_statements_and_the_schools_accounts_one(do: Do, statements: list[str]) -> None:
    pupils = [new_pupil() for _ in range(7)]
    do(wallet.lock_purses, SCHOOL, pupils)
    do(wallet.school_accounts, SCHOOL)
    del statements[:]
    do(wallet.lock_purses, SCHOOL, pupils)
    assert len(statements) == 2
    del statements[:]
    do(wallet.school_accounts, SCHOOL)
    assert statements == [], "remembered, because they are for ever"
    wallet.forget_school_accounts()
    do(wallet.school_accounts, SCHOOL)
    assert len(statements) == 1


def test_accounts_are_remembered_only_once_they_are_committed(do: Do) -> None:
    def breaks_off(work: Work) -> None:
        wallet.school_accounts(work, SCHOOL)
        raise KeyError

    with pytest.raises(KeyError):
        do(breaks_off)
    opened = do(wallet.school_accounts, SCHOOL)
    assert do(lambda work: work.session.get(Account, (SCHOOL, opened.cash_desk))) is not None


def test_nobody_asked_for_is_nobody_locked(do: Do) -> None:
    assert do(wallet.lock_purses, SCHOOL, []) == {}


def test_threads_that_need_the_same_new_purses_open_each_once(app: Flask, do: Do, clock: MovableClock) -> None:
    pupils = [new_pupil() for _ in range(5)]

    def open_all() -> Any:
        with transaction(SYSTEM, clock()) as work:
            accounts = wallet.school_accounts(work, SCHOOL)
            return accounts, {id: purse.purse_id for id, purse in wallet.lock_purses(work, SCHOOL, pupils).items()}

    results = all_at_once(app, [open_all] * 6)
    assert all(result == results[0] for result in results)
    assert (count(do, Purse), count(do, ledger.Account)) == (5, 14)


def test_the_till_pays_from_purse_then_grace_then_courtesy_fund(do: Do) -> None:
    pupil_id = do(pupil_with, 500_00)
    do(eat, pupil_id, 850_00)
    assert do(balances, pupil_id) == (0, 350_00)
    do(eat, pupil_id, 1_700_00)
    assert do(balances, pupil_id) == (0, 1_700_00)
    rows = {row.purpose: row.balance_minor for row in do(ledger.trial_balance, [SCHOOL])}
    assert rows == {
        "cash-desk": 500_00,
        "courtesy-meals": 350_00,
        "grace": 1_700_00,
        "meals-sold": 2_550_00,
        "provider-clearing": 0,
        "purse": 0,
    }


# A top-up is written down before anybody is asked for money


def test_a_wish_is_written_down_and_moves_nothing(do: Do, family: Family, clock: MovableClock) -> None:
    top_up = do(start, family, top_up_id=ID, actor=family.parent)
    assert (top_up.id, top_up.pupil_id, top_up.amount, top_up.stage.value) == (
        ID,
        family.pupil_id,
        Money(5_000_00),
        "pending",
    )
    assert (top_up.intended_by, top_up.intended_at, top_up.language) == (family.parent.id, clock(), "kk")
    assert money_of(do, family) == (0, 0)
    assert recorded(do, "wallet.start_top_up") == 1


def test_the_same_wish_twice_is_one_top_up(do: Do, family: Family) -> None:
    first = do(start, family, top_up_id=ID, actor=family.parent)
    assert do(start, family, top_up_id=ID, actor=family.parent) == first
    assert (count(do, TopUp), recorded(do, "wallet.start_top_up")) == (1, 1)


def test_another_wish_under_the_same_id_is_a_conflict(do: Do, family: Family) -> None:
    first = do(start, family, top_up_id=ID, actor=family.parent)
    with pytest.raises(Conflict, match="top-up-differs"):
        do(start, family, top_up_id=ID, amount_minor=6_000_00, actor=family.parent)
    assert do(wallet.top_ups_of, family.school_id, family.pupil_id) == [first]


def test_a_double_click_is_one_top_up(app: Flask, do: Do, family: Family, clock: MovableClock) -> None:
    def click() -> Any:
        with transaction(family.parent, clock()) as work:
            return start(work, family, top_up_id=ID)

    results = all_at_once(app, [click] * 6)
    assert all(result == results[0] for result in results)
    assert count(do, TopUp) == 1


def test_a_sum_out_of_bounds_is_not_written_down(do: Do, family: Family) -> None:
    with pytest.raises(Invalid, match="amount-too-small"):
        do(start, family, top_up_id=ID, amount_minor=100_00, actor=family.parent)
    assert (count(do, TopUp), count(do, Purse)) == (0, 0)


def test_nobody_tops_up_somebody_elses_pupil(do: Do, family: Family) -> None:
    stranger = actor_of(PersonFactory.create().id)
    for who in (stranger, family.office, SYSTEM):
        with pytest.raises(NotFound):
            do(start, family, top_up_id=ID, actor=who)
    assert count(do, TopUp) == 0


def test_the_providers_page_is_kept_and_not_exchanged(do: Do, family: Family) -> None:
    do(start, family, top_up_id=ID, actor=family.parent)
    page = {"provider": "stripe", "session_id": "cs_1", "url": "https://bank.example/1"}
    kept = do(wallet.keep_checkout, family.school_id, ID, actor=family.parent, **page)
    assert (kept.provider_reference, kept.checkout_url) == ("cs_1", "https://bank.example/1")
    assert do(wallet.keep_checkout, family.school_id, ID, actor=family.parent, **page) == kept
    with pytest.raises(Conflict, match="checkout-differs"):
        do(wallet.keep_checkout, family.school_id, ID, actor=family.parent, **{**page, "session_id": "cs_2"})
    assert do(wallet.top_ups_of, family.school_id, family.pupil_id) == [kept]


# Settling


def test_a_payment_fills_the_purse_once(do: Do, family: Family, clock: MovableClock) -> None:
    do(start, family, top_up_id=ID, actor=family.parent)
    assert do(wallet.settle_top_up, "stripe", paid(ID)) is PaymentOutcome.SETTLED
    assert do(wallet.settle_top_up, "stripe", paid(ID)) is PaymentOutcome.IGNORED
    assert money_of(do, family) == (5_000_00, 0)
    (top_up,) = do(wallet.top_ups_of, family.school_id, family.pupil_id)
    assert (top_up.stage.value, top_up.settled_at, top_up.provider_reference) == ("settled", clock(), "cs_1")
    assert (count(do, ledger.JournalEntry), recorded(do, "wallet.settle_top_up")) == (1, 1)


def test_a_payment_repays_grace_in_the_same_entry(do: Do, family: Family) -> None:
    do(start, family, top_up_id=ID, actor=family.parent)
    do(eat, family.pupil_id, 850_00, school_id=family.school_id)
    assert money_of(do, family) == (0, 850_00)
    do(wallet.settle_top_up, "stripe", paid(ID))
    assert money_of(do, family) == (4_150_00, 0)
    assert count(do, ledger.JournalEntry) == 2


@pytest.mark.parametrize(
    "state",
    [
        paid(ID, 4_999_99),
        paid(ID, 50_000_00),
        paid(ID, amount=Money(5_000_00, "EUR")),
    ],
)
def test_another_sum_is_not_credited_but_noted(do: Do, family: Family, state: PaymentState) -> None:
    do(start, family, top_up_id=ID, actor=family.parent)
    assert do(wallet.settle_top_up, "stripe", state) is PaymentOutcome.AMOUNT_DIFFERS
    assert money_of(do, family) == (0, 0)
    assert (count(do, ledger.JournalEntry), recorded(do, "wallet.refuse_payment")) == (0, 1)


def test_a_payment_of_an_unknown_top_up_credits_nobody(do: Do, family: Family) -> None:
    do(start, family, top_up_id=ID, actor=family.parent)
    assert do(wallet.settle_top_up, "stripe", paid(uuid4())) is PaymentOutcome.UNKNOWN_TOP_UP
    assert do(wallet.settle_top_up, "stripe", paid(None)) is PaymentOutcome.UNKNOWN_TOP_UP
    assert count(do, ledger.JournalEntry) == 0


def test_an_expired_page_ends_the_top_up_and_late_money_still_counts(do: Do, family: Family) -> None:
    do(start, family, top_up_id=ID, actor=family.parent)
    assert do(wallet.settle_top_up, "stripe", paid(ID, status=PaymentStatus.EXPIRED)) is PaymentOutcome.FAILED
    assert do(wallet.top_ups_of, family.school_id, family.pupil_id)[0].stage.value == "expired"
    assert do(wallet.settle_top_up, "stripe", paid(ID)) is PaymentOutcome.SETTLED
    assert do(wallet.top_ups_of, family.school_id, family.pupil_id)[0].stage.value == "settled"
    assert money_of(do, family) == (5_000_00, 0)


def test_a_settled_top_up_cannot_fail_any_more(do: Do, family: Family) -> None:
    do(start, family, top_up_id=ID, actor=family.parent)
    do(wallet.settle_top_up, "stripe", paid(ID))
    assert do(wallet.fail_top_up, family.school_id, ID, code="expired").failed_at is None
    assert recorded(do, "wallet.fail_top_up") == 0


def test_the_same_id_in_two_schools_credits_the_one_that_was_paid(do: Do, family: Family) -> None:
    other = new_family()
    for one, page in ((family, "cs_1"), (other, "cs_2")):
        do(start, one, top_up_id=ID, actor=one.parent)
        do(wallet.keep_checkout, one.school_id, ID, provider="stripe", session_id=page, url="u", actor=one.parent)
    do(wallet.settle_top_up, "stripe", paid(ID, session_id="cs_2"))
    assert (money_of(do, family), money_of(do, other)) == ((0, 0), (5_000_00, 0))


# Events: twice, late, in any order, all at once

STATES = [
    paid(ID, status=PaymentStatus.OPEN),
    paid(ID, status=PaymentStatus.EXPIRED),
    paid(ID),
    paid(ID),
]


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_any_order_of_events_comes_to_the_same(do: Do, family: Family, order: tuple[int, ...]) -> None:
    do(start, family, top_up_id=ID, actor=family.parent)
    for number in (*order, *order):
        do(record_payment_event, "stripe", event(number, ID), STATES[number])
    assert money_of(do, family) == (5_000_00, 0)
    assert do(wallet.top_ups_of, family.school_id, family.pupil_id)[0].stage.value == "settled"
    assert (count(do, PaymentEventSeen), count(do, ledger.JournalEntry)) == (4, 1)


def test_an_event_is_kept_once_and_gets_the_same_answer(do: Do, family: Family) -> None:
    do(start, family, top_up_id=ID, actor=family.parent)
    assert do(record_payment_event, "stripe", event(1, ID), paid(ID)) is PaymentOutcome.SETTLED
    assert do(record_payment_event, "stripe", event(1, ID), paid(ID)) is PaymentOutcome.SETTLED
    assert (count(do, PaymentEventSeen), recorded(do, "wallet.record_payment_event")) == (1, 1)


def test_an_event_without_a_payment_is_kept_and_ignored(do: Do) -> None:
    nothing = event(1, None, EventKind.OTHER, session_id=None, amount=None)
    assert do(record_payment_event, "stripe", nothing, None) is PaymentOutcome.IGNORED
    assert count(do, PaymentEventSeen) == 1


WEBHOOKS: Final = 6
ALL_HAVE_LOOKED: Final = threading.Barrier(WEBHOOKS)


def careless_settle(work: Work, state: PaymentState) -> None:
    """A planted bug: looks without a lock whether the top-up is settled, and does not use its id for the entry."""
    top_up = work.session.scalars(select(TopUp).where(TopUp.id == state.top_up_id)).one()
    ALL_HAVE_LOOKED.wait(timeout=20)
    if top_up.settled_at is None:
        purse = work.session.get_one(Purse, (top_up.school_id, top_up.purse_id))
        state_of = wallet.lock_purses(work, top_up.school_id, [purse.pupil_id])[purse.pupil_id]
        clearing = wallet.school_accounts(work, top_up.school_id).provider_clearing
        movements = fill_movements(state_of, clearing, state.amount)
        ledger.post(work, top_up.school_id, [ledger.Entry(uuid4(), "top-up", movements)])
        work.session.execute(update(TopUp).where(TopUp.id == top_up.id).values(settled_at=work.now))


@pytest.mark.parametrize(
    ("settle", "is_filled_once"),
    [
        pytest.param(lambda work, state: wallet.settle_top_up(work, "stripe", state), True, id="with the lock"),
        pytest.param(careless_settle, False, id="planted bug: no lock, no id"),
    ],
)
def test_six_webhooks_at_once_fill_the_purse_once(
    app: Flask, do: Do, family: Family, clock: MovableClock, settle: Any, is_filled_once: bool
) -> None:
    do(start, family, top_up_id=ID, actor=family.parent)
    do(wallet.school_accounts, family.school_id)

    def hear() -> Any:
        with transaction(SYSTEM, clock()) as work:
            return settle(work, paid(ID))

    all_at_once(app, [hear] * WEBHOOKS)
    assert (money_of(do, family) == (5_000_00, 0)) is is_filled_once


# Cash


def cash(work: Work, family: Family, *, top_up_id: UUID = ID, amount_minor: int = 3_000_00) -> wallet.TopUpFacts:
    return wallet.take_cash(
        work, family.school_id, family.pupil_id, top_up_id=top_up_id, amount_minor=amount_minor, bounds=CASH
    )


def test_cash_fills_the_purse_at_once_and_has_a_number(do: Do, family: Family, clock: MovableClock) -> None:
    do(eat, family.pupil_id, 850_00, school_id=family.school_id)
    receipt = do(cash, family, actor=family.office)
    assert (receipt.receipt_no, receipt.stage.value, receipt.intended_by) == (1, "settled", family.office.id)
    assert receipt.settled_at == clock()
    assert money_of(do, family) == (2_150_00, 0)
    assert do(cash, family, top_up_id=uuid4(), actor=family.office).receipt_no == 2


def test_the_same_cash_twice_is_one_receipt(do: Do, family: Family) -> None:
    first = do(cash, family, actor=family.office)
    assert do(cash, family, actor=family.office) == first
    with pytest.raises(Conflict, match="top-up-differs"):
        do(cash, family, amount_minor=3_001_00, actor=family.office)
    assert money_of(do, family) == (3_000_00, 0)
    assert do(cash, family, top_up_id=uuid4(), actor=family.office).receipt_no == 2


def test_cash_under_the_id_of_a_wish_is_a_conflict(do: Do, family: Family) -> None:
    do(start, family, top_up_id=ID, amount_minor=3_000_00, actor=family.parent)
    with pytest.raises(Conflict, match="top-up-differs"):
        do(cash, family, actor=family.office)
    assert money_of(do, family) == (0, 0)
    assert do(cash, family, top_up_id=uuid4(), actor=family.office).receipt_no == 1


def test_only_the_schools_own_office_takes_cash_and_only_for_its_pupils(do: Do, family: Family) -> None:
    other = new_family()
    for who in (other.office, family.parent, actor_of(PersonFactory.create().id)):
        with pytest.raises(NotFound):
            do(cash, family, actor=who)
    with pytest.raises(NotFound):
        do(
            wallet.take_cash,
            family.school_id,
            other.pupil_id,
            top_up_id=ID,
            amount_minor=3_000_00,
            bounds=CASH,
            actor=family.office,
        )
    assert count(do, TopUp) == 0


def test_a_refused_sum_uses_no_number(do: Do, family: Family) -> None:
    with pytest.raises(Invalid, match="amount-too-large"):
        do(cash, family, amount_minor=100_001_00, actor=family.office)
    assert do(cash, family, actor=family.office).receipt_no == 1


HANDS: Final = 8
ALL_HAVE_READ: Final = threading.Barrier(HANDS)


def careless_number(work: Work, family: Family) -> int:
    """A planted bug: reads the next number without a lock."""
    policy = work.session.get_one(SchoolPolicy, family.school_id)
    number = policy.next_receipt_no
    ALL_HAVE_READ.wait(timeout=20)
    policy.next_receipt_no = number + 1
    return number


@pytest.mark.parametrize(
    ("take", "has_gaps_or_twins"),
    [
        pytest.param(lambda work, family: cash(work, family, top_up_id=uuid4()).receipt_no, False, id="with the lock"),
        pytest.param(careless_number, True, id="planted bug: no lock"),
    ],
)
def test_eight_threads_number_their_receipts_without_a_gap(
    app: Flask, do: Do, family: Family, clock: MovableClock, take: Any, has_gaps_or_twins: bool
) -> None:
    do(wallet.lock_purses, family.school_id, [family.pupil_id])

    def hand_over() -> list[int]:
        numbers = []
        for _ in range(5):
            with transaction(family.office, clock()) as work:
                numbers.append(take(work, family))
        return numbers

    numbers = sorted(number for result in all_at_once(app, [hand_over] * HANDS) for number in result)
    assert (numbers != list(range(1, 41))) is has_gaps_or_twins


# Taking cash back


def take_back(work: Work, family: Family, *, day: datetime, reversal_id: UUID, reason: str = "wrong pupil") -> Any:
    start_of_day = day.replace(hour=0, minute=0)
    return wallet.reverse_cash(
        work,
        family.school_id,
        ID,
        reversal_id=reversal_id,
        reason=reason,
        day_start=start_of_day,
        day_end=start_of_day + timedelta(days=1),
    )


def test_mistaken_cash_is_taken_back_the_same_day(do: Do, family: Family, clock: MovableClock) -> None:
    do(eat, family.pupil_id, 850_00, school_id=family.school_id)
    do(cash, family, actor=family.office)
    clock.move(timedelta(minutes=3))
    back = do(take_back, family, day=clock(), reversal_id=UUID(int=77), actor=family.office)
    assert (back.stage.value, back.reversal_reason, back.reversed_by) == ("reversed", "wrong pupil", family.office.id)
    assert (back.receipt_no, back.reversed_at) == (1, clock())
    assert money_of(do, family) == (0, 850_00)
    assert do(take_back, family, day=clock(), reversal_id=UUID(int=77), actor=family.office) == back
    with pytest.raises(Conflict, match="already-reversed"):
        do(take_back, family, day=clock(), reversal_id=UUID(int=78), actor=family.office)
    assert recorded(do, "wallet.reverse_cash") == 1


def test_spent_cash_is_not_taken_back(do: Do, family: Family, clock: MovableClock) -> None:
    do(cash, family, actor=family.office)
    do(eat, family.pupil_id, 1_00, school_id=family.school_id)
    with pytest.raises(Conflict, match="top-up-spent"):
        do(take_back, family, day=clock(), reversal_id=UUID(int=77), actor=family.office)
    assert money_of(do, family) == (2_999_00, 0)
    assert do(wallet.top_ups_of, family.school_id, family.pupil_id)[0].stage.value == "settled"


def test_yesterdays_cash_and_card_payments_are_not_taken_back(do: Do, family: Family, clock: MovableClock) -> None:
    do(cash, family, actor=family.office)
    clock.move(timedelta(days=1))
    with pytest.raises(NotNow, match="cash-day-over"):
        do(take_back, family, day=clock(), reversal_id=UUID(int=77), actor=family.office)
    assert money_of(do, family) == (3_000_00, 0)


def test_card_payments_and_other_schools_cash_are_not_taken_back(do: Do, family: Family, clock: MovableClock) -> None:
    do(start, family, top_up_id=ID, actor=family.parent)
    do(wallet.settle_top_up, "stripe", paid(ID))
    with pytest.raises(Conflict, match="not-cash"):
        do(take_back, family, day=clock(), reversal_id=UUID(int=77), actor=family.office)
    with pytest.raises(NotFound):
        do(take_back, family, day=clock(), reversal_id=UUID(int=77), actor=new_family().office)
    assert money_of(do, family) == (5_000_00, 0)


# Limits


def test_a_guardian_sets_changes_and_lifts_the_limit(do: Do, family: Family) -> None:
    for limit in (500_00, 0, None):
        do(wallet.set_limit, family.school_id, family.pupil_id, limit, actor=family.parent)
        assert do(wallet.purse_of, family.school_id, family.pupil_id).limit_minor_day == limit
    assert recorded(do, "wallet.set_limit") == 3


def test_nobody_else_sets_a_limit(do: Do, family: Family) -> None:
    for who in (family.office, new_family().parent, SYSTEM):
        with pytest.raises(NotFound):
            do(wallet.set_limit, family.school_id, family.pupil_id, 0, actor=who)
    with pytest.raises(Invalid, match="limit-out-of-range"):
        do(wallet.set_limit, family.school_id, family.pupil_id, -1, actor=family.parent)
    assert do(wallet.purse_of, family.school_id, family.pupil_id).limit_minor_day is None
