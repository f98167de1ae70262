"""What the books allow, and how a list of entries plays out on a set of accounts. Pure: no session, no clock."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from schoolmeals.errors import N_, Conflict
from schoolmeals.money import Money


class AccountKind(StrEnum):
    ASSET = "asset"
    LIABILITY = "liability"
    INCOME = "income"
    EXPENSE = "expense"

    @property
    def grows_by_debit(self) -> bool:
        """Assets and expenses grow on the debit side, liabilities and income on the credit side."""
        return self in (AccountKind.ASSET, AccountKind.EXPENSE)


@dataclass(frozen=True, slots=True)
class NewAccount:
    """An account to be opened. ``floor_minor`` and ``ceiling_minor`` bound the balance on its natural side."""

    id: UUID
    kind: AccountKind
    purpose: str
    owner_id: UUID | None = None
    currency: str = "KZT"
    floor_minor: int | None = None
    ceiling_minor: int | None = None


@dataclass(frozen=True, slots=True)
class AccountState:
    """An account at one moment; minor units, balance on the natural side."""

    id: UUID
    kind: AccountKind
    purpose: str
    owner_id: UUID | None
    currency: str
    debits_minor: int
    credits_minor: int
    version: int
    floor_minor: int | None
    ceiling_minor: int | None

    @property
    def balance_minor(self) -> int:
        difference = self.debits_minor - self.credits_minor
        return difference if self.kind.grows_by_debit else -difference

    def debited(self, amount_minor: int) -> "AccountState":
        return self._moved(self.debits_minor + amount_minor, self.credits_minor)

    def credited(self, amount_minor: int) -> "AccountState":
        return self._moved(self.debits_minor, self.credits_minor + amount_minor)

    def _moved(self, debits_minor: int, credits_minor: int) -> "AccountState":
        return AccountState(
            self.id,
            self.kind,
            self.purpose,
            self.owner_id,
            self.currency,
            debits_minor,
            credits_minor,
            self.version + 1,
            self.floor_minor,
            self.ceiling_minor,
        )

    @property
    def is_within_bounds(self) -> bool:
        balance = self.balance_minor
        above_floor = self.floor_minor is None or balance >= self.floor_minor
        return above_floor and (self.ceiling_minor is None or balance <= self.ceiling_minor)


@dataclass(frozen=True, slots=True)
class Movement:
    """``amount`` (more than nothing) from the credit account's side to the debit account's side."""

    debit_id: UUID
    credit_id: UUID
    amount: Money

    def __post_init__(self) -> None:
        assert self.amount.minor > 0, "a movement moves something"
        assert self.debit_id != self.credit_id, "a movement has two ends"

    @property
    def ends(self) -> tuple[UUID, UUID]:
        """Both accounts."""
        return self.debit_id, self.credit_id


@dataclass(frozen=True, slots=True)
class Entry:
    """A journal entry to be posted. ``id`` is made by whoever caused it, so that sending it twice is sending it
    once.
    """

    id: UUID
    kind: str
    movements: tuple[Movement, ...]
    reverses_id: UUID | None = None

    @property
    def content_hash(self) -> bytes:
        """SHA-256 over everything but the id: equal exactly for equal content."""
        lines = [f"{self.kind}|{self.reverses_id}"]
        lines += [f"{m.debit_id}|{m.credit_id}|{m.amount.minor}|{m.amount.currency}" for m in self.movements]
        return hashlib.sha256("\n".join(lines).encode()).digest()


class PlannedPosting(NamedTuple):
    """A posting as it will be written. What its accounts come to is told from their ends: how much each will still
    gain afterwards (debits less credits), and how often.
    """

    entry_id: UUID
    line: int
    debit_id: UUID
    credit_id: UUID
    amount_minor: int
    currency: str
    debit_rest_minor: int
    credit_rest_minor: int
    debit_times_left: int
    credit_times_left: int


@dataclass(slots=True)
class Gain:
    """What an account gains by some postings, and how many of them touch it."""

    debits_minor: int = 0
    credits_minor: int = 0
    times: int = 0

    @property
    def difference_minor(self) -> int:
        return self.debits_minor - self.credits_minor


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One line of an account's statement. ``change_minor`` has the sign of the balance's change."""

    entry_id: UUID
    kind: str
    at: datetime
    change_minor: int
    balance_after_minor: int
    counter_purpose: str
    reverses_id: UUID | None


@dataclass(frozen=True, slots=True)
class TrialBalanceRow:
    """The sum of all accounts of one purpose; minor units."""

    purpose: str
    kind: AccountKind
    currency: str
    accounts: int
    debits_minor: int
    credits_minor: int
    balance_minor: int


def play(entries: Iterable[Entry], accounts: Mapping[UUID, AccountState]) -> dict[UUID, AccountState]:
    """The accounts after ``entries`` in their order.

    Raises Conflict ``out-of-bounds`` where an account would leave its floor or ceiling at any step.
    """
    states = dict(accounts)
    for entry in entries:
        for movement in entry.movements:
            amount = movement.amount
            debit, credit = states[movement.debit_id], states[movement.credit_id]
            assert debit.currency == credit.currency == amount.currency, "one movement, one currency"
            debit, credit = debit.debited(amount.minor), credit.credited(amount.minor)
            for state in (debit, credit):
                if not state.is_within_bounds:
                    raise Conflict(
                        "out-of-bounds",
                        N_("There is not enough on the account for this."),
                        account_id=state.id,
                        purpose=state.purpose,
                    )
            states[movement.debit_id], states[movement.credit_id] = debit, credit
    return states


def plan(entries: Sequence[Entry]) -> tuple[list[PlannedPosting], dict[UUID, Gain]]:
    """The postings of ``entries``, the last first, and what each account gains by them."""
    gains: dict[UUID, Gain] = {}
    planned: list[PlannedPosting] = []
    for entry in reversed(entries):
        assert entry.movements, "an entry without a movement says nothing"
        for line in reversed(range(len(entry.movements))):
            movement = entry.movements[line]
            amount, debit_id, credit_id = movement.amount, movement.debit_id, movement.credit_id
            debit, credit = gains.setdefault(debit_id, Gain()), gains.setdefault(credit_id, Gain())
            rests = (debit.difference_minor, credit.difference_minor, debit.times, credit.times)
            planned.append(PlannedPosting(entry.id, line, debit_id, credit_id, amount.minor, amount.currency, *rests))
            debit.debits_minor += amount.minor
            credit.credits_minor += amount.minor
            debit.times += 1
            credit.times += 1
    return planned, gains


def mirrored(movements: Sequence[Movement]) -> tuple[Movement, ...]:
    """The movements that undo ``movements``: last first, debit and credit exchanged."""
    return tuple(Movement(m.credit_id, m.debit_id, m.amount) for m in reversed(movements))
