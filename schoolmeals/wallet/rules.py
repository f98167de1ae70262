"""What the wallet decides: which money pays a meal, what a top-up does, which sums may be paid in. Pure.

The books' own types come from ``ledger.rules`` and not by the ledger's door, because behind that door is a database.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from schoolmeals.ledger.rules import AccountKind, AccountState, Movement
from schoolmeals.money import Money

DEFAULT_CURRENCY: Final = "KZT"
DEFAULT_GRACE_LIMIT_MINOR: Final = 2 * 850_00
"""Two standard set meals at 850 tenge."""


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
