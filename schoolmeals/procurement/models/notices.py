"""What hangs on a tender's public page: documents, questions, and who wants to be told."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from schoolmeals.database import Model


class TenderDocument(Model):
    """A document in one version. A new version is a new row of the same series; old ones stay readable."""

    __tablename__ = "tender_document"
    __table_args__ = (
        UniqueConstraint("series_id", "version"),
        CheckConstraint("size_bytes >= 0", name="size_not_negative"),
        Index("ix_tender_document_tender_id", "tender_id", "added_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    tender_id: Mapped[UUID] = mapped_column(ForeignKey("tender.id"))
    lot_id: Mapped[UUID | None] = mapped_column(ForeignKey("lot.id"))
    series_id: Mapped[UUID]
    version: Mapped[int]
    document_type: Mapped[str]
    """A code of OCDS, e.g. ``technicalSpecifications``."""
    title: Mapped[dict[str, Any]]
    language: Mapped[str | None]
    file_name: Mapped[str]
    media_type: Mapped[str]
    size_bytes: Mapped[int]
    sha256: Mapped[bytes] = mapped_column(LargeBinary)
    content: Mapped[bytes] = mapped_column(LargeBinary)
    from_version: Mapped[int]
    """The version of the tender that brings it to the public."""
    added_by: Mapped[UUID | None]
    added_at: Mapped[datetime]


class Enquiry(Model):
    """A question or an objection about a tender's text. Who asked is told to nobody but auditors."""

    __tablename__ = "enquiry"
    __table_args__ = (
        CheckConstraint("kind IN ('question', 'objection')", name="kind"),
        Index("ix_enquiry_tender_id", "tender_id", "at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    tender_id: Mapped[UUID] = mapped_column(ForeignKey("tender.id"))
    lot_id: Mapped[UUID | None] = mapped_column(ForeignKey("lot.id"))
    kind: Mapped[str]
    text: Mapped[str]
    language: Mapped[str]
    asker_id: Mapped[UUID]
    asker_organisation_id: Mapped[UUID | None] = mapped_column(ForeignKey("organisation.id"))
    at: Mapped[datetime]


class EnquiryAnswer(Model):
    """The one answer to an enquiry. Opening waits for it."""

    __tablename__ = "enquiry_answer"

    enquiry_id: Mapped[UUID] = mapped_column(ForeignKey("enquiry.id"), primary_key=True)
    text: Mapped[dict[str, Any]]
    """By language; at least the enquiry's own."""
    leads_to_amendment: Mapped[bool]
    by: Mapped[UUID | None]
    at: Mapped[datetime]


class Subscription(Model):
    """An address that wants to be told about one tender, or about new ones that a search finds."""

    __tablename__ = "subscription"
    __table_args__ = (
        CheckConstraint("(tender_id IS NULL) = (search IS NOT NULL)", name="tender_or_search"),
        Index("ix_subscription_tender_id", "tender_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    tender_id: Mapped[UUID | None] = mapped_column(ForeignKey("tender.id"))
    search: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    email: Mapped[str]
    language: Mapped[str]
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    made_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
