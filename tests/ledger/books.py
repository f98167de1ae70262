"""A small set of books for tests: one school, a cash desk, some purses."""

from dataclasses import dataclass
from uuid import UUID, uuid4

from schoolmeals import ledger
from schoolmeals.database import Work
from schoolmeals.ledger import AccountKind, Entry, Movement, NewAccount
from schoolmeals.money import Money


@dataclass(frozen=True)
class Books:
    """The ids of the accounts."""

    school_id: UUID
    cash: UUID
    sales: UUID
    purses: tuple[UUID, ...]


def open_books(work: Work, purses: int = 2, school_id: UUID | None = None) -> Books:
    """Open a cash desk, an income account and some purses."""
    books = Books(school_id or uuid4(), uuid4(), uuid4(), tuple(uuid4() for _ in range(purses)))
    accounts = [
        NewAccount(books.cash, AccountKind.ASSET, "cash-desk"),
        NewAccount(books.sales, AccountKind.INCOME, "meals-sold"),
    ]
    accounts += [
        NewAccount(purse, AccountKind.LIABILITY, "purse", owner_id=uuid4(), floor_minor=0) for purse in books.purses
    ]
    ledger.open_accounts(work, books.school_id, accounts)
    return books


def top_up(books: Books, purse: int, minor: int, entry_id: UUID | None = None) -> Entry:
    """An entry that brings ``minor`` into a purse."""
    return Entry(entry_id or uuid4(), "top-up", (Movement(books.cash, books.purses[purse], Money(minor)),))


def sale(books: Books, purse: int, minor: int, entry_id: UUID | None = None) -> Entry:
    """An entry that sells for ``minor`` from a purse."""
    return Entry(entry_id or uuid4(), "sale", (Movement(books.purses[purse], books.sales, Money(minor)),))


def balance(work: Work, books: Books, account_id: UUID) -> int:
    """An account's balance, under its lock."""
    return ledger.lock(work, books.school_id, [account_id])[account_id].balance_minor
