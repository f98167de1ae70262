"""Contracts: their texts, items with the prices in force, staff, changes, and signatures kept whole."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, LargeBinary, SmallInteger, text
from sqlalchemy import UniqueConstraint as Unique
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from schoolmeals.database import Model


class Contract(Model):
    """A contract for one school's lot: who with whom, for how long, and what has become of it, as times."""

    __tablename__ = "contract"
    __table_args__ = (
        ForeignKeyConstraint(["tender_id", "lot_id"], ["lot.tender_id", "lot.id"]),
        CheckConstraint("starts_on <= ends_on", name="starts_before_it_ends"),
        CheckConstraint("value_minor >= 0", name="value_not_negative"),
        CheckConstraint("fault IS NULL OR fault IN ('buyer', 'supplier', 'both', 'none')", name="fault"),
        CheckConstraint("(terminated_at IS NULL) = (fault IS NULL)", name="terminated_with_a_fault_side"),
        CheckConstraint("active_at IS NULL OR (supplier_signed_at IS NOT NULL)", name="active_when_signed"),
        Index("uq_contract_award", "award_id", unique=True, postgresql_where=text("voided_at IS NULL")),
        Index("ix_contract_tender_id", "tender_id"),
        Index("ix_contract_buyer_id", "buyer_id", "starts_on"),
        Index("ix_contract_supplier_id", "supplier_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(unique=True)
    """What people call it, e.g. ``2026-0007/1``: the tender's number and the lot's place in it."""
    tender_id: Mapped[UUID] = mapped_column(ForeignKey("tender.id"))
    lot_id: Mapped[UUID]
    award_id: Mapped[UUID | None] = mapped_column(ForeignKey("award.id"))
    """None for a direct contract."""
    organiser_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    buyer_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    """The school."""
    supplier_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    """Also after an extension."""
    value_minor: Mapped[int]
    currency: Mapped[str]
    security_minor: Mapped[int]
    version: Mapped[int]
    """Of the text in force; 1 is the first."""
    made_by: Mapped[UUID | None]
    made_at: Mapped[datetime]
    supplier_signed_at: Mapped[datetime | None]
    buyer_signed_at: Mapped[datetime | None]
    active_at: Mapped[datetime | None]
    lease_due_on: Mapped[date | None]
    """By when the lease must be signed; None where the school leases nothing."""
    lease_signed_on: Mapped[date | None]
    extended_at: Mapped[datetime | None]
    terminated_at: Mapped[datetime | None]
    fault: Mapped[str | None]
    """Whose fault the termination was."""
    end_reason: Mapped[str | None]
    completed_at: Mapped[datetime | None]
    voided_at: Mapped[datetime | None]
    """Where the award fell before both had signed."""


class ContractDocument(Model):
    """A contract's text, whole and for ever; a change that both have signed makes the next version."""

    __tablename__ = "contract_document"
    __table_args__ = (CheckConstraint("version > 0", name="version_positive"),)

    contract_id: Mapped[UUID] = mapped_column(ForeignKey("contract.id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    text: Mapped[str]
    """RFC 8785 JSON, whose digest is signed."""
    sha256: Mapped[bytes] = mapped_column(LargeBinary)


class ContractItem(Model):
    """What a contract promises. Its id is the ``contract_item_id`` that menus and receipts carry, for ever."""

    __tablename__ = "contract_item"
    __table_args__ = (
        CheckConstraint("kind IN ('meal', 'goods', 'buffet')", name="kind"),
        CheckConstraint("(kind = 'meal') = (age_group IS NOT NULL AND meal IS NOT NULL)", name="meal_of_an_age_group"),
        CheckConstraint("(kind = 'meal') = (name IS NULL)", name="named_where_no_meal"),
        CheckConstraint("quantity >= 0", name="quantity_not_negative"),
        Unique("contract_id", "age_group", "meal"),
        Index("ix_contract_item_lot_item_id", "lot_item_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    contract_id: Mapped[UUID] = mapped_column(ForeignKey("contract.id"))
    lot_item_id: Mapped[UUID | None] = mapped_column(ForeignKey("lot_item.id"))
    """None for what only the buffet sells."""
    kind: Mapped[str]
    position: Mapped[int] = mapped_column(SmallInteger)
    age_group: Mapped[str | None]
    meal: Mapped[str | None]
    name: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    unit: Mapped[str]
    quantity: Mapped[int]


class ContractPrice(Model):
    """The price of an item from a day on; of a buffet item the most that it may cost."""

    __tablename__ = "contract_price"
    __table_args__ = (CheckConstraint("price_minor > 0", name="price_positive"),)

    contract_item_id: Mapped[UUID] = mapped_column(ForeignKey("contract_item.id"), primary_key=True)
    from_on: Mapped[date] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    """Of the contract's text that says so; the latest counts."""
    price_minor: Mapped[int]
    currency: Mapped[str]


class ContractChange(Model):
    """A change that one side proposes; it applies once both have signed its text."""

    __tablename__ = "contract_change"
    __table_args__ = (
        CheckConstraint(
            "kind IN ('price-index', 'buffet', 'staff', 'quantity', 'menu', 'extension', 'details')", name="kind"
        ),
        CheckConstraint("applied_at IS NULL OR refused_at IS NULL", name="applied_or_refused"),
        Unique("contract_id", "version"),
        # A second proposal waits until the first is settled, so that nobody signs a text that another one overtakes.
        Index(
            "uq_contract_change_open",
            "contract_id",
            unique=True,
            postgresql_where=text("applied_at IS NULL AND refused_at IS NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    contract_id: Mapped[UUID] = mapped_column(ForeignKey("contract.id"))
    version: Mapped[int]
    """That the text would have; a refused proposal uses its number up."""
    kind: Mapped[str]
    reason: Mapped[str]
    content: Mapped[dict[str, Any]]
    text: Mapped[str]
    sha256: Mapped[bytes] = mapped_column(LargeBinary)
    proposed_side: Mapped[str]
    proposed_by: Mapped[UUID | None]
    proposed_at: Mapped[datetime]
    supplier_signed_at: Mapped[datetime | None]
    buyer_signed_at: Mapped[datetime | None]
    applied_at: Mapped[datetime | None]
    refused_at: Mapped[datetime | None]
    refusal: Mapped[str | None]


class ContractSignature(Model):
    """A signature under one version of a contract's text, with everything that it takes to check it again."""

    __tablename__ = "contract_signature"
    __table_args__ = (
        CheckConstraint("side IN ('supplier', 'buyer')", name="side"),
        CheckConstraint("kind IN ('passkey', 'cms')", name="kind"),
        CheckConstraint("(kind = 'cms') = (cms IS NOT NULL)", name="cms_with_its_file"),
        CheckConstraint("state IN ('verified', 'not-verified-here')", name="state"),
        Index(
            "uq_contract_signature_side",
            "contract_id",
            "version",
            "side",
            unique=True,
            postgresql_where=text("kind = 'passkey'"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    contract_id: Mapped[UUID] = mapped_column(ForeignKey("contract.id"))
    version: Mapped[int]
    side: Mapped[str]
    kind: Mapped[str]
    state: Mapped[str]
    person_id: Mapped[UUID]
    person_name: Mapped[str]
    """As it was when they signed."""
    sha256: Mapped[bytes] = mapped_column(LargeBinary)
    """Of the text that was signed."""
    proof: Mapped[dict[str, Any]]
    """Of a passkey: the assertion, the public key, origin and domain. Of a CMS file: what was read in it."""
    cms: Mapped[bytes | None] = mapped_column(LargeBinary)
    at: Mapped[datetime]


class ContractStaff(Model):
    """Somebody whom a contract binds to work for it, known by a keyed hash alone."""

    __tablename__ = "contract_staff"
    __table_args__ = (
        CheckConstraint("fte_percent BETWEEN 1 AND 100", name="fte_percent"),
        Index("ix_contract_staff_person_key", "person_key"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    contract_id: Mapped[UUID] = mapped_column(ForeignKey("contract.id"), index=True)
    person_key: Mapped[str]
    name: Mapped[str]
    post: Mapped[str]
    fte_percent: Mapped[int] = mapped_column(SmallInteger)
    from_on: Mapped[date]
    until_on: Mapped[date]


class Lease(Model):
    """The lease of the canteen's rooms, which must follow a contract within days."""

    __tablename__ = "lease"

    contract_id: Mapped[UUID] = mapped_column(ForeignKey("contract.id"), primary_key=True)
    signed_on: Mapped[date]
    number: Mapped[str]
    area_m2: Mapped[int]
    rent_minor_month: Mapped[int]
    currency: Mapped[str]
    noted_by: Mapped[UUID | None]
    noted_at: Mapped[datetime]
