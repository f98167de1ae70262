"""Purses, their limits, and the ways money comes in. The money itself is in the ledger's accounts."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from schoolmeals.database import Model


class Purse(Model):
    """A pupil's prepaid money in one school: the guardians' money, and beside it what grace has lent."""

    __tablename__ = "purse"
    __table_args__ = (
        UniqueConstraint("school_id", "pupil_id"),
        ForeignKeyConstraint(["school_id", "pupil_id"], ["pupil.school_id", "pupil.id"]),
        ForeignKeyConstraint(["school_id", "money_account_id"], ["account.school_id", "account.id"]),
        ForeignKeyConstraint(["school_id", "grace_account_id"], ["account.school_id", "account.id"]),
        CheckConstraint("limit_minor_day IS NULL OR limit_minor_day >= 0", name="limit_not_negative"),
    )

    school_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    pupil_id: Mapped[UUID]
    currency: Mapped[str]
    money_account_id: Mapped[UUID]
    """Liability, purpose ``purse``, floor 0."""
    grace_account_id: Mapped[UUID]
    """Asset, purpose ``grace``, ceiling: the school's grace limit."""
    limit_minor_day: Mapped[int | None]
    """What a guardian lets the pupil spend on buffet items in a day; None: no limit. Set meals do not count."""
    opened_at: Mapped[datetime]


class SchoolPolicy(Model):
    """What one school decides about money."""

    __tablename__ = "school_policy"

    school_id: Mapped[UUID] = mapped_column(primary_key=True)
    grace_limit_minor: Mapped[int]
    """How far set meals are lent to a pupil before the courtesy fund pays; two standard meals by default."""
    currency: Mapped[str]
    """Of every purse and account of the school that is opened."""
    next_receipt_no: Mapped[int] = mapped_column(default=1)
    """The number of the next cash receipt: gapless in each school."""
    changed_at: Mapped[datetime]


class TopUp(Model):
    """Money on its way into a purse. Settled, failed, expired or reversed is read from its times, and the ledger proves
    it.
    """

    __tablename__ = "top_up"
    __table_args__ = (
        ForeignKeyConstraint(["school_id", "purse_id"], ["purse.school_id", "purse.id"]),
        UniqueConstraint("school_id", "receipt_no"),
        CheckConstraint("method IN ('hosted-page', 'cash-desk')", name="method"),
        CheckConstraint("amount_minor > 0", name="amount_positive"),
        CheckConstraint("(reversed_at IS NULL) = (reversal_id IS NULL)", name="reversed_with_an_id"),
        Index("ix_top_up_purse", "school_id", "purse_id", "id"),
        Index("ix_top_up_settled", "school_id", "settled_at"),
        # A provider knows the top-up's id alone, not the school's.
        Index("ix_top_up_id", "id"),
        Index("ix_top_up_pending", "intended_at", postgresql_where=text("settled_at IS NULL AND failed_at IS NULL")),
    )

    school_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    """Made by the caller; also the provider's idempotency key and the journal entry's id."""
    purse_id: Mapped[UUID]
    amount_minor: Mapped[int]
    currency: Mapped[str]
    method: Mapped[str]
    intended_by: Mapped[UUID | None]
    intended_at: Mapped[datetime]
    language: Mapped[str | None]
    """Of the provider's page: a retry must ask for the very same page."""
    provider: Mapped[str | None]
    provider_reference: Mapped[str | None]
    """The checkout session's id at the provider."""
    checkout_url: Mapped[str | None]
    receipt_no: Mapped[int | None]
    settled_at: Mapped[datetime | None]
    failed_at: Mapped[datetime | None]
    failure_code: Mapped[str | None]
    reversed_at: Mapped[datetime | None]
    reversal_id: Mapped[UUID | None]
    """The reversing entry's id, made by the caller."""
    reversed_by: Mapped[UUID | None]
    reversal_reason: Mapped[str | None]


class PaymentEventSeen(Model):
    """A webhook event of a payment provider, kept once."""

    __tablename__ = "payment_event"

    provider: Mapped[str] = mapped_column(primary_key=True)
    event_id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    top_up_id: Mapped[UUID | None]
    payload: Mapped[dict[str, Any]]
    received_at: Mapped[datetime]
    outcome: Mapped[str]
    """``settled``, ``failed``, ``ignored``, ``amount-differs``, ``unknown-top-up``."""
