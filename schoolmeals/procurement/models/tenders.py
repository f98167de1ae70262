"""Tenders: the acts that make them what they are, the working copy of their text, and its published versions."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, LargeBinary, SmallInteger, text
from sqlalchemy import UniqueConstraint as Unique
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from schoolmeals.database import Model


class Tender(Model):
    """A tender's row to lock, and its times: raw timestamps that lists narrow by. The acts are the truth, and a test
    replays them; no stage is kept.
    """

    __tablename__ = "tender"
    __table_args__ = (
        CheckConstraint("(published_at IS NULL) = (version = 0)", name="published_in_a_version"),
        CheckConstraint("(published_at IS NULL) = (number IS NULL)", name="published_under_a_number"),
        CheckConstraint("published_at IS NULL OR approved_at IS NOT NULL", name="published_after_review"),
        CheckConstraint("opened_at IS NULL OR closed_at IS NOT NULL", name="opened_after_closing"),
        Index("ix_tender_published", "published_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    organiser_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"), index=True)
    review_body_id: Mapped[UUID | None] = mapped_column(ForeignKey("organisation.id"))
    """Who decides complaints."""
    profile_code: Mapped[str]
    number: Mapped[str | None] = mapped_column(unique=True)
    """What people call it, e.g. ``2026-0007``; given at publication."""
    title: Mapped[dict[str, Any]]
    """Of the working copy, by language."""
    repeats_id: Mapped[UUID | None] = mapped_column(ForeignKey("tender.id"))
    """The tender that failed and is held again."""
    made_by: Mapped[UUID | None]
    made_at: Mapped[datetime]
    acts: Mapped[int] = mapped_column(default=0)
    """The number of the last act."""
    version: Mapped[int] = mapped_column(default=0)
    """Of the published text; 0: never published."""

    submitted_at: Mapped[datetime | None]
    approved_at: Mapped[datetime | None]
    published_at: Mapped[datetime | None]
    discussion_until: Mapped[datetime | None]
    bidding_until: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    opening_started_at: Mapped[datetime | None]
    opened_at: Mapped[datetime | None]
    admitted_at: Mapped[datetime | None]
    evaluated_at: Mapped[datetime | None]
    awarded_at: Mapped[datetime | None]
    standstill_until: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]
    suspended_at: Mapped[datetime | None]
    cancelled_at: Mapped[datetime | None]
    unsuccessful_at: Mapped[datetime | None]


class TenderAct(Model):
    """Something that happened to a tender. Never changed; numbered without gaps under the tender's lock."""

    __tablename__ = "tender_act"
    __table_args__ = (
        Unique("tender_id", "number"),
        CheckConstraint("number > 0", name="number_positive"),
        CheckConstraint("kind ~ '^[a-z]+(-[a-z]+)*$'", name="kind"),
        Index("ix_tender_act_kind", "kind", "at"),
        Index("ix_tender_act_subject_id", "subject_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    """The caller's, where a request may come twice."""
    tender_id: Mapped[UUID] = mapped_column(ForeignKey("tender.id"))
    number: Mapped[int]
    kind: Mapped[str]
    """One of ``rules.acts.ActKind``."""
    lot_id: Mapped[UUID | None]
    subject_id: Mapped[UUID | None]
    """The enquiry, seat, bid, award, complaint or contract that it is about."""
    at: Mapped[datetime]
    by_kind: Mapped[str]
    """``person`` or ``system``."""
    by_person: Mapped[UUID | None]
    payload: Mapped[dict[str, Any]]


class TenderSection(Model):
    """One section of the working copy, of the tender itself or of one of its lots."""

    __tablename__ = "tender_section"

    tender_id: Mapped[UUID] = mapped_column(ForeignKey("tender.id"), primary_key=True)
    about_id: Mapped[UUID] = mapped_column(primary_key=True)
    """The tender's own id, or the lot's."""
    section: Mapped[str] = mapped_column(primary_key=True)
    content: Mapped[dict[str, Any]]
    edited_by: Mapped[UUID | None]
    edited_at: Mapped[datetime]


class Lot(Model):
    """One school's meals within a tender. Removed lots of a draft stay, with the moment at which they went."""

    __tablename__ = "lot"
    __table_args__ = (
        Unique("tender_id", "id"),
        Unique("tender_id", "position"),
        Index("uq_lot_school", "tender_id", "school_id", unique=True, postgresql_where=text("removed_at IS NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    tender_id: Mapped[UUID] = mapped_column(ForeignKey("tender.id"))
    position: Mapped[int] = mapped_column(SmallInteger)
    school_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    plan_line_id: Mapped[UUID | None] = mapped_column(ForeignKey("plan_line.id"))
    made_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]


class LotItem(Model):
    """What is bought in a lot: the meal of an age group, or goods. OCDS ``items`` with ``relatedLot``."""

    __tablename__ = "lot_item"
    __table_args__ = (
        ForeignKeyConstraint(["tender_id", "lot_id"], ["lot.tender_id", "lot.id"]),
        Unique("lot_id", "age_group", "meal"),
        CheckConstraint("quantity >= 0", name="quantity_not_negative"),
        CheckConstraint("ceiling_minor > 0", name="ceiling_positive"),
        CheckConstraint("(age_group IS NULL) = (meal IS NULL)", name="meal_of_an_age_group"),
        CheckConstraint("(meal IS NULL) = (goods IS NOT NULL)", name="meal_or_goods"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    """Stays the same from the draft to the contract's item."""
    tender_id: Mapped[UUID]
    lot_id: Mapped[UUID]
    position: Mapped[int] = mapped_column(SmallInteger)
    age_group: Mapped[str | None]
    meal: Mapped[str | None]
    goods: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    """``{"name": {kk, ru, en}, "unit": ..., "group": ...}``"""
    quantity: Mapped[int]
    ceiling_minor: Mapped[int]
    """The most that one of it may cost."""
    currency: Mapped[str]


class TenderVersion(Model):
    """A published text, whole and for ever: sections, lots, items, profile, commission, dates."""

    __tablename__ = "tender_version"
    __table_args__ = (CheckConstraint("version > 0", name="version_positive"),)

    tender_id: Mapped[UUID] = mapped_column(ForeignKey("tender.id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    act_id: Mapped[UUID] = mapped_column(ForeignKey("tender_act.id"))
    at: Mapped[datetime]
    text: Mapped[str]
    """The document as RFC 8785 JSON, whose digest is published."""
    sha256: Mapped[bytes] = mapped_column(LargeBinary)
    rationale: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    """Why it was amended, by language; None for the first."""
    needs_confirmation: Mapped[bool]
    """Whether bids on earlier versions must be confirmed."""
