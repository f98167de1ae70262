"""What comes after the evaluation: awards, the checks repeated before them, complaints and what is said about them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, LargeBinary, SmallInteger, text
from sqlalchemy import UniqueConstraint as Unique
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from schoolmeals.database import Model


class Award(Model):
    """The decision that a lot goes to a bid. One stands for each lot; one that fell stays, with its reason."""

    __tablename__ = "award"
    __table_args__ = (
        ForeignKeyConstraint(["tender_id", "lot_id"], ["lot.tender_id", "lot.id"]),
        CheckConstraint("rank > 0", name="rank_positive"),
        CheckConstraint("value_minor >= 0", name="value_not_negative"),
        CheckConstraint("(ended_at IS NULL) = (end_reason IS NULL)", name="ended_for_a_reason"),
        Index("uq_award_standing", "lot_id", unique=True, postgresql_where=text("ended_at IS NULL")),
        Index("ix_award_tender_id", "tender_id"),
        Index("ix_award_supplier_id", "supplier_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    tender_id: Mapped[UUID] = mapped_column(ForeignKey("tender.id"))
    lot_id: Mapped[UUID]
    bid_id: Mapped[UUID] = mapped_column(ForeignKey("frozen_bid.id"))
    supplier_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    rank: Mapped[int] = mapped_column(SmallInteger)
    points_milli: Mapped[int]
    value_minor: Mapped[int]
    currency: Mapped[str]
    decided_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    end_code: Mapped[str | None]
    end_reason: Mapped[str | None]


class Recheck(Model):
    """The registers, conflicts and staff of a bidder, looked up once more when a protocol or a contract is signed."""

    __tablename__ = "recheck"
    __table_args__ = (
        CheckConstraint("occasion IN ('award', 'contract')", name="occasion"),
        Index("ix_recheck_tender_id", "tender_id", "at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    tender_id: Mapped[UUID] = mapped_column(ForeignKey("tender.id"))
    lot_id: Mapped[UUID] = mapped_column(ForeignKey("lot.id"))
    bid_id: Mapped[UUID | None] = mapped_column(ForeignKey("frozen_bid.id"))
    contract_id: Mapped[UUID | None]
    supplier_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    occasion: Mapped[str]
    at: Mapped[datetime]
    snapshot: Mapped[dict[str, Any]]
    """Which state of the registers was looked up."""
    findings: Mapped[list[Any]]
    """``[{"code", ...}]``: what speaks against the supplier; empty where nothing does."""


class Complaint(Model):
    """An objection to a tender's terms or to a decision in it, for the review body to judge."""

    __tablename__ = "complaint"
    __table_args__ = (
        Unique("tender_id", "number"),
        CheckConstraint("about IN ('terms', 'opening', 'admission', 'evaluation', 'award', 'other')", name="about"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    """The caller's, where a request may come twice."""
    tender_id: Mapped[UUID] = mapped_column(ForeignKey("tender.id"))
    lot_id: Mapped[UUID | None] = mapped_column(ForeignKey("lot.id"))
    number: Mapped[int] = mapped_column(SmallInteger)
    """Within the tender."""
    about: Mapped[str]
    text: Mapped[str]
    remedy: Mapped[str]
    """What the complainant asks for."""
    language: Mapped[str]
    author_id: Mapped[UUID]
    author_organisation_id: Mapped[UUID | None] = mapped_column(ForeignKey("organisation.id"))
    at: Mapped[datetime]


class ComplaintPost(Model):
    """Something said about a complaint: that it was accepted, refused, withdrawn, decided, carried out."""

    __tablename__ = "complaint_post"
    __table_args__ = (
        CheckConstraint("kind IN ('accepted', 'refused', 'withdrawn', 'decided', 'executed')", name="kind"),
        CheckConstraint("(kind = 'decided') = (outcome IS NOT NULL)", name="decided_somehow"),
        # Each is said once: a complaint is not judged twice, whoever races whom.
        Unique("complaint_id", "kind"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    complaint_id: Mapped[UUID] = mapped_column(ForeignKey("complaint.id"))
    kind: Mapped[str]
    code: Mapped[str | None]
    outcome: Mapped[str | None]
    """``satisfied``, ``partly`` or ``declined``."""
    remedies: Mapped[list[Any] | None] = mapped_column(JSONB(none_as_null=True))
    """What the decision orders: ``[{"kind", "lot_id"}]``."""
    text: Mapped[str]
    by_person: Mapped[UUID | None]
    at: Mapped[datetime]


class ComplaintFile(Model):
    """A file that came with a complaint."""

    __tablename__ = "complaint_file"
    __table_args__ = (
        CheckConstraint("size_bytes > 0", name="size_positive"),
        Index("ix_complaint_file_complaint_id", "complaint_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    complaint_id: Mapped[UUID] = mapped_column(ForeignKey("complaint.id"))
    file_name: Mapped[str]
    media_type: Mapped[str]
    size_bytes: Mapped[int]
    sha256: Mapped[bytes] = mapped_column(LargeBinary)
    content: Mapped[bytes] = mapped_column(LargeBinary)
    added_at: Mapped[datetime]
