"""A school's roll: classes, pupils, their cards, their guardians. ``school_id`` leads every key."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, LargeBinary, SmallInteger, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from schoolmeals.database import Model


class SchoolClass(Model):
    """A class of one school year, e.g. 5 «Ә»."""

    __tablename__ = "school_class"
    __table_args__ = (UniqueConstraint("school_id", "sourced_id"),)

    school_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    sourced_id: Mapped[str]
    """The id in the system that the roll comes from."""
    name: Mapped[str]
    sort_key: Mapped[str]
    """The name in the order of the alphabet; made by ``rules.sort_key``."""
    grade: Mapped[int] = mapped_column(SmallInteger)
    """0 (pre-school) to 12."""
    shift: Mapped[int] = mapped_column(SmallInteger, default=1)


class Pupil(Model):
    """A child on the roll. Left pupils stay, with the day on which they left."""

    __tablename__ = "pupil"
    __table_args__ = (
        UniqueConstraint("school_id", "sourced_id"),
        ForeignKeyConstraint(["school_id", "class_id"], ["school_class.school_id", "school_class.id"]),
        ForeignKeyConstraint(["school_id", "photo_id"], ["photo.school_id", "photo.id"]),
        Index("ix_pupil_class", "school_id", "class_id", "sort_key"),
    )

    school_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    sourced_id: Mapped[str]
    surname: Mapped[str]
    given_name: Mapped[str]
    patronymic: Mapped[str] = mapped_column(default="")
    sort_key: Mapped[str]
    """The full name in an order that Kazakh and Russian readers expect; made by ``rules.sort_key``."""
    birth_date: Mapped[date | None]
    class_id: Mapped[UUID | None]
    photo_id: Mapped[UUID | None]
    diet_note: Mapped[str] = mapped_column(default="")
    joined_on: Mapped[date]
    left_on: Mapped[date | None]


class PupilAllergen(Model):
    """What a pupil must not or should not eat."""

    __tablename__ = "pupil_allergen"
    __table_args__ = (
        ForeignKeyConstraint(["school_id", "pupil_id"], ["pupil.school_id", "pupil.id"]),
        CheckConstraint("severity IN ('certified', 'intolerance', 'wish')", name="severity"),
    )

    school_id: Mapped[UUID] = mapped_column(primary_key=True)
    pupil_id: Mapped[UUID] = mapped_column(primary_key=True)
    allergen: Mapped[str] = mapped_column(primary_key=True)
    """One of the 14 codes of Regulation (EU) 1169/2011 Annex II, or free text with the prefix ``other:``."""
    severity: Mapped[str]
    """``certified`` by a doctor, an ``intolerance``, or a guardian's ``wish``."""
    noted_by: Mapped[UUID | None]
    noted_at: Mapped[datetime]


class Photo(Model):
    """A small picture of a pupil or a dish, stripped of everything but its pixels."""

    __tablename__ = "photo"

    school_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    media_type: Mapped[str]
    content: Mapped[bytes] = mapped_column(LargeBinary)
    sha256: Mapped[bytes] = mapped_column(LargeBinary)
    added_at: Mapped[datetime]


class Card(Model):
    """Something a pupil holds to the reader. We keep a keyed hash of its number, never the number."""

    __tablename__ = "card"
    __table_args__ = (
        ForeignKeyConstraint(["school_id", "pupil_id"], ["pupil.school_id", "pupil.id"]),
        CheckConstraint("kind IN ('iso14443', 'qr')", name="kind"),
        # The same number may come back after its card was replaced, but names one pupil at a time.
        Index(
            "uq_card_standing", "school_id", "number_hash", unique=True, postgresql_where=text("replaced_at IS NULL")
        ),
        Index("ix_card_pupil", "school_id", "pupil_id"),
        Index("ix_card_number", "school_id", "number_hash"),
    )

    school_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    pupil_id: Mapped[UUID]
    kind: Mapped[str]
    number_hash: Mapped[bytes] = mapped_column(LargeBinary)
    label: Mapped[str]
    """What people see of it, e.g. «…4F21»."""
    issued_at: Mapped[datetime]
    issued_by: Mapped[UUID | None]
    expires_on: Mapped[date | None]
    blocked_at: Mapped[datetime | None]
    blocked_by: Mapped[UUID | None]
    block_reason: Mapped[str | None]
    """``lost``, ``found-kept`` or ``office``."""
    replaced_at: Mapped[datetime | None]
    """When the card ended for good: reissued, or its pupil left."""


class Guardianship(Model):
    """An adult's tie to a pupil, from ``since`` until ``ended_at``."""

    __tablename__ = "guardianship"
    __table_args__ = (
        ForeignKeyConstraint(["school_id", "pupil_id"], ["pupil.school_id", "pupil.id"]),
        Index("ix_guardianship_person", "person_id"),
        Index(
            "uq_guardianship_standing",
            "school_id",
            "pupil_id",
            "person_id",
            unique=True,
            postgresql_where=text("ended_at IS NULL"),
        ),
    )

    school_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    pupil_id: Mapped[UUID]
    person_id: Mapped[UUID]
    relation: Mapped[str]
    """``mother``, ``father``, ``guardian``, ``relative``."""
    since: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class ListedGuardian(Model):
    """Whom the roll's file calls a pupil's guardian. It opens nothing: only a code that is claimed does."""

    __tablename__ = "listed_guardian"
    __table_args__ = (
        UniqueConstraint("school_id", "pupil_id", "sourced_id"),
        ForeignKeyConstraint(["school_id", "pupil_id"], ["pupil.school_id", "pupil.id"]),
        CheckConstraint("relation IN ('parent', 'guardian', 'relative')", name="relation"),
    )

    school_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    pupil_id: Mapped[UUID]
    sourced_id: Mapped[str]
    """Their id in the system that the roll comes from; the same for all their pupils."""
    name: Mapped[str]
    relation: Mapped[str]
    """As OneRoster has it: ``parent``, ``guardian``, ``relative``."""
    email: Mapped[str] = mapped_column(default="")
    phone: Mapped[str] = mapped_column(default="")
    """E.164, or empty."""
    listed_at: Mapped[datetime]
    unlisted_at: Mapped[datetime | None]
    """When a file no longer named them."""


class ClaimCode(Model):
    """A one-time code, printed by the school, with which a guardian claims a pupil."""

    __tablename__ = "claim_code"
    __table_args__ = (
        ForeignKeyConstraint(["school_id", "pupil_id"], ["pupil.school_id", "pupil.id"]),
        ForeignKeyConstraint(["school_id", "listed_id"], ["listed_guardian.school_id", "listed_guardian.id"]),
    )

    school_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    pupil_id: Mapped[UUID]
    code_hash: Mapped[bytes] = mapped_column(LargeBinary, index=True)
    printed_by: Mapped[UUID | None]
    printed_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    used_by: Mapped[UUID | None]
    withdrawn_at: Mapped[datetime | None]
    listed_id: Mapped[UUID | None]
    """For which guardian of the list it was made; None for a code that names nobody."""


class RosterImport(Model):
    """A roll that was uploaded: its preview, what became of it, and how far it has come."""

    __tablename__ = "roster_import"

    school_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    file_name: Mapped[str]
    sha256: Mapped[bytes] = mapped_column(LargeBinary)
    content: Mapped[bytes | None] = mapped_column(LargeBinary)
    """The file itself until it was applied or dropped."""
    uploaded_by: Mapped[UUID | None]
    uploaded_at: Mapped[datetime]
    preview: Mapped[dict[str, Any]]
    """Counts of new, changed, unchanged, returning and leaving pupils, and the bad rows."""
    rows_total: Mapped[int] = mapped_column(default=0)
    rows_done: Mapped[int] = mapped_column(default=0)
    confirmed_at: Mapped[datetime | None]
    """When somebody said yes to the preview; what is long is then written by the worker."""
    confirmed_by: Mapped[UUID | None]
    applied_at: Mapped[datetime | None]
    dropped_at: Mapped[datetime | None]
