"""What the wallet decides: which money pays a meal, what a top-up does, which sums may be paid in. Pure.

The books' own types come from ``ledger.rules`` and not by the ledger's door, because behind that door is a database.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from schoolmeals.errors import N_, Conflict, FieldProblem, Invalid, NotNow
from schoolmeals.ledger.rules import AccountKind, AccountState, Movement
from schoolmeals.money import MINOR_DIGITS, Money
from schoolmeals.verdicts import Refused, first_refusal
from schoolmeals.wallet.payments import PaymentState, PaymentStatus

DEFAULT_CURRENCY: Final = "KZT"
DEFAULT_GRACE_LIMIT_MINOR: Final = 2 * 850_00
"""Two standard set meals at 850 tenge."""
LARGEST_LIMIT_MINOR: Final = 100_000_00
LARGEST_GRACE_LIMIT_MINOR: Final = 20_000_00


# Purses and what pays a meal


@dataclass(frozen=True, slots=True)
class PurseState:
    """A purse whose two accounts are locked for this deed."""

    purse_id: UUID
    pupil_id: UUID
    money: AccountState
    grace: AccountState
    limit_minor_day: int | None

    @property
    def grace_left_minor(self) -> int:
        """How much of a set meal grace may still lend."""
        return max(0, (self.grace.ceiling_minor or 0) - self.grace.balance_minor)


@dataclass(frozen=True, slots=True)
class PolicyFacts:
    """What a school decides about money. ``changed_at`` is None where nobody has touched the defaults."""

    school_id: UUID
    grace_limit_minor: int
    currency: str
    changed_at: datetime | None


@dataclass(frozen=True, slots=True)
class GraceUse:
    """How many pupils of a school have meals to be paid later, for how much in all, and the most of one pupil."""

    pupils: int
    total_minor: int
    most_minor: int


@dataclass(frozen=True, slots=True)
class SchoolAccounts:
    """The ids of a school's own accounts."""

    meals_sold: UUID
    courtesy_meals: UUID
    cash_desk: UUID
    provider_clearing: UUID


SCHOOL_ACCOUNT_KINDS: Final[Mapping[str, AccountKind]] = {
    "meals-sold": AccountKind.INCOME,
    "courtesy-meals": AccountKind.EXPENSE,
    "cash-desk": AccountKind.ASSET,
    "provider-clearing": AccountKind.ASSET,
}
"""Purpose and kind of the accounts that every school has."""


@dataclass(frozen=True, slots=True)
class Shares:
    """Who pays which part of one sale; minor units, adding up to its total."""

    money_minor: int
    grace_minor: int = 0
    courtesy_minor: int = 0

    @property
    def total_minor(self) -> int:
        return self.money_minor + self.grace_minor + self.courtesy_minor


def waterfall(total_minor: int, *, money_minor: int, grace_left_minor: int, may_use_grace: bool) -> Shares | None:
    """Who pays ``total_minor``: the purse first, then grace, then the school's courtesy fund.

    A set meal (``may_use_grace``) is always paid by somebody. A buffet item is paid by the purse alone, and the answer
    is None where the purse does not cover it.
    """
    assert total_minor >= 0, "a sale does not pay the buyer"
    if not may_use_grace:
        return Shares(total_minor) if total_minor <= money_minor else None
    from_money = min(total_minor, max(0, money_minor))
    from_grace = min(total_minor - from_money, max(0, grace_left_minor))
    return Shares(from_money, from_grace, total_minor - from_money - from_grace)


def charge_movements(
    shares: Shares, purse: PurseState, accounts: SchoolAccounts, currency: str
) -> tuple[Movement, ...]:
    """The movements of a sale that is paid by ``shares``; none for a sale that costs nothing."""
    payers = (
        (purse.money.id, shares.money_minor),
        (purse.grace.id, shares.grace_minor),
        (accounts.courtesy_meals, shares.courtesy_minor),
    )
    return tuple(Movement(payer, accounts.meals_sold, Money(part, currency)) for payer, part in payers if part)


def fill_movements(purse: PurseState, source_id: UUID, amount: Money) -> tuple[Movement, ...]:
    """The movements of a top-up: ``amount`` from ``source_id`` fills the purse, and the purse repays grace.

    Where an undone sale has left grace with more than it lent, that goes back to the purse instead.
    """
    repaid = min(purse.grace.balance_minor, purse.money.balance_minor + amount.minor)
    fill = Movement(source_id, purse.money.id, amount)
    if repaid > 0:
        return (fill, Movement(purse.money.id, purse.grace.id, Money(repaid, amount.currency)))
    if repaid < 0:
        return (fill, Movement(purse.grace.id, purse.money.id, Money(-repaid, amount.currency)))
    return (fill,)


@dataclass(frozen=True, slots=True)
class PurseFacts:
    """A purse as people see it at ``as_of``; minor units. The balance is the money less what grace has lent."""

    purse_id: UUID | None
    """None where the pupil never needed a purse yet."""
    pupil_id: UUID
    money_minor: int
    grace_minor: int
    limit_minor_day: int | None
    currency: str
    as_of: datetime

    @property
    def balance_minor(self) -> int:
        return self.money_minor - self.grace_minor


# Top-ups

CHECKOUT_SPAN: Final = timedelta(hours=1)
"""How long the provider's page waits for the payer, from the moment of the intent."""
CHECKOUT_RETRY_SPAN: Final = timedelta(minutes=25)
"""How long after the intent its page may still be asked for: the provider wants to keep it for 30 minutes at least."""
LOST_AFTER: Final = timedelta(minutes=10)
"""A pending top-up that is older is looked up at the provider: its webhook may have been lost."""


class TopUpStage(StrEnum):
    """How a top-up stands. Only SETTLED has filled the purse."""

    PENDING = "pending"
    SETTLED = "settled"
    FAILED = "failed"
    EXPIRED = "expired"
    REVERSED = "reversed"


@dataclass(frozen=True, slots=True, kw_only=True)
class TopUpFacts:
    """A top-up as it is stored, with the pupil whose purse it fills. Times are UTC, the amount is in minor units."""

    school_id: UUID
    id: UUID
    purse_id: UUID
    pupil_id: UUID
    amount_minor: int
    currency: str
    method: str
    intended_by: UUID | None
    intended_at: datetime
    language: str | None = None
    provider: str | None = None
    provider_reference: str | None = None
    checkout_url: str | None = None
    receipt_no: int | None = None
    settled_at: datetime | None = None
    failed_at: datetime | None = None
    failure_code: str | None = None
    reversed_at: datetime | None = None
    reversal_id: UUID | None = None
    reversed_by: UUID | None = None
    reversal_reason: str | None = None

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)

    @property
    def stage(self) -> TopUpStage:
        """Money that came late counts: a settled top-up is settled, whatever was heard of it before."""
        if self.reversed_at is not None:
            return TopUpStage.REVERSED
        if self.settled_at is not None:
            return TopUpStage.SETTLED
        if self.failed_at is not None:
            return TopUpStage.EXPIRED if self.failure_code == "expired" else TopUpStage.FAILED
        return TopUpStage.PENDING

    def is_same_wish(self, pupil_id: UUID, amount_minor: int, method: str) -> bool:
        """Whether somebody who sends this id again wants the same as before."""
        return (self.pupil_id, self.amount_minor, self.method) == (pupil_id, amount_minor, method)

    def may_still_be_opened(self, now: datetime) -> bool:
        """Whether the provider can still be asked for a page to pay this on."""
        return self.stage is TopUpStage.PENDING and now <= self.intended_at + CHECKOUT_RETRY_SPAN


@dataclass(frozen=True, slots=True)
class TopUpBounds:
    """Which sums may be paid in; minor units."""

    least_minor: int
    most_minor: int
    step_minor: int


@dataclass(frozen=True, slots=True)
class WishedAmount:
    """A sum that somebody wants to pay in, and the bounds for it."""

    amount_minor: int
    bounds: TopUpBounds
    currency: str

    def shown(self, minor: int) -> str:
        """A bound in whole units, to be put into a sentence."""
        return f"{minor // 10 ** MINOR_DIGITS[self.currency]:,}".replace(",", "\u00a0")


def amount_is_enough(wish: WishedAmount) -> Refused | None:
    """Below the least sum the bank's own cost would eat the payment."""
    if wish.amount_minor >= wish.bounds.least_minor:
        return None
    sentence = N_("The smallest top-up is %(least)s ₸. Choose a larger sum.")
    return Refused("amount-too-small", sentence, {"least": wish.shown(wish.bounds.least_minor)})


def amount_is_not_too_much(wish: WishedAmount) -> Refused | None:
    """A purse is for meals, not for savings; and a slipped digit is caught here."""
    if wish.amount_minor <= wish.bounds.most_minor:
        return None
    sentence = N_("The largest top-up is %(most)s ₸. Choose a smaller sum.")
    return Refused("amount-too-large", sentence, {"most": wish.shown(wish.bounds.most_minor)})


def amount_is_in_whole_steps(wish: WishedAmount) -> Refused | None:
    """Round sums are easier to find again on a bank statement."""
    if wish.amount_minor % wish.bounds.step_minor == 0:
        return None
    sentence = N_("Choose a round sum: a multiple of %(step)s ₸.")
    return Refused("amount-not-round", sentence, {"step": wish.shown(wish.bounds.step_minor)})


AMOUNT_RULES: Final = (amount_is_enough, amount_is_not_too_much, amount_is_in_whole_steps)


def require_amount(amount_minor: int, bounds: TopUpBounds, currency: str) -> None:
    """Raise Invalid with the field ``amount`` where the sum may not be paid in."""
    refused = first_refusal(AMOUNT_RULES, WishedAmount(amount_minor, bounds, currency))
    if refused is not None:
        problem = FieldProblem(refused.code, refused.sentence, refused.facts)
        raise Invalid(refused.code, refused.sentence, fields={"amount": [problem]}, **refused.facts)


class PaymentOutcome(StrEnum):
    """What hearing of a payment came to. The values are stored with the event."""

    SETTLED = "settled"
    FAILED = "failed"
    IGNORED = "ignored"
    AMOUNT_DIFFERS = "amount-differs"
    UNKNOWN_TOP_UP = "unknown-top-up"


def payment_outcome(top_up: TopUpFacts | None, state: PaymentState) -> PaymentOutcome:
    """What the provider's word about a payment means for the top-up that it names, whose row is locked.

    Only a whole payment of the very sum fills a purse, and only once. A payment that was heard to have failed and is
    paid after all fills it too: the money is there.
    """
    if top_up is None:
        return PaymentOutcome.UNKNOWN_TOP_UP
    if top_up.settled_at is not None:
        return PaymentOutcome.IGNORED
    if state.status is PaymentStatus.PAID:
        pays = state.pays(top_up.id, top_up.amount)
        return PaymentOutcome.SETTLED if pays else PaymentOutcome.AMOUNT_DIFFERS
    has_ended = state.status in (PaymentStatus.FAILED, PaymentStatus.EXPIRED)
    return PaymentOutcome.FAILED if has_ended and top_up.failed_at is None else PaymentOutcome.IGNORED


def named_top_up(candidates: Sequence[TopUpFacts], state: PaymentState) -> TopUpFacts | None:
    """The top-up that a payment pays, among those with the id that the payment names.

    The provider's reference decides. A top-up without one may have been overtaken by its webhook: it is taken where
    nothing else could be meant.
    """
    for top_up in candidates:
        if top_up.provider_reference == state.session_id:
            return top_up
    unreferenced = [one for one in candidates if one.provider_reference is None and one.method == "hosted-page"]
    return unreferenced[0] if len(unreferenced) == 1 else None


def require_reversible(top_up: TopUpFacts, *, day_start: datetime, day_end: datetime) -> None:
    """Raise where a top-up cannot be taken back over the cash desk: only cash, only on the day it was taken."""
    if top_up.method != "cash-desk":
        raise Conflict("not-cash", N_("Only a cash top-up can be taken back at the cash desk."))
    if top_up.settled_at is None or not day_start <= top_up.settled_at < day_end:
        raise NotNow(
            "cash-day-over", N_("Cash can be taken back on the same day only. Ask the city administrator for help.")
        )


def require_grace_limit(limit_minor: int) -> None:
    """Raise Invalid ``grace-limit-unusable`` for a limit that makes no sense."""
    if not 0 <= limit_minor <= LARGEST_GRACE_LIMIT_MINOR:
        sentence = N_("Write a sum between 0 and 20,000, or 0 where no meal is to be paid later.")
        raise Invalid("grace-limit-unusable", fields={"limit": [FieldProblem.of("grace-limit-unusable", sentence)]})


def grace_used(beyond: Mapping[str, Any], currency: str) -> Conflict:
    """The refusal of a grace limit that is less than some pupils have used; ``beyond`` is the ledger's account."""
    sentence = N_(
        "Pupils who have used more than that already: %(pupils)s. The most is %(furthest)s %(currency)s. Set at least "
        "that much, or wait until it is paid."
    )
    whole = -(-int(beyond["furthest_minor"]) // int(10 ** MINOR_DIGITS[currency]))
    return Conflict("grace-used", sentence, pupils=beyond["accounts"], furthest=whole, currency=currency)


def require_limit(limit_minor_day: int | None) -> None:
    """Raise Invalid with the field ``limit`` where a daily limit makes no sense."""
    if limit_minor_day is not None and not 0 <= limit_minor_day <= LARGEST_LIMIT_MINOR:
        sentence = N_("Write a daily limit from 0 to 100 000 ₸, or leave it empty for no limit.")
        raise Invalid(
            "limit-out-of-range", sentence, fields={"limit": [FieldProblem.of("limit-out-of-range", sentence)]}
        )
