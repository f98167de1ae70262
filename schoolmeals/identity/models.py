"""People, organisations, roles, and the ways in. Secrets are stored only as hashes, or sealed where they must be read
again.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from schoolmeals.database import Model


class Organisation(Model):
    """The city's education department, a school, a supplier. A school's id is the ``school_id`` of everything in it."""

    __tablename__ = "organisation"
    __table_args__ = (
        CheckConstraint("kind IN ('city', 'school', 'supplier', 'state')", name="kind"),
        UniqueConstraint("identifier_scheme", "identifier"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    name_kk: Mapped[str]
    name_ru: Mapped[str]
    name_en: Mapped[str]
    identifier_scheme: Mapped[str | None]
    """OCDS organisation identifier scheme, e.g. ``KZ-BIN``."""
    identifier: Mapped[str | None]
    district: Mapped[str | None]
    address: Mapped[str | None]
    created_at: Mapped[datetime]


class Person(Model):
    """Somebody who can sign in, by e-mail or phone."""

    __tablename__ = "person"
    __table_args__ = (
        CheckConstraint("email IS NOT NULL OR phone IS NOT NULL", name="reachable"),
        UniqueConstraint("email"),
        UniqueConstraint("phone"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    email: Mapped[str | None]
    """Lower case."""
    phone: Mapped[str | None]
    """E.164."""
    language: Mapped[str] = mapped_column(default="kk")
    password_hash: Mapped[str | None]
    totp_secret_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    totp_confirmed_at: Mapped[datetime | None]
    totp_last_step: Mapped[int | None]
    """The last time step whose code was used: each code opens once."""
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]


class RoleGrant(Model):
    """A role held in an organisation, from ``granted_at`` until ``revoked_at``."""

    __tablename__ = "role_grant"
    __table_args__ = (
        Index(
            "uq_role_grant_standing",
            "person_id",
            "role",
            "organisation_id",
            unique=True,
            postgresql_where=text("revoked_at IS NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    role: Mapped[str]
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    granted_by: Mapped[UUID | None]
    granted_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class Passkey(Model):
    """A WebAuthn credential."""

    __tablename__ = "passkey"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), index=True)
    credential_id: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    sign_count: Mapped[int]
    transports: Mapped[list[Any]]
    name: Mapped[str]
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    removed_at: Mapped[datetime | None]


class RecoveryCode(Model):
    """One of ten codes that stand in for a lost second factor, each once."""

    __tablename__ = "recovery_code"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), index=True)
    code_hash: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class Challenge(Model):
    """A WebAuthn challenge, or a sign-in that waits for its second factor. Used once, short-lived."""

    __tablename__ = "challenge"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    purpose: Mapped[str]
    challenge: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class SignInSession(Model):
    """A signed-in person on one browser or API client. The key is the hash of a token that only the client knows."""

    __tablename__ = "sign_in_session"

    token_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    id: Mapped[UUID] = mapped_column(unique=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), index=True)
    carried_by: Mapped[str]
    """``cookie`` or ``bearer``."""
    factors: Mapped[list[Any]]
    """How the person proved who they are: ``password``, ``totp``, ``recovery``, ``passkey``, ``demo``."""
    user_agent: Mapped[str]
    address: Mapped[str]
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    proved_at: Mapped[datetime | None]
    """When the person proved who they are once more, after they signed in."""


class PasswordReset(Model):
    """Somebody asked for a new password, or the office gave them a code for one. The code is stored as a hash.

    What was typed stays sealed until the worker has looked for whom it is; the page that asked learns nothing of it.
    """

    __tablename__ = "password_reset"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    contact_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"), index=True)
    code_hash: Mapped[bytes | None] = mapped_column(LargeBinary, unique=True)
    given_by: Mapped[UUID | None]
    """Who gave the code to the person; None where it went out by letter."""
    asked_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class Invitation(Model):
    """A one-time code that makes somebody a member of an organisation."""

    __tablename__ = "invitation"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    code_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    role: Mapped[str]
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    name: Mapped[str]
    email: Mapped[str | None]
    phone: Mapped[str | None]
    invited_by: Mapped[UUID | None]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    used_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    withdrawn_at: Mapped[datetime | None]


class Device(Model):
    """A till's tablet or computer. It holds a private key that cannot leave it; we hold the public one."""

    __tablename__ = "device"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    school_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"), index=True)
    name: Mapped[str]
    enrolment_hash: Mapped[bytes | None] = mapped_column(LargeBinary, unique=True)
    enrolment_expires_at: Mapped[datetime | None]
    public_key: Mapped[bytes | None] = mapped_column(LargeBinary)
    """SubjectPublicKeyInfo in DER of an ECDSA P-256 key."""
    token_hash: Mapped[bytes | None] = mapped_column(LargeBinary, unique=True)
    """Of the cookie that lets the device load its till page; taps are signed by the key besides."""
    cashier_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    shift_opened_at: Mapped[datetime | None]
    created_by: Mapped[UUID | None]
    created_at: Mapped[datetime]
    enrolled_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class CashierPin(Model):
    """A cashier's PIN in one school, as an argon2id hash."""

    __tablename__ = "cashier_pin"

    school_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"), primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), primary_key=True)
    pin_hash: Mapped[str]
    set_at: Mapped[datetime]


class Attempts(Model):
    """How often something was tried lately, for rate limits and lock-outs. ``key`` is a keyed hash of what is
    limited.
    """

    __tablename__ = "attempts"

    key: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    purpose: Mapped[str]
    count: Mapped[int]
    window_started_at: Mapped[datetime]
    blocked_until: Mapped[datetime | None]
