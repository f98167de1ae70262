"""The log's tables. Triggers refuse UPDATE, DELETE and TRUNCATE; the app role has no right to them either."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from schoolmeals.database import Model


class AuditEvent(Model):
    """One deed. ``payload`` is RFC 8785 text; ``subject_*`` and ``action`` are repeated beside it to be searched."""

    __tablename__ = "audit_event"
    __table_args__ = (
        Index("ix_audit_event_subject", "subject_id", "id"),
        Index("ix_audit_event_school", "school_id", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    actor_kind: Mapped[str]
    actor_id: Mapped[UUID | None]
    school_id: Mapped[UUID | None]
    action: Mapped[str]
    subject_kind: Mapped[str]
    subject_id: Mapped[UUID | None]
    payload: Mapped[str]
    salt: Mapped[bytes] = mapped_column(LargeBinary)
    personal_commitment: Mapped[bytes | None] = mapped_column(LargeBinary)
    """SHA-256 of the personal part's salt and canonical text; stays when that part is erased."""


class AuditPersonal(Model):
    """The part of an event that names a person. Rows may be deleted, never changed."""

    __tablename__ = "audit_personal"

    event_id: Mapped[UUID] = mapped_column(ForeignKey("audit_event.id"), primary_key=True)
    payload: Mapped[str]
    salt: Mapped[bytes] = mapped_column(LargeBinary)
