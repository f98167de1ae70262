"""Purses and money for tests. ``do`` is the fixture that runs one deed in a transaction of its own."""

from typing import Any, Final
from uuid import UUID, uuid4

from schoolmeals import ledger, wallet
from schoolmeals.database import Work
from schoolmeals.money import Money
from tests.factories.pupils import PupilFactory

SCHOOL: Final = UUID(int=1)
OTHER_SCHOOL: Final = UUID(int=2)
KZT: Final = "KZT"


def new_pupil(school_id: UUID = SCHOOL, **facts: Any) -> UUID:
    """The id of a pupil on the roll of a school, without a class, a card, a guardian or a purse."""
    return PupilFactory.create(school_id=school_id, **facts).id


def pupil_with(work: Work, money_minor: int = 0, *, school_id: UUID = SCHOOL) -> UUID:
    """A new pupil whose purse holds ``money_minor``."""
    pupil_id = new_pupil(school_id)
    put_in(work, pupil_id, money_minor, school_id=school_id)
    return pupil_id


def put_in(work: Work, pupil_id: UUID, amount_minor: int, *, school_id: UUID = SCHOOL) -> None:
    """Put cash into a purse by the books alone, without a receipt and without repaying anything."""
    purse = wallet.lock_purses(work, school_id, [pupil_id])[pupil_id]
    accounts = wallet.school_accounts(work, school_id)
    if amount_minor:
        movement = ledger.Movement(accounts.cash_desk, purse.money.id, Money(amount_minor, KZT))
        ledger.post(work, school_id, [ledger.Entry(uuid4(), "top-up", (movement,))])


def balances(work: Work, pupil_id: UUID, *, school_id: UUID = SCHOOL) -> tuple[int, int]:
    """What is in the purse, and what grace has lent, in minor units."""
    purse = wallet.lock_purses(work, school_id, [pupil_id])[pupil_id]
    return purse.money.balance_minor, purse.grace.balance_minor


def eat(
    work: Work, pupil_id: UUID, total_minor: int, *, school_id: UUID = SCHOOL, entry_id: UUID | None = None
) -> UUID:
    """Pay a set meal from purse, grace and courtesy fund, as the till does, and give the entry's id."""
    purse = wallet.lock_purses(work, school_id, [pupil_id])[pupil_id]
    accounts = wallet.school_accounts(work, school_id)
    shares = wallet.waterfall(
        total_minor,
        money_minor=purse.money.balance_minor,
        grace_left_minor=purse.grace_left_minor,
        may_use_grace=True,
    )
    assert shares is not None
    entry = ledger.Entry(entry_id or uuid4(), "sale", wallet.charge_movements(shares, purse, accounts, KZT))
    ledger.post(work, school_id, [entry])
    return entry.id
