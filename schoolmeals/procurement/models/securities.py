"""Securities of bids and contracts, and the papers by which a supplier proves who acts for it; nothing is rewritten."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from schoolmeals.database import Model


class Security(Model):
    """A security that was given for a bid or for a contract, as the officer who received it wrote it down."""

    __tablename__ = "security"
    __table_args__ = (
        CheckConstraint("purpose IN ('bid', 'contract')", name="purpose"),
        CheckConstraint("(purpose = 'bid') = (bid_id IS NOT NULL)", name="bid_where_for_a_bid"),
        CheckConstraint("(purpose = 'contract') = (contract_id IS NOT NULL)", name="contract_where_for_a_contract"),
        CheckConstraint("kind IN ('bank-guarantee', 'deposit')", name="kind"),
        CheckConstraint("amount_minor > 0", name="amount_positive"),
        Index("ix_security_tender_id", "tender_id"),
        Index("ix_security_contract_id", "contract_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    tender_id: Mapped[UUID] = mapped_column(ForeignKey("tender.id"))
    purpose: Mapped[str]
    bid_id: Mapped[UUID | None] = mapped_column(ForeignKey("frozen_bid.id"))
    contract_id: Mapped[UUID | None] = mapped_column(ForeignKey("contract.id"))
    supplier_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    kind: Mapped[str]
    number: Mapped[str]
    """Of the guarantee, or of the payment."""
    issuer: Mapped[str]
    """The bank."""
    amount_minor: Mapped[int]
    currency: Mapped[str]
    valid_until: Mapped[date]
    file_name: Mapped[str]
    media_type: Mapped[str]
    sha256: Mapped[bytes] = mapped_column(LargeBinary)
    content: Mapped[bytes] = mapped_column(LargeBinary)
    """Sealed: the paper names people and accounts."""
    recorded_by: Mapped[UUID | None]
    recorded_at: Mapped[datetime]


class SecurityEnd(Model):
    """What became of a security: it was returned, or it was kept."""

    __tablename__ = "security_end"
    __table_args__ = (CheckConstraint("outcome IN ('returned', 'kept')", name="outcome"),)

    security_id: Mapped[UUID] = mapped_column(ForeignKey("security.id"), primary_key=True)
    outcome: Mapped[str]
    reason_code: Mapped[str]
    note: Mapped[str]
    ended_by: Mapped[UUID | None]
    ended_at: Mapped[datetime]


class SupplierProof(Model):
    """A paper that shows that whoever registered a supplier may act for it. Officers read it; nobody else does."""

    __tablename__ = "supplier_proof"
    __table_args__ = (
        CheckConstraint("kind IN ('registration', 'power-of-attorney')", name="kind"),
        Index("ix_supplier_proof_organisation_id", "organisation_id", "added_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    kind: Mapped[str]
    file_name: Mapped[str]
    media_type: Mapped[str]
    size_bytes: Mapped[int]
    sha256: Mapped[bytes] = mapped_column(LargeBinary)
    content: Mapped[bytes] = mapped_column(LargeBinary)
    """Sealed."""
    added_by: Mapped[UUID | None]
    added_at: Mapped[datetime]


class SupplierConfirmation(Model):
    """An officer's word on a supplier's proof: confirmed, or returned with what is missing. The last one counts."""

    __tablename__ = "supplier_confirmation"
    __table_args__ = (
        CheckConstraint("outcome IN ('confirmed', 'returned')", name="outcome"),
        Index("ix_supplier_confirmation_organisation_id", "organisation_id", "decided_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    proof_id: Mapped[UUID] = mapped_column(ForeignKey("supplier_proof.id"))
    """The newest paper that was there."""
    outcome: Mapped[str]
    reason: Mapped[str]
    by_organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    decided_by: Mapped[UUID | None]
    decided_at: Mapped[datetime]
