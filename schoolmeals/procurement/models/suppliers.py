"""What a supplier keeps here: who it is, its people, equipment, experience, taxes, and the papers that prove them."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, SmallInteger, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from schoolmeals.database import Model


class Supplier(Model):
    """A supplier's own facts. Name and identifier are its organisation's."""

    __tablename__ = "supplier"

    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"), primary_key=True)
    addresses: Mapped[list[Any]]
    phones: Mapped[list[Any]]
    email: Mapped[str]
    people: Mapped[list[Any]]
    """``[{"part", "surname", "given_name", "patronymic", "phone", "address"}]``: heads, founders, signatories."""
    person_keys: Mapped[list[Any]]
    """Of the heads, so that registers of persons can be asked; see :class:`SupplierStaff`."""
    founders: Mapped[list[Any]]
    """Identifiers of organisations that have founded it."""
    registered_by: Mapped[UUID | None]
    registered_at: Mapped[datetime]
    changed_at: Mapped[datetime]


class SupplierVersion(Model):
    """What a supplier said of itself until it described itself anew: where conflicts of interest are sought besides."""

    __tablename__ = "supplier_version"
    __table_args__ = (Index("ix_supplier_version_organisation_id", "organisation_id", "held_until"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    addresses: Mapped[list[Any]]
    phones: Mapped[list[Any]]
    people: Mapped[list[Any]]
    """As in :class:`Supplier`."""
    founders: Mapped[list[Any]]
    held_until: Mapped[datetime]


class SupplierRepresentative(Model):
    """Somebody who may act for a supplier, and by which right. The role itself is a grant of ``identity``."""

    __tablename__ = "supplier_representative"
    __table_args__ = (
        CheckConstraint("(person_id IS NULL) <> (invitation_id IS NULL)", name="a_person_or_an_invitation"),
        Index("ix_supplier_representative_organisation_id", "organisation_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    person_id: Mapped[UUID | None]
    invitation_id: Mapped[UUID | None]
    name: Mapped[str]
    position: Mapped[str]
    basis: Mapped[str]
    """The charter, or a power of attorney with its number and day."""
    added_by: Mapped[UUID | None]
    added_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class SupplierStaff(Model):
    """Somebody who works for a supplier in one post. Their personal number is kept as its keyed hash alone: the same
    person has the same ``person_key`` whoever employs them."""

    __tablename__ = "supplier_staff"
    __table_args__ = (
        CheckConstraint("fte_percent BETWEEN 1 AND 100", name="at_most_whole_time"),
        CheckConstraint("grade BETWEEN 1 AND 6", name="grade"),
        CheckConstraint("ended_on IS NULL OR ended_on >= started_on", name="ends_after_it_begins"),
        Index("ix_supplier_staff_organisation_id", "organisation_id"),
        Index("ix_supplier_staff_person_key", "person_key"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    person_key: Mapped[str]
    name: Mapped[str]
    post: Mapped[str]
    grade: Mapped[int | None] = mapped_column(SmallInteger)
    education: Mapped[str]
    fte_percent: Mapped[int] = mapped_column(SmallInteger)
    started_on: Mapped[date]
    ended_on: Mapped[date | None]
    evidence: Mapped[list[Any]]
    """SHA-256 in hex of ``supplier_evidence``."""
    added_by: Mapped[UUID | None]
    added_at: Mapped[datetime]


class SupplierEquipment(Model):
    """A piece of equipment, or several alike."""

    __tablename__ = "supplier_equipment"
    __table_args__ = (
        CheckConstraint("count > 0", name="count_positive"),
        Index("ix_supplier_equipment_organisation_id", "organisation_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    name: Mapped[str]
    count: Mapped[int]
    owned: Mapped[bool]
    evidence: Mapped[list[Any]]
    added_by: Mapped[UUID | None]
    added_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class ExperienceContract(Model):
    """Work done for a customer, public or private."""

    __tablename__ = "experience_contract"
    __table_args__ = (
        CheckConstraint("ends_on >= starts_on", name="ends_after_it_begins"),
        Index("ix_experience_contract_organisation_id", "organisation_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    customer: Mapped[str]
    public: Mapped[bool]
    subject: Mapped[str]
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    evidence: Mapped[list[Any]]
    added_by: Mapped[UUID | None]
    added_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class SupplierTax(Model):
    """A year in which taxes were paid in a region."""

    __tablename__ = "supplier_tax"
    __table_args__ = (Index("ix_supplier_tax_organisation_id", "organisation_id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    year: Mapped[int] = mapped_column(SmallInteger)
    region: Mapped[str]
    evidence: Mapped[list[Any]]
    added_by: Mapped[UUID | None]
    added_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class SupplierEvidence(Model):
    """A paper that proves something. Sealed, and read by its supplier alone: what a bid takes along is in the bid.

    A paper that was removed leaves its hash and loses its content: it may hold somebody's personal data.
    """

    __tablename__ = "supplier_evidence"
    __table_args__ = (
        CheckConstraint("(content IS NULL) = (removed_at IS NOT NULL)", name="removed_without_content"),
        UniqueConstraint("organisation_id", "sha256"),
        Index(
            "ix_supplier_evidence_standing",
            "organisation_id",
            "added_at",
            postgresql_where=text("removed_at IS NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    sha256: Mapped[str]
    kind: Mapped[str]
    title: Mapped[str]
    file_name: Mapped[str]
    media_type: Mapped[str]
    size_bytes: Mapped[int]
    valid_until: Mapped[date | None]
    content: Mapped[bytes | None] = mapped_column(LargeBinary)
    added_by: Mapped[UUID | None]
    added_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]
