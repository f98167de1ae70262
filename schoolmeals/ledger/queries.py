"""Reading the books. Callers pass the school that their own room has found the actor to belong to."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, case, func, or_, select
from sqlalchemy.orm import aliased

from schoolmeals.database import Work
from schoolmeals.ledger.models import Account, JournalEntry, Posting
from schoolmeals.ledger.rules import AccountKind, StatementLine, TrialBalanceRow


def account_of(work: Work, school_id: UUID, purpose: str, owner_id: UUID | None = None) -> Account | None:
    """The account of one purpose and owner."""
    return work.session.scalar(_accounts(school_id, purpose).where(Account.owner_id.is_not_distinct_from(owner_id)))


def accounts_of(work: Work, school_id: UUID, purpose: str, owner_ids: Collection[UUID]) -> dict[UUID, Account]:
    """The accounts of one purpose for several owners, by owner."""
    found = work.session.scalars(_accounts(school_id, purpose).where(Account.owner_id.in_(owner_ids)))
    return {account.owner_id: account for account in found if account.owner_id is not None}


def balance_at(work: Work, school_id: UUID, account_id: UUID, at: datetime) -> int:
    """The balance in minor units from all postings up to and including ``at``, on the account's natural side."""
    account = work.session.get_one(Account, (school_id, account_id))
    debited = case((Posting.debit_account_id == account_id, Posting.amount_minor), else_=-Posting.amount_minor)
    total = work.session.scalar(
        select(func.coalesce(func.sum(debited), 0)).where(
            Posting.school_id == school_id,
            or_(Posting.debit_account_id == account_id, Posting.credit_account_id == account_id),
            Posting.at <= at,
        )
    )
    return int(total or 0) * (1 if AccountKind(account.kind).grows_by_debit else -1)


def statement_lines(
    work: Work, school_id: UUID, account_id: UUID, since: datetime | None = None, until: datetime | None = None
) -> list[StatementLine]:
    """The lines of one account in the order in which they were posted, from ``since`` up to, without, ``until``."""
    account = work.session.get_one(Account, (school_id, account_id))
    counter = aliased(Account)
    is_debit = Posting.debit_account_id == account_id
    sign = 1 if AccountKind(account.kind).grows_by_debit else -1
    version = case((is_debit, Posting.debit_version), else_=Posting.credit_version)
    lines = (
        select(
            Posting.entry_id,
            JournalEntry.kind,
            Posting.at,
            case((is_debit, sign * Posting.amount_minor), else_=-sign * Posting.amount_minor),
            case((is_debit, Posting.debit_balance_after), else_=Posting.credit_balance_after),
            counter.purpose,
            JournalEntry.reverses_id,
        )
        .join(JournalEntry, (JournalEntry.school_id == Posting.school_id) & (JournalEntry.id == Posting.entry_id))
        .join(
            counter,
            (counter.school_id == Posting.school_id)
            & (counter.id == case((is_debit, Posting.credit_account_id), else_=Posting.debit_account_id)),
        )
        .where(Posting.school_id == school_id, or_(is_debit, Posting.credit_account_id == account_id))
        .order_by(version)
    )
    if since is not None:
        lines = lines.where(Posting.at >= since)
    if until is not None:
        lines = lines.where(Posting.at < until)
    return [StatementLine(*row) for row in work.session.execute(lines)]


def trial_balance(work: Work, school_ids: Collection[UUID] | None = None) -> list[TrialBalanceRow]:
    """Sums of all accounts by purpose, for some schools or for all. Debits and credits are equal over all rows."""
    sums = (
        select(
            Account.purpose,
            Account.kind,
            Account.currency,
            func.count(),
            func.sum(Account.debits_minor),
            func.sum(Account.credits_minor),
            func.sum(Account.balance_minor),
        )
        .group_by(Account.purpose, Account.kind, Account.currency)
        .order_by(Account.kind, Account.purpose)
    )
    if school_ids is not None:
        sums = sums.where(Account.school_id.in_(school_ids))
    return [
        TrialBalanceRow(purpose, AccountKind(kind), currency, count, int(debits), int(credits), int(balance))
        for purpose, kind, currency, count, debits, credits, balance in work.session.execute(sums)
    ]


def _accounts(school_id: UUID, purpose: str) -> Select[Account]:
    return select(Account).where(Account.school_id == school_id, Account.purpose == purpose)


def moved_to(work: Work, school_id: UUID, entry_id: UUID, purpose: str) -> int:
    """How much one entry brought to the school's own account of a purpose, in minor units."""
    account = account_of(work, school_id, purpose)
    if account is None:
        return 0
    total = work.session.scalar(
        select(func.coalesce(func.sum(Posting.amount_minor), 0)).where(
            Posting.school_id == school_id, Posting.entry_id == entry_id, Posting.credit_account_id == account.id
        )
    )
    return int(total or 0)
