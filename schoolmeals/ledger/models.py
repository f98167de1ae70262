"""The books. Entries and postings are append-only by trigger and by grant; accounts only ever gain."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Computed,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    SmallInteger,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from schoolmeals.database import Model

_BALANCE = (
    "CASE WHEN kind IN ('asset', 'expense') THEN debits_minor - credits_minor ELSE credits_minor - debits_minor END"
)


class Account(Model):
    """One account. Totals are in minor units and only grow; the balance is counted on the account's natural side."""

    __tablename__ = "account"
    __table_args__ = (
        UniqueConstraint("school_id", "purpose", "owner_id", "currency", postgresql_nulls_not_distinct=True),
        CheckConstraint("kind IN ('asset', 'liability', 'income', 'expense')", name="kind"),
        CheckConstraint("debits_minor >= 0 AND credits_minor >= 0", name="totals_only_grow"),
        CheckConstraint(f"floor_minor IS NULL OR {_BALANCE} >= floor_minor", name="not_below_floor"),
        CheckConstraint(f"ceiling_minor IS NULL OR {_BALANCE} <= ceiling_minor", name="not_above_ceiling"),
        # Balances change with every tap: room on the page keeps those updates from touching any index.
        {"postgresql_with": {"fillfactor": "70"}},
    )

    school_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    purpose: Mapped[str]
    owner_id: Mapped[UUID | None]
    """The pupil whose purse this is; None for an account of the school as a whole."""
    currency: Mapped[str]
    debits_minor: Mapped[int] = mapped_column(default=0)
    credits_minor: Mapped[int] = mapped_column(default=0)
    version: Mapped[int] = mapped_column(default=0)
    """How many postings touch the account; each posting keeps the number it brought the account to."""
    floor_minor: Mapped[int | None]
    ceiling_minor: Mapped[int | None]
    opened_at: Mapped[datetime]
    balance_minor: Mapped[int] = mapped_column(BigInteger, Computed(_BALANCE, persisted=True))


class JournalEntry(Model):
    """One event of the books. Its id is the id of what caused it: a tap, a top-up, a reversal."""

    __tablename__ = "journal_entry"
    __table_args__ = (
        UniqueConstraint("school_id", "reverses_id"),
        ForeignKeyConstraint(["school_id", "reverses_id"], ["journal_entry.school_id", "journal_entry.id"]),
    )

    school_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    at: Mapped[datetime]
    reverses_id: Mapped[UUID | None]
    content_hash: Mapped[bytes] = mapped_column(LargeBinary)


class Posting(Model):
    """Both legs of one movement of money, and the two balances that it led to."""

    __tablename__ = "posting"
    __table_args__ = (
        ForeignKeyConstraint(["school_id", "entry_id"], ["journal_entry.school_id", "journal_entry.id"]),
        ForeignKeyConstraint(["school_id", "debit_account_id"], ["account.school_id", "account.id"]),
        ForeignKeyConstraint(["school_id", "credit_account_id"], ["account.school_id", "account.id"]),
        CheckConstraint("amount_minor > 0", name="amount_positive"),
        CheckConstraint("debit_account_id <> credit_account_id", name="two_accounts"),
        Index("ix_posting_debit", "school_id", "debit_account_id", "debit_version"),
        Index("ix_posting_credit", "school_id", "credit_account_id", "credit_version"),
    )

    school_id: Mapped[UUID] = mapped_column(primary_key=True)
    entry_id: Mapped[UUID] = mapped_column(primary_key=True)
    line: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    debit_account_id: Mapped[UUID]
    credit_account_id: Mapped[UUID]
    amount_minor: Mapped[int]
    debit_balance_after: Mapped[int]
    credit_balance_after: Mapped[int]
    debit_version: Mapped[int]
    credit_version: Mapped[int]
    at: Mapped[datetime]
