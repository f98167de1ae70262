"""Protocols: what the commission decided, as a text that never changes, and the papers that are drawn from it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary, Text
from sqlalchemy.orm import Mapped, mapped_column

from schoolmeals.database import Model


class Protocol(Model):
    """One protocol. ``text`` is its canonical JSON; the digest of these very bytes is its public address."""

    __tablename__ = "protocol"
    __table_args__ = (
        CheckConstraint("kind IN ('opening', 'admission', 'evaluation', 'award')", name="kind"),
        CheckConstraint("length(sha256) = 32", name="sha256"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    tender_id: Mapped[UUID] = mapped_column(ForeignKey("tender.id"), index=True)
    kind: Mapped[str]
    at: Mapped[datetime]
    text: Mapped[str] = mapped_column(Text)
    sha256: Mapped[bytes] = mapped_column(LargeBinary, unique=True)


class ProtocolPaper(Model):
    """A protocol as PDF/A-3 in one language, with the JSON inside."""

    __tablename__ = "protocol_paper"
    __table_args__ = (CheckConstraint("language IN ('kk', 'ru', 'en')", name="language"),)

    protocol_id: Mapped[UUID] = mapped_column(ForeignKey("protocol.id"), primary_key=True)
    language: Mapped[str] = mapped_column(primary_key=True)
    pdf: Mapped[bytes] = mapped_column(LargeBinary)
    sha256: Mapped[bytes] = mapped_column(LargeBinary)
    at: Mapped[datetime]


class MemberKey(Model):
    """A member's private key as it left the member's browser: wrapped, so that nobody here can open it."""

    __tablename__ = "member_key"
    __table_args__ = (
        CheckConstraint("(passkey_credential IS NULL) = (passkey_file IS NULL)", name="passkey_with_its_file"),
    )

    seat_id: Mapped[UUID] = mapped_column(ForeignKey("commission_seat.id"), primary_key=True)
    recipient: Mapped[str]
    """The public half that the files belong to."""
    key_file: Mapped[str] = mapped_column(Text)
    """Armoured; the passphrase on the member's paper opens it."""
    passkey_credential: Mapped[str | None] = mapped_column(Text)
    passkey_file: Mapped[str | None] = mapped_column(Text)
    at: Mapped[datetime]
