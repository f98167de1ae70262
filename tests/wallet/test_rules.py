"""The wallet's decisions, without a database."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schoolmeals.errors import Conflict, Invalid, NotNow
from schoolmeals.ledger import AccountKind, AccountState, Movement
from schoolmeals.money import Money
from schoolmeals.wallet.payments import PaymentStatus
from schoolmeals.wallet.rules import (
    PaymentOutcome,
    PurseState,
    SchoolAccounts,
    Shares,
    TopUpFacts,
    TopUpStage,
    charge_movements,
    fill_movements,
    named_top_up,
    payment_outcome,
    require_amount,
    require_limit,
    require_reversible,
    waterfall,
)
from tests.factories.wallet import BOUNDS, KZT, paid

NOW = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
MONEY_ID, GRACE_ID, SOURCE_ID = UUID(int=11), UUID(int=12), UUID(int=13)
ACCOUNTS = SchoolAccounts(UUID(int=21), UUID(int=22), UUID(int=23), UUID(int=24))
sums = st.integers(min_value=0, max_value=10**9)


def purse(money_minor: int, grace_minor: int, limit_minor: int = 170_000) -> PurseState:
    money = AccountState(MONEY_ID, AccountKind.LIABILITY, "purse", UUID(int=2), KZT, 0, money_minor, 1, 0, None)
    debits, credits = max(grace_minor, 0), max(-grace_minor, 0)
    grace = AccountState(GRACE_ID, AccountKind.ASSET, "grace", UUID(int=2), KZT, debits, credits, 1, None, limit_minor)
    return PurseState(UUID(int=1), UUID(int=2), money, grace, None)


def top_up(**changes: Any) -> TopUpFacts:
    facts = TopUpFacts(
        school_id=UUID(int=1),
        id=UUID(int=5),
        purse_id=UUID(int=6),
        pupil_id=UUID(int=2),
        amount_minor=5_000_00,
        currency=KZT,
        method="hosted-page",
        intended_by=UUID(int=7),
        intended_at=NOW,
    )
    return replace(facts, **changes)


# The order of purses: the purse, then grace, then the courtesy fund


@pytest.mark.parametrize(
    ("money", "grace_left", "shares"),
    [
        (850_00, 1700_00, Shares(850_00, 0, 0)),
        (300_00, 1700_00, Shares(300_00, 550_00, 0)),
        (0, 1700_00, Shares(0, 850_00, 0)),
        (300_00, 200_00, Shares(300_00, 200_00, 350_00)),
        (0, 0, Shares(0, 0, 850_00)),
    ],
)
def test_a_set_meal_is_always_paid_by_somebody(money: int, grace_left: int, shares: Shares) -> None:
    assert waterfall(850_00, money_minor=money, grace_left_minor=grace_left, may_use_grace=True) == shares


def test_a_buffet_item_is_paid_by_the_purse_alone() -> None:
    def bun(money_minor: int) -> Shares | None:
        return waterfall(200_00, money_minor=money_minor, grace_left_minor=1700_00, may_use_grace=False)

    assert bun(200_00) == Shares(200_00, 0, 0)
    assert bun(199_99) is None


def test_what_costs_nothing_moves_nothing() -> None:
    shares = waterfall(0, money_minor=0, grace_left_minor=0, may_use_grace=False)
    assert shares == Shares(0, 0, 0)
    assert charge_movements(shares, purse(0, 0), ACCOUNTS, KZT) == ()


@given(total=sums, money=sums, grace_left=sums)
def test_the_shares_of_a_set_meal_add_up_and_stay_within_their_purses(total: int, money: int, grace_left: int) -> None:
    shares = waterfall(total, money_minor=money, grace_left_minor=grace_left, may_use_grace=True)
    assert shares is not None
    assert shares.total_minor == total
    assert 0 <= shares.money_minor <= money
    assert 0 <= shares.grace_minor <= grace_left
    assert shares.grace_minor == 0 or shares.money_minor == money
    assert shares.courtesy_minor == 0 or shares.grace_minor == grace_left


def test_each_share_is_one_movement_into_meals_sold() -> None:
    movements = charge_movements(Shares(300_00, 200_00, 350_00), purse(300_00, 1500_00), ACCOUNTS, KZT)
    assert movements == (
        Movement(MONEY_ID, ACCOUNTS.meals_sold, Money(300_00)),
        Movement(GRACE_ID, ACCOUNTS.meals_sold, Money(200_00)),
        Movement(ACCOUNTS.courtesy_meals, ACCOUNTS.meals_sold, Money(350_00)),
    )


@pytest.mark.parametrize(("lent", "left"), [(0, 170_000), (150_000, 20_000), (170_000, 0), (-50_000, 220_000)])
def test_grace_lends_up_to_the_schools_limit(lent: int, left: int) -> None:
    assert purse(0, lent).grace_left_minor == left


# Filling a purse


def test_a_top_up_fills_the_purse() -> None:
    assert fill_movements(purse(100_00, 0), SOURCE_ID, Money(5_000_00)) == (
        Movement(SOURCE_ID, MONEY_ID, Money(5_000_00)),
    )


@pytest.mark.parametrize(("lent", "repaid"), [(550_00, 550_00), (6_000_00, 5_100_00)])
def test_a_top_up_repays_grace_as_far_as_it_goes(lent: int, repaid: int) -> None:
    assert fill_movements(purse(100_00, lent, 10_000_00), SOURCE_ID, Money(5_000_00)) == (
        Movement(SOURCE_ID, MONEY_ID, Money(5_000_00)),
        Movement(MONEY_ID, GRACE_ID, Money(repaid)),
    )


def test_what_an_undone_sale_left_with_grace_goes_back_to_the_purse() -> None:
    assert fill_movements(purse(0, -550_00), SOURCE_ID, Money(5_000_00)) == (
        Movement(SOURCE_ID, MONEY_ID, Money(5_000_00)),
        Movement(GRACE_ID, MONEY_ID, Money(550_00)),
    )


@given(money=sums, lent=st.integers(min_value=-(10**9), max_value=10**9), amount=st.integers(1, 10**9))
def test_a_top_up_raises_the_balance_by_its_amount_and_leaves_grace_or_money_at_nothing(
    money: int, lent: int, amount: int
) -> None:
    balances = {SOURCE_ID: 0, MONEY_ID: -money, GRACE_ID: lent}
    for movement in fill_movements(purse(money, lent, 10**10), SOURCE_ID, Money(amount)):
        balances[movement.debit_id] += movement.amount.minor
        balances[movement.credit_id] -= movement.amount.minor
    money_after, lent_after = -balances[MONEY_ID], balances[GRACE_ID]
    assert money_after - lent_after == money - lent + amount
    assert money_after >= 0
    assert lent_after >= 0
    assert money_after == 0 or lent_after == 0


# How a top-up stands


@pytest.mark.parametrize(
    ("changes", "stage"),
    [
        ({}, TopUpStage.PENDING),
        ({"failed_at": NOW, "failure_code": "insufficient-funds"}, TopUpStage.FAILED),
        ({"failed_at": NOW, "failure_code": "expired"}, TopUpStage.EXPIRED),
        ({"settled_at": NOW}, TopUpStage.SETTLED),
        ({"settled_at": NOW, "failed_at": NOW, "failure_code": "expired"}, TopUpStage.SETTLED),
        ({"settled_at": NOW, "reversed_at": NOW, "reversal_id": UUID(int=9)}, TopUpStage.REVERSED),
    ],
)
def test_the_stage_is_read_from_what_happened(changes: dict[str, Any], stage: TopUpStage) -> None:
    assert top_up(**changes).stage is stage


@pytest.mark.parametrize(
    ("facts", "state", "outcome"),
    [
        (top_up(), paid(UUID(int=5)), PaymentOutcome.SETTLED),
        (top_up(failed_at=NOW, failure_code="expired"), paid(UUID(int=5)), PaymentOutcome.SETTLED),
        (top_up(settled_at=NOW), paid(UUID(int=5)), PaymentOutcome.IGNORED),
        (top_up(), paid(UUID(int=5), 4_999_99), PaymentOutcome.AMOUNT_DIFFERS),
        (top_up(), paid(UUID(int=5), amount=Money(5_000_00, "EUR")), PaymentOutcome.AMOUNT_DIFFERS),
        (top_up(), paid(UUID(int=6)), PaymentOutcome.AMOUNT_DIFFERS),
        (None, paid(UUID(int=5)), PaymentOutcome.UNKNOWN_TOP_UP),
        (top_up(), paid(UUID(int=5), status=PaymentStatus.OPEN), PaymentOutcome.IGNORED),
        (top_up(), paid(UUID(int=5), status=PaymentStatus.PROCESSING), PaymentOutcome.IGNORED),
        (top_up(), paid(UUID(int=5), status=PaymentStatus.EXPIRED), PaymentOutcome.FAILED),
        (top_up(), paid(UUID(int=5), status=PaymentStatus.FAILED), PaymentOutcome.FAILED),
        (top_up(failed_at=NOW), paid(UUID(int=5), status=PaymentStatus.FAILED), PaymentOutcome.IGNORED),
        (top_up(settled_at=NOW), paid(UUID(int=5), status=PaymentStatus.EXPIRED), PaymentOutcome.IGNORED),
    ],
)
def test_only_a_whole_payment_of_the_very_sum_settles_once(
    facts: TopUpFacts | None, state: Any, outcome: PaymentOutcome
) -> None:
    assert payment_outcome(facts, state) is outcome


def test_the_providers_reference_says_which_top_up_is_meant() -> None:
    mine = top_up(provider_reference="cs_1")
    others = top_up(school_id=UUID(int=2), provider_reference="cs_2")
    early = top_up(school_id=UUID(int=3))
    state = paid(UUID(int=5))
    assert named_top_up([others, early, mine], state) is mine
    assert named_top_up([others, early], state) is early
    assert named_top_up([others], state) is None
    assert named_top_up([early, replace(early, school_id=UUID(int=4))], state) is None
    assert named_top_up([replace(early, method="cash-desk")], state) is None


# Sums


@pytest.mark.parametrize("amount", [500_00, 600_00, 100_000_00])
def test_a_sum_within_the_bounds_passes(amount: int) -> None:
    require_amount(amount, BOUNDS, KZT)


@pytest.mark.parametrize(
    ("amount", "code", "fact"),
    [
        (499_00, "amount-too-small", {"least": "500"}),
        (0, "amount-too-small", {"least": "500"}),
        (-5_000_00, "amount-too-small", {"least": "500"}),
        (100_100_00, "amount-too-large", {"most": "100\u00a0000"}),
        (5_050_00, "amount-not-round", {"step": "100"}),
    ],
)
def test_another_sum_is_refused_with_what_would_do(amount: int, code: str, fact: dict[str, str]) -> None:
    with pytest.raises(Invalid) as refused:
        require_amount(amount, BOUNDS, KZT)
    assert refused.value.code == code
    (problem,) = refused.value.fields["amount"]
    assert (problem.code, problem.params) == (code, fact)


@pytest.mark.parametrize("limit", [None, 0, 500_00, 100_000_00])
def test_a_limit_may_be_anything_sensible(limit: int | None) -> None:
    require_limit(limit)


@pytest.mark.parametrize("limit", [-1, 100_000_01])
def test_another_limit_is_refused(limit: int) -> None:
    with pytest.raises(Invalid) as refused:
        require_limit(limit)
    assert list(refused.value.fields) == ["limit"]


def test_only_todays_cash_can_be_taken_back() -> None:
    day = {"day_start": NOW - timedelta(hours=7), "day_end": NOW + timedelta(hours=17)}
    cash = top_up(method="cash-desk", settled_at=NOW)
    require_reversible(cash, **day)
    with pytest.raises(Conflict, match="not-cash"):
        require_reversible(top_up(settled_at=NOW), **day)
    for other in (NOW - timedelta(days=1), NOW + timedelta(hours=17)):
        with pytest.raises(NotNow, match="cash-day-over"):
            require_reversible(replace(cash, settled_at=other), **day)


def test_a_page_may_be_asked_for_while_the_provider_would_still_keep_it_long_enough() -> None:
    assert top_up().may_still_be_opened(NOW + timedelta(minutes=25))
    assert not top_up().may_still_be_opened(NOW + timedelta(minutes=25, seconds=1))
    assert not top_up(failed_at=NOW).may_still_be_opened(NOW)
