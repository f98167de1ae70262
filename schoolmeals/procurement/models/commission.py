"""Who decides: the pool, the seats of a tender's commission, declarations of interest, and who has sat how long."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, SmallInteger, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from schoolmeals.database import Model


class PoolMember(Model):
    """Somebody who may be drawn into a commission. The name and the constituency are public, the rest never."""

    __tablename__ = "pool_member"
    __table_args__ = (
        CheckConstraint(
            "constituency IN ('parents', 'trustees', 'education', 'health', 'finance', 'entrepreneurs', 'ngo')",
            name="constituency",
        ),
        Index(
            "uq_pool_member_standing",
            "organisation_id",
            "person_id",
            unique=True,
            postgresql_where=text("left_at IS NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    """Whose pool it is."""
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    surname: Mapped[str]
    given_name: Mapped[str]
    patronymic: Mapped[str] = mapped_column(default="")
    constituency: Mapped[str]
    """Whom they speak for."""
    address: Mapped[str] = mapped_column(default="")
    phone: Mapped[str] = mapped_column(default="")
    employer: Mapped[str] = mapped_column(default="")
    employer_identifier: Mapped[str] = mapped_column(default="")
    founder_of: Mapped[list[Any]]
    """Identifiers of organisations."""
    entered_by: Mapped[UUID | None]
    entered_at: Mapped[datetime]
    left_at: Mapped[datetime | None]


class CommissionSeat(Model):
    """One person's place in one tender's commission, from the appointment to its end."""

    __tablename__ = "commission_seat"
    __table_args__ = (
        CheckConstraint("part IN ('chair', 'deputy', 'member', 'secretary', 'alternate')", name="part"),
        CheckConstraint("(part = 'secretary') = (pool_member_id IS NULL)", name="drawn_from_the_pool"),
        CheckConstraint("(ended_at IS NULL) = (end_reason IS NULL)", name="ended_with_a_reason"),
        CheckConstraint("accepted_at IS NULL OR declined_at IS NULL", name="accepted_or_declined"),
        CheckConstraint("(key_at IS NULL) = (key_public IS NULL)", name="key_with_its_time"),
        UniqueConstraint("tender_id", "person_id"),
        UniqueConstraint("tender_id", "position"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    tender_id: Mapped[UUID] = mapped_column(ForeignKey("tender.id"))
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), index=True)
    pool_member_id: Mapped[UUID | None] = mapped_column(ForeignKey("pool_member.id"))
    name: Mapped[str]
    """As it was when appointed; public."""
    part: Mapped[str]
    """An alternate who was called keeps the word and has ``seated_at``."""
    constituency: Mapped[str | None]
    position: Mapped[int] = mapped_column(SmallInteger)
    """The order of the draw; alternates are called in it."""
    appointed_at: Mapped[datetime]
    accepted_at: Mapped[datetime | None]
    declined_at: Mapped[datetime | None]
    key_public: Mapped[str | None]
    """An age recipient, made in the member's browser."""
    key_at: Mapped[datetime | None]
    seated_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    end_reason: Mapped[str | None]
    """``declined``, ``recused``, ``left`` or ``removed``."""


class InterestDeclaration(Model):
    """What a member says about one tenderer before any score is given. Said once; an interest ends the seat."""

    __tablename__ = "interest_declaration"
    __table_args__ = (UniqueConstraint("seat_id", "tenderer_id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    tender_id: Mapped[UUID] = mapped_column(ForeignKey("tender.id"), index=True)
    seat_id: Mapped[UUID] = mapped_column(ForeignKey("commission_seat.id"))
    tenderer_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    has_interest: Mapped[bool]
    nature: Mapped[str]
    """``none``, ``relative``, ``work``, ``money`` or ``other``."""
    statement: Mapped[str]
    at: Mapped[datetime]


class Tenure(Model):
    """A span of time in which somebody held an office: school heads and commission members must rotate."""

    __tablename__ = "tenure"
    __table_args__ = (
        CheckConstraint("office IN ('school-head', 'commission-chair', 'commission-member')", name="office"),
        CheckConstraint("ended_on IS NULL OR started_on <= ended_on", name="starts_before_it_ends"),
        Index("ix_tenure_person", "person_id", "office"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    office: Mapped[str]
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    """The school that is headed, or the organiser whose commission it was."""
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    tender_id: Mapped[UUID | None] = mapped_column(ForeignKey("tender.id"))
    """Of a seat; None for a head, and for what was before this register."""
    started_on: Mapped[date]
    ended_on: Mapped[date | None]
    source: Mapped[str]
    """Where it is written: an order's number and date."""
    noted_by: Mapped[UUID | None]
    noted_at: Mapped[datetime]


class TenureException(Model):
    """A published reason why somebody beyond the limit may be appointed all the same."""

    __tablename__ = "tenure_exception"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    office: Mapped[str]
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), index=True)
    reason: Mapped[dict[str, Any]]
    """By language, shown to everybody."""
    document_sha256: Mapped[bytes | None] = mapped_column(LargeBinary)
    until: Mapped[date]
    published_by: Mapped[UUID | None]
    published_at: Mapped[datetime]
