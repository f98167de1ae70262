"""Bids: sealed rows that all look alike, the list that closing made of them, and what the opening brought to light."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, LargeBinary, SmallInteger, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from schoolmeals.database import Model


class SealedRow(Model):
    """A bid, a withdrawal, a confirmation, or nothing at all. See ``procurement/rows.py`` for what is inside."""

    __tablename__ = "sealed_row"
    __table_args__ = (CheckConstraint("length(body) = 34816", name="all_of_one_size"),)

    tender_id: Mapped[UUID] = mapped_column(ForeignKey("tender.id"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    claim: Mapped[UUID] = mapped_column(unique=True)
    """A keyed hash of the caller's id."""
    at: Mapped[datetime]
    """The hour. The legal time is inside."""
    body: Mapped[bytes] = mapped_column(LargeBinary)


class CiphertextPart(Model):
    """A piece of a sealed file, or of nothing. Its id says which, to whoever can compute it."""

    __tablename__ = "ciphertext_part"
    __table_args__ = (CheckConstraint("length(body) = 131100", name="all_of_one_size"),)

    tender_id: Mapped[UUID] = mapped_column(ForeignKey("tender.id"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    """The hour."""
    body: Mapped[bytes] = mapped_column(LargeBinary)


class FrozenBid(Model):
    """A bid in the list that closing froze."""

    __tablename__ = "frozen_bid"
    __table_args__ = (
        ForeignKeyConstraint(["tender_id", "lot_id"], ["lot.tender_id", "lot.id"]),
        CheckConstraint("outcome IN ('stands', 'replaced', 'withdrawn', 'unconfirmed')", name="outcome"),
        Index("ix_frozen_bid_tender_id", "tender_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    """The bid's own, made by the bidder."""
    tender_id: Mapped[UUID] = mapped_column(ForeignKey("tender.id"))
    lot_id: Mapped[UUID]
    tenderer_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    place: Mapped[int] = mapped_column(SmallInteger)
    """Which of the supplier's rows for the lot it was."""
    manifest: Mapped[bytes] = mapped_column(LargeBinary)
    """The very bytes that were submitted."""
    manifest_sha256: Mapped[str]
    received_at: Mapped[datetime]
    tender_version: Mapped[int]
    outcome: Mapped[str]


class OpeningShare(Model):
    """A share that a member has opened and made public, or the word that it could not be opened."""

    __tablename__ = "opening_share"
    __table_args__ = (
        CheckConstraint("ok = (fault IS NULL)", name="fault_where_not_ok"),
        CheckConstraint("share IS NOT NULL OR NOT ok", name="good_with_a_share"),
        Index("uq_opening_share_good", "bid_id", "envelope", "seat_id", unique=True, postgresql_where=text("ok")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    tender_id: Mapped[UUID] = mapped_column(ForeignKey("tender.id"), index=True)
    bid_id: Mapped[UUID] = mapped_column(ForeignKey("frozen_bid.id"))
    envelope: Mapped[str]
    seat_id: Mapped[UUID] = mapped_column(ForeignKey("commission_seat.id"))
    share: Mapped[bytes | None] = mapped_column(LargeBinary)
    ok: Mapped[bool]
    fault: Mapped[str | None]
    """``share-changed`` or ``share-unreadable``."""
    at: Mapped[datetime]


class OpenedBid(Model):
    """What an envelope held, or why it cannot be read. Its files are opened anew from the shares by whoever asks."""

    __tablename__ = "opened_bid"
    __table_args__ = (
        CheckConstraint("(plaintext_sha256 IS NULL) = (unreadable IS NOT NULL)", name="read_or_unreadable"),
        Index("ix_opened_bid_tender_id", "tender_id"),
    )

    bid_id: Mapped[UUID] = mapped_column(ForeignKey("frozen_bid.id"), primary_key=True)
    envelope: Mapped[str] = mapped_column(primary_key=True)
    tender_id: Mapped[UUID] = mapped_column(ForeignKey("tender.id"))
    at: Mapped[datetime]
    plaintext: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    """The file ``bid.json``, where there is one that can be read."""
    files: Mapped[list[Any]]
    """``[{"name", "media_type", "bytes", "sha256"}]``"""
    plaintext_sha256: Mapped[str | None]
    unreadable: Mapped[str | None]
    """A fault's code, ``incomplete`` or ``not-disclosed``."""
    faults: Mapped[list[Any]]
    """``[{"code", "member"}]``: what was found wrong on the way, and whose it is."""
    recovery: Mapped[str | None]
    """The key that the bidder disclosed, where too few members came."""
