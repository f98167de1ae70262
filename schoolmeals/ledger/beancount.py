"""The books as a plain-text file that beancount reads, so that somebody else's program can add them up.

Every account becomes ``Liabilities:Purse:<id>`` and the like, every entry a transaction, and at the end each account's
balance is asserted: ``bean-check`` fails where it comes to another sum than we did.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import func, select, true

from schoolmeals.database import Work
from schoolmeals.ledger.models import Account, JournalEntry, Posting
from schoolmeals.money import MINOR_DIGITS
from schoolmeals.workdays import local_day

ROOTS: Final = {"asset": "Assets", "liability": "Liabilities", "income": "Income", "expense": "Expenses"}
FETCH_ROWS: Final = 5_000


def export(work: Work, zone: ZoneInfo, school_ids: frozenset[UUID] | None = None) -> Iterator[str]:
    """The lines of the file. Days are those of ``zone``; all schools where ``school_ids`` is None."""
    of_schools = true() if school_ids is None else Account.school_id.in_(school_ids)
    accounts = list(work.session.scalars(select(Account).where(of_schools).order_by(Account.school_id, Account.id)))
    names = {(account.school_id, account.id): name_of(account) for account in accounts}
    currencies = {(account.school_id, account.id): account.currency for account in accounts}
    yield 'option "title" "School meals"'
    for account in accounts:
        yield f"{local_day(account.opened_at, zone)} open {name_of(account)} {account.currency}"
    last_day = max((local_day(account.opened_at, zone) for account in accounts), default=None)
    for day, lines in _transactions(work, zone, school_ids, names, currencies):
        last_day = day if last_day is None else max(day, last_day)
        yield from lines
    if last_day is not None:
        yield from _assertions(accounts, last_day + timedelta(days=1))


def lines_to_come(work: Work) -> int:
    """How many lines :func:`export` gives for all schools: a title, two for each account, three for each posting."""
    accounts, postings = work.session.execute(
        select(
            select(func.count()).select_from(Account).scalar_subquery(),
            select(func.count()).select_from(Posting).scalar_subquery(),
        )
    ).one()
    return int(1 + 2 * accounts + 3 * postings)


def name_of(account: Account) -> str:
    """The account's name in the file: its kind, its purpose, its school and itself."""
    purpose = "".join(part.capitalize() for part in account.purpose.split("-"))
    return f"{ROOTS[account.kind]}:{purpose}:S{account.school_id.hex.upper()}:A{account.id.hex.upper()}"


def decimal(minor: int, currency: str) -> str:
    """A sum in major units, exactly."""
    digits = MINOR_DIGITS[currency]
    whole, rest = divmod(abs(minor), 10**digits)
    sign = "-" if minor < 0 else ""
    return f"{sign}{whole}.{rest:0{digits}d}" if digits else f"{sign}{whole}"


def _transactions(
    work: Work,
    zone: ZoneInfo,
    school_ids: frozenset[UUID] | None,
    names: dict[tuple[UUID, UUID], str],
    currencies: dict[tuple[UUID, UUID], str],
) -> Iterator[tuple[date, list[str]]]:
    rows = (
        select(JournalEntry.kind, Posting)
        .join(JournalEntry, (JournalEntry.school_id == Posting.school_id) & (JournalEntry.id == Posting.entry_id))
        .where(true() if school_ids is None else Posting.school_id.in_(school_ids))
        .order_by(Posting.at, Posting.school_id, Posting.entry_id, Posting.line)
        .execution_options(yield_per=FETCH_ROWS)
    )
    for kind, posting in work.session.execute(rows):
        day = local_day(posting.at, zone)
        currency = currencies[posting.school_id, posting.debit_account_id]
        amount = decimal(posting.amount_minor, currency)
        yield (
            day,
            [
                f'{day} * "{kind}" "{posting.entry_id}/{posting.line}"',
                f"  {names[posting.school_id, posting.debit_account_id]}  {amount} {currency}",
                f"  {names[posting.school_id, posting.credit_account_id]}  -{amount} {currency}",
            ],
        )


def _assertions(accounts: list[Account], day: date) -> Iterator[str]:
    """Beancount asserts at the start of a day and counts debits as positive for every kind of account."""
    for account in accounts:
        net = decimal(account.debits_minor - account.credits_minor, account.currency)
        yield f"{day} balance {name_of(account)}  {net} {account.currency}"
